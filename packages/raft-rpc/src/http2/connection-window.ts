import { ConnectionError, ErrorCode, initialWindowBytes } from "./frame.ts";

/**
 * The receive window of a connection (RFC 9113 6.9). All DATA counts, whatever its stream; the window is given back on receipt, except for
 * complete messages that nobody takes, which would fill the memory.
 *
 *   bytesMax = window (what the peer may send) + held (messages that wait) + free (to be given back)
 */
export class ConnectionWindow {
  readonly #bytesMax: number;
  #window: number;
  #heldBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#window = Math.max(initialWindowBytes, bytesMax);
  }

  /** What the peer has to be told first, for it begins with the initial window. */
  get openingIncrement(): number {
    return this.#window - initialWindowBytes;
  }

  /** The payload of a DATA frame, padding included. Throws FLOW_CONTROL_ERROR when it is more than was allowed. */
  receive(payloadBytes: number): void {
    this.#window -= payloadBytes;
    if (this.#window < 0) throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, "Connection window is overrun");
  }

  /** What complete messages occupy. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Adds to (or takes from) what complete messages occupy. */
  hold(byteCount: number): void {
    this.#heldBytes += byteCount;
  }

  /** Takes what is free for a WINDOW_UPDATE; 0 as long as it is less than half of the window. */
  takeCredit(): number {
    const free = this.#bytesMax - this.#window - this.#heldBytes;
    if (free * 2 < this.#bytesMax) return 0;
    this.#window += free;
    return free;
  }
}
