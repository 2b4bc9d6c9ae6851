import type { Clock, Timer } from "@raftkv/raft-node";

interface PendingTimer extends Timer {
  readonly atMs: number;
  readonly wake: () => void;
}

/** Promises that wait for each other settle within so many rounds. */
const roundsMax = 50;

/** A clock that moves, and a turn that ends, only while a test waits in `run`. */
export class ManualClock implements Clock {
  private nowMs = 1_000;
  private turn: (() => void)[] = [];
  private readonly timers = new Set<PendingTimer>();

  monotonicMs(): number {
    return this.nowMs;
  }

  wallMs(): number {
    return this.nowMs;
  }

  setTimer(delayMs: number, wake: () => void): Timer {
    const timer: PendingTimer = { atMs: this.nowMs + delayMs, wake, cancel: () => this.timers.delete(timer) };
    this.timers.add(timer);
    return timer;
  }

  atEndOfTurn(wake: () => void): void {
    this.turn.push(wake);
  }

  /** Ends turns until nothing is left to do, then lets this much time pass in the same way. */
  async run(durationMs = 0): Promise<void> {
    const untilMs = this.nowMs + durationMs;
    await this.settle();
    for (let next = this.nextTimer(); next !== undefined && next.atMs <= untilMs; next = this.nextTimer()) {
      this.timers.delete(next);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.wake();
      await this.settle();
    }
    this.nowMs = untilMs;
  }

  private nextTimer(): PendingTimer | undefined {
    return [...this.timers].sort((a, b) => a.atMs - b.atMs)[0];
  }

  private async settle(): Promise<void> {
    for (let round = 0; round < roundsMax; round += 1) {
      await Promise.resolve();
      if (this.turn.length === 0) continue;
      const wakes = this.turn;
      this.turn = [];
      for (const wake of wakes) wake();
      round = 0;
    }
  }
}
