import type { RpcClock } from "@raftkv/raft-rpc";

/** The one time budget of a call: selection, connecting, attempts and back-off all spend it. */
export class Deadline {
  readonly timeoutMs: number;
  readonly #clock: RpcClock;
  readonly #endMs: number;

  constructor(clock: RpcClock, timeoutMs: number) {
    this.timeoutMs = timeoutMs;
    this.#clock = clock;
    this.#endMs = clock.monotonicMs() + timeoutMs;
  }

  /** Never negative. */
  remainingMs(): number {
    return Math.max(0, this.#endMs - this.#clock.monotonicMs());
  }

  get passed(): boolean {
    return this.remainingMs() === 0;
  }

  /**
   * What an attempt that can be repeated elsewhere may take: half of what is left, so that a member that hangs leaves time for the others.
   * A last short rest is not halved again.
   */
  shareMs(): number {
    const remainingMs = this.remainingMs();
    return remainingMs <= shareMsMin ? remainingMs : Math.max(shareMsMin, remainingMs / 2);
  }
}

const shareMsMin = 100;
