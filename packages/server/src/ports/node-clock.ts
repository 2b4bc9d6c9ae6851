import type { Clock, Timer } from "@raftkv/raft-node";

/** Node fires timers of more milliseconds than this at once (its delay is a signed 32-bit number). */
const delayMsMax = 2_147_483_647;

class NodeTimer implements Timer {
  readonly #dueMs: number;
  #wake: (() => void) | null;
  #timeout: NodeJS.Timeout;

  constructor(delayMs: number, wake: () => void) {
    this.#dueMs = performance.now() + delayMs;
    this.#wake = wake;
    this.#timeout = this.#arm(delayMs);
  }

  cancel(): void {
    this.#wake = null;
    clearTimeout(this.#timeout);
  }

  #arm(delayMs: number): NodeJS.Timeout {
    return setTimeout(() => this.#fire(), Math.min(Math.ceil(delayMs), delayMsMax));
  }

  #fire(): void {
    // Node counts from the start of the turn, in whole milliseconds, so it may be up to one early.
    const remainingMs = this.#dueMs - performance.now();
    if (remainingMs > 0) {
      this.#timeout = this.#arm(remainingMs);
      return;
    }
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}

/** Rounds of wakes in one pass: what a wake asks for in turn, such as the flush of what it wrote, still belongs to the turn. */
const roundsMax = 2;

/** The clock of the process. Timers keep it alive until they fire or are cancelled. */
export class NodeClock implements Clock {
  #wakes: (() => void)[] = [];
  #isEnding = false;

  monotonicMs(): number {
    return performance.now();
  }

  wallMs(): number {
    return Date.now();
  }

  setTimer(delayMs: number, wake: () => void): Timer {
    if (!(delayMs >= 0 && delayMs < Number.POSITIVE_INFINITY)) throw new RangeError(`Timer of ${delayMs} ms is negative or endless`);
    return new NodeTimer(delayMs, wake);
  }

  /** Node runs immediates after it has polled for input, so what has arrived comes first. */
  atEndOfTurn(wake: () => void): void {
    this.#wakes.push(wake);
    if (this.#wakes.length === 1 && !this.#isEnding) setImmediate(this.#endTurn);
  }

  readonly #endTurn = (): void => {
    this.#isEnding = true;
    for (let round = 0; round < roundsMax && this.#wakes.length > 0; round++) {
      const wakes = this.#wakes;
      this.#wakes = [];
      for (const wake of wakes) wake();
    }
    this.#isEnding = false;
    if (this.#wakes.length > 0) setImmediate(this.#endTurn);
  };
}
