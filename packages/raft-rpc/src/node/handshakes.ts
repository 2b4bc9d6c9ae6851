import type { Socket } from "node:net";
import { HandshakeError } from "../byte-stream.ts";
import { originOf } from "../server/connection-admission.ts";
import { addressOf } from "./socket-stream.ts";
import type { HandshakeOutcome } from "./tls-server-stream.ts";

interface Handshake extends HandshakeOutcome {
  readonly socket: Socket;
  readonly origin: string;
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
  /** How many of them each origin has. */
  readonly #counts = new Map<string, number>();

  constructor(max: number, onFailed: (remoteAddress: string, error: Error) => void) {
    this.#max = max;
    this.#onFailed = onFailed;
  }

  begin(socket: Socket, outcome: HandshakeOutcome): void {
    const address = addressOf(socket);
    const closed = new Error("Connection was closed in its handshake");
    socket.once("close", () => this.#fail(address, socket, closed));
    // Who has gone when it is accepted has no address, and so has the next.
    this.#fail(address, this.#underWay.get(address)?.socket, closed);
    const origin = originOf(address);
    this.#underWay.set(address, { socket, origin, ...outcome });
    this.#counts.set(origin, (this.#counts.get(origin) ?? 0) + 1);
    if (this.#underWay.size > this.#max) this.#makeRoom();
  }

  ended(secured: Socket): void {
    const address = addressOf(secured);
    const handshake = this.#take(address);
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
    this.#take(address);
    handshake.socket.destroy();
    handshake.onFailed(new HandshakeError(error.message, { cause: error }));
    this.#onFailed(address, error);
  }

  #take(address: string): Handshake | undefined {
    const handshake = this.#underWay.get(address);
    if (handshake === undefined) return undefined;
    this.#underWay.delete(address);
    const left = (this.#counts.get(handshake.origin) ?? 0) - 1;
    if (left > 0) this.#counts.set(handshake.origin, left);
    else this.#counts.delete(handshake.origin);
    return handshake;
  }

  /** Ends the oldest of the origin that has the most. */
  #makeRoom(): void {
    const most = Math.max(...this.#counts.values());
    for (const [address, { origin, socket }] of this.#underWay) {
      if (this.#counts.get(origin) !== most) continue;
      return this.#fail(address, socket, new Error(`${this.#max} handshakes are under way already`));
    }
  }
}
