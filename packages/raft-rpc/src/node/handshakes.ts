import type { Socket } from "node:net";
import { HandshakeError } from "../byte-stream.ts";
import type { Rate } from "../limits.ts";
import type { RpcClock } from "../rpc-clock.ts";
import { originOf } from "../server/connection-admission.ts";
import type { TurnTaker } from "../server/turn-line.ts";
import { HandshakePace } from "./handshake-pace.ts";
import { addressOf } from "./socket-stream.ts";
import type { HandshakeOutcome } from "./tls-server-stream.ts";

interface Handshake extends HandshakeOutcome, TurnTaker {
  readonly socket: Socket;
  readonly address: string;
}

export interface HandshakesOptions {
  readonly clock: RpcClock;
  /** Under way at a time. */
  readonly max: number;
  /** Of one origin, those that come to nothing. */
  readonly rate: Rate;
  /** Makes the handshake on the socket; `ended` or `failed` follows. */
  readonly start: (socket: Socket) => void;
  /** Told once of each that fails. */
  readonly onFailed: (remoteAddress: string, error: Error) => void;
}

/**
 * The TLS handshakes that wait for their turn (`HandshakePace`) or are under way. When too many are, the oldest of whoever has the most of
 * them makes room: one who begins many and ends none keeps nobody out, not even who comes from the same address. Each that fails is told once.
 */
export class Handshakes {
  readonly #options: HandshakesOptions;
  readonly #pace: HandshakePace;
  /** By address with port, in the order in which they began. */
  readonly #underWay = new Map<string, Handshake>();
  /** How many of them each origin has. */
  readonly #counts = new Map<string, number>();

  constructor(options: HandshakesOptions) {
    this.#options = options;
    this.#pace = new HandshakePace(options.clock, options.rate);
  }

  /** The socket is paused, so that nothing is read before its turn. */
  begin(socket: Socket, outcome: HandshakeOutcome): void {
    const address = addressOf(socket);
    const handshake: Handshake = { socket, address, origin: originOf(address), takeTurn: () => this.#start(handshake), ...outcome };
    socket.once("error", (error) => this.#fail(handshake, error));
    socket.once("close", () => this.#fail(handshake, connectionClosed()));
    this.#pace.enter(handshake);
  }

  ended(secured: Socket): void {
    const handshake = this.#underWay.get(addressOf(secured));
    // Its client was gone, or had made room, when the last bytes were read.
    if (handshake === undefined) return void secured.destroy();
    this.#take(handshake);
    // Not before: who makes handshakes and says nothing then is no better than who does not end them.
    secured.once("data", () => this.#pace.earn(handshake.origin));
    handshake.onSecured(secured);
  }

  /** Of one that made room, and of one whose client has gone, this comes late and says nothing new. */
  failed(socket: Socket, error: Error): void {
    const handshake = this.#underWay.get(addressOf(socket));
    if (handshake !== undefined) this.#fail(handshake, error);
  }

  #start(handshake: Handshake): void {
    const { address, origin, socket } = handshake;
    // Who has gone when it is accepted has no address, and so has the next.
    const namesake = this.#underWay.get(address);
    if (namesake !== undefined) this.#fail(namesake, connectionClosed());
    this.#underWay.set(address, handshake);
    this.#counts.set(origin, (this.#counts.get(origin) ?? 0) + 1);
    // Its "close" comes later than its turn.
    if (socket.destroyed) return this.#fail(handshake, connectionClosed());
    if (this.#underWay.size > this.#options.max) this.#makeRoom();
    this.#options.start(socket);
  }

  #fail(handshake: Handshake, error: Error): void {
    if (!this.#pace.leave(handshake) && !this.#take(handshake)) return;
    handshake.socket.destroy();
    handshake.onFailed(new HandshakeError(error.message, { cause: error }));
    this.#options.onFailed(handshake.address, error);
  }

  /** False if it is not under way. */
  #take(handshake: Handshake): boolean {
    const { address, origin } = handshake;
    if (this.#underWay.get(address) !== handshake) return false;
    this.#underWay.delete(address);
    const left = (this.#counts.get(origin) ?? 0) - 1;
    if (left > 0) this.#counts.set(origin, left);
    else this.#counts.delete(origin);
    return true;
  }

  /** Ends the oldest of the origin that has the most. */
  #makeRoom(): void {
    const { max } = this.#options;
    const most = Math.max(...this.#counts.values());
    for (const handshake of this.#underWay.values()) {
      if (this.#counts.get(handshake.origin) !== most) continue;
      return this.#fail(handshake, new Error(`${max} handshakes are under way already`));
    }
  }
}

function connectionClosed(): Error {
  return new Error("Connection was closed in its handshake");
}
