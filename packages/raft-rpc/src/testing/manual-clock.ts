import type { RpcClock, RpcTimer } from "../rpc-clock.ts";

interface PendingTimer extends RpcTimer {
  readonly atMs: number;
  readonly order: number;
  readonly wake: () => void;
}

const reactionsMax = 50;

/** A clock that moves only when a test says so. Turns end when `settle` is called. */
export class ManualClock implements RpcClock {
  #nowMs = 1000;
  #order = 0;
  #turn: (() => void)[] = [];
  readonly #timers = new Set<PendingTimer>();

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, wake: () => void): RpcTimer {
    const timer: PendingTimer = {
      atMs: this.#nowMs + delayMs,
      order: this.#order++,
      wake,
      cancel: () => this.#timers.delete(timer),
    };
    this.#timers.add(timer);
    return timer;
  }

  atEndOfTurn(wake: () => void): void {
    this.#turn.push(wake);
  }

  get timerCount(): number {
    return this.#timers.size;
  }

  /** Ends turns until nothing is left to do without time passing. */
  settle(): void {
    for (let turns = 0; this.endTurn(); turns++) {
      if (turns > 1_000_000) throw new Error("The system does not come to rest");
    }
  }

  /** Ends one turn; false if nobody waits for that. */
  endTurn(): boolean {
    const wakes = this.#turn;
    this.#turn = [];
    for (const wake of wakes) wake();
    return wakes.length > 0;
  }

  /** `settle`, and lets promises go on, until both have nothing to do. */
  async settleAsync(): Promise<void> {
    for (let rest = 0; rest < 2; rest++) {
      // Each promise that waits for another takes a few of these; chains are short.
      for (let reaction = 0; reaction < reactionsMax; reaction++) await Promise.resolve();
      if (this.#turn.length > 0) rest = 0;
      this.settle();
    }
  }

  /** Moves the time, firing timers in their order, each at its own moment. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    this.settle();
    for (;;) {
      const next = [...this.#timers].sort((a, b) => a.atMs - b.atMs || a.order - b.order)[0];
      if (next === undefined || next.atMs > untilMs) break;
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.wake();
      this.settle();
    }
    this.#nowMs = untilMs;
  }
}
