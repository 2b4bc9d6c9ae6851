import { type RpcClock, type RpcTimer, SystemClock } from "@raftkv/raft-rpc";

interface PendingTimer {
  readonly atMs: number;
  readonly wake: () => void;
}

/** More turns than any test takes: a test that waits for ever ends with an error. */
const turnsMax = 200_000;

/** Time that passes when nothing else is left to do. */
export class VirtualClock implements RpcClock {
  #nowMs = 1_000;
  #endOfTurn: (() => void)[] = [];
  readonly #timers = new Set<PendingTimer>();

  monotonicMs(): number {
    return this.#nowMs;
  }

  setTimer(delayMs: number, wake: () => void): RpcTimer {
    const timer: PendingTimer = { atMs: this.#nowMs + Math.max(0, delayMs), wake };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }

  atEndOfTurn(wake: () => void): void {
    this.#endOfTurn.push(wake);
  }

  /** Runs turns and moves time from timer to timer until the promise is settled. */
  async settle<Value>(promise: Promise<Value>): Promise<Value> {
    let settled = false;
    const note = (): void => {
      settled = true;
    };
    promise.then(note, note);
    for (let turn = 0; turn < turnsMax; turn++) {
      await promisesRun();
      if (settled) return promise;
      this.#step();
    }
    throw new Error(`Not settled after ${turnsMax} turns, at ${this.#nowMs} ms`);
  }

  /** Lets `durationMs` pass. */
  pass(durationMs: number): Promise<void> {
    return this.settle(new Promise<void>((resolve) => this.setTimer(durationMs, resolve)));
  }

  #step(): void {
    if (this.#endOfTurn.length > 0) {
      const wakers = this.#endOfTurn;
      this.#endOfTurn = [];
      for (const wake of wakers) wake();
      return;
    }
    let next: PendingTimer | null = null;
    for (const timer of this.#timers) if (next === null || timer.atMs < next.atMs) next = timer;
    if (next === null) throw new Error(`Nothing is left to wait for at ${this.#nowMs} ms`);
    this.#timers.delete(next);
    this.#nowMs = Math.max(this.#nowMs, next.atMs);
    next.wake();
  }
}

const systemClock = new SystemClock();

/** Everything that waits on settled promises has run. */
function promisesRun(): Promise<void> {
  return new Promise((resolve) => systemClock.atEndOfTurn(resolve));
}
