import type { Socket } from "node:net";
import type { Clock, Timer } from "@raftkv/raft-node";

/**
 * Ends a socket on which HTTP/1.1 makes no headway. Each step has to follow the one before within `timeoutMs`; octets alone are no step.
 *
 *   socket handed over --> request complete --> answer sent --> next request complete --> ...
 */
export class ExchangeDeadline {
  readonly #socket: Socket;
  readonly #clock: Pick<Clock, "setTimer">;
  readonly #timeoutMs: number;
  #timer: Timer;

  constructor(socket: Socket, options: { readonly clock: Pick<Clock, "setTimer">; readonly timeoutMs: number }) {
    this.#socket = socket;
    this.#clock = options.clock;
    this.#timeoutMs = options.timeoutMs;
    this.#timer = this.#start();
    socket.once("close", () => this.#timer.cancel());
  }

  /** A step was made. */
  extend(): void {
    this.#timer.cancel();
    // Node tells the end of an answer also when its socket is gone.
    if (!this.#socket.destroyed) this.#timer = this.#start();
  }

  #start(): Timer {
    return this.#clock.setTimer(this.#timeoutMs, () => this.#socket.destroy());
  }
}
