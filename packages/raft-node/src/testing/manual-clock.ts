import type { Clock, Timer } from "../ports.ts";

interface PendingTimer {
  readonly dueMs: number;
  readonly wake: () => void;
}

/** Time as the test sets it; several clocks may share it. */
export interface ManualTime {
  nowMs: number;
}

/** The timers and turns of one process, on a time that only the test moves. */
export class ManualClock implements Clock {
  private readonly time: ManualTime;
  private timers: PendingTimer[] = [];
  private wakes: (() => void)[] = [];

  constructor(time: ManualTime) {
    this.time = time;
  }

  monotonicMs(): number {
    return this.time.nowMs;
  }

  wallMs(): number {
    return this.time.nowMs;
  }

  setTimer(delayMs: number, wake: () => void): Timer {
    const timer: PendingTimer = { dueMs: this.time.nowMs + delayMs, wake };
    this.timers.push(timer);
    return {
      cancel: () => {
        this.timers = this.timers.filter((other) => other !== timer);
      },
    };
  }

  atEndOfTurn(wake: () => void): void {
    this.wakes.push(wake);
  }

  /** Ends the turn: calls whoever asked for it. False if nobody did. */
  endTurn(): boolean {
    const { wakes } = this;
    this.wakes = [];
    for (const wake of wakes) wake();
    return wakes.length > 0;
  }

  /** Calls the timers that are due, each once. */
  fireTimers(): void {
    const due = this.timers.filter(({ dueMs }) => dueMs <= this.time.nowMs).sort((a, b) => a.dueMs - b.dueMs);
    this.timers = this.timers.filter((timer) => !due.includes(timer));
    for (const { wake } of due) wake();
  }
}
