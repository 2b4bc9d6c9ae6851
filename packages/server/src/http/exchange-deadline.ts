import type { Socket } from "node:net";
import type { Clock, Timer } from "@raftkv/raft-node";

/**
 * Ends a socket on which HTTP/1.1 makes no headway. Each step has to follow the one before in time; octets alone are no step.
 *
 *   socket handed over --> request's head complete --> its body complete --> answer sent --> next request's head complete --> ...
 */
export class ExchangeDeadline {
  readonly #socket: Socket;
  readonly #clock: Pick<Clock, "setTimer">;
  #timer: Timer | null = null;

  /** The first step has to come within `timeoutMs`. */
  constructor(socket: Socket, options: { readonly clock: Pick<Clock, "setTimer">; readonly timeoutMs: number }) {
    this.#socket = socket;
    this.#clock = options.clock;
    this.extend(options.timeoutMs);
    socket.once("close", () => this.suspend());
  }

  /** A step was made; the next one has to come within `timeoutMs`. */
  extend(timeoutMs: number): void {
    this.suspend();
    // Node tells the end of an answer also when its socket is gone.
    if (!this.#socket.destroyed) this.#timer = this.#clock.setTimer(timeoutMs, () => this.#socket.destroy());
  }

  /** The next step is ours, and has a limit of its own or none. */
  suspend(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
