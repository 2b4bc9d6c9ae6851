import type { Clock, Timer } from "@raftkv/raft-node";

/** A clock that only the test moves. */
export class TestClock implements Clock {
  #nowMs = 1_000;
  #timers: { readonly dueMs: number; readonly wake: () => void }[] = [];

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  setTimer(delayMs: number, wake: () => void): Timer {
    const timer = { dueMs: this.#nowMs + delayMs, wake };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  atEndOfTurn(wake: () => void): void {
    queueMicrotask(wake);
  }

  /** Calls the timers that become due, each once. */
  advance(ms: number): void {
    this.#nowMs += ms;
    const due = this.#timers.filter(({ dueMs }) => dueMs <= this.#nowMs);
    this.#timers = this.#timers.filter((timer) => !due.includes(timer));
    for (const { wake } of due) wake();
  }
}
