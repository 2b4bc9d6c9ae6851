import type { Socket } from "node:net";
import { HandshakeError } from "../byte-stream.ts";
import { originOf } from "../server/connection-admission.ts";
import { addressOf } from "./socket-stream.ts";
import type { HandshakeOutcome } from "./tls-server-stream.ts";

interface Handshake extends HandshakeOutcome {
  readonly socket: Socket;
}

/**
 * The TLS handshakes under way. When there are too many, the oldest of whoever has the most of them makes room: one who begins many and ends
 * none keeps nobody out, not even who comes from the same address. Each that fails is told once.
 */
export class Handshakes {
  readonly #max: number;
  readonly #onFailed: (remoteAddress: string, error: Error) => void;
  /** By address with port, in the order in which they began. */
  readonly #underWay = new Map<string, Handshake>();

  constructor(max: number, onFailed: (remoteAddress: string, error: Error) => void) {
    this.#max = max;
    this.#onFailed = onFailed;
  }

  begin(socket: Socket, outcome: HandshakeOutcome): void {
    const address = addressOf(socket);
    socket.once("close", () => this.#fail(address, socket, new Error("Connection was closed in its handshake")));
    this.#underWay.set(address, { socket, ...outcome });
    if (this.#underWay.size <= this.#max) return;
    const crowding = this.#crowding();
    this.#fail(crowding, this.#underWay.get(crowding)?.socket, new Error(`${this.#max} handshakes are under way already`));
  }

  ended(secured: Socket): void {
    const address = addressOf(secured);
    const handshake = this.#underWay.get(address);
    this.#underWay.delete(address);
    // Its client was gone, or had made room, when the last bytes were read.
    if (handshake === undefined) secured.destroy();
    else handshake.onSecured(secured);
  }

  /** Of one that made room, and of one whose client has gone, this comes late and says nothing new. */
  failed(socket: Socket, error: Error): void {
    const address = addressOf(socket);
    this.#fail(address, this.#underWay.get(address)?.socket, error);
  }

  #fail(address: string, socket: Socket | undefined, error: Error): void {
    const handshake = this.#underWay.get(address);
    if (handshake === undefined || handshake.socket !== socket) return;
    this.#underWay.delete(address);
    handshake.socket.destroy();
    handshake.onFailed(new HandshakeError(error.message, { cause: error }));
    this.#onFailed(address, error);
  }

  /** The oldest of the origin that has the most. */
  #crowding(): string {
    const byOrigin = new Map<string, string[]>();
    for (const address of this.#underWay.keys()) {
      const origin = originOf(address);
      const others = byOrigin.get(origin);
      if (others === undefined) byOrigin.set(origin, [address]);
      else others.push(address);
    }
    let most: readonly string[] = [];
    for (const addresses of byOrigin.values()) if (addresses.length > most.length) most = addresses;
    return most[0] ?? "";
  }
}
