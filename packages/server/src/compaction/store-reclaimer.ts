import type { KVStore } from "@raftkv/kvstore";
import type { Clock, Timer } from "@raftkv/raft-node";
import { ClassCounter, doublingBounds } from "../metrics/class-counter.ts";
import type { StateObserver } from "../state/state-observer.ts";

/** What a slice takes of a turn of the event loop, about. */
const sliceMsMax = 2;
/** Versions between two looks at the clock. */
const stepVersions = 512;
/** A slice ends after that many also if the clock stands still. */
const sliceStepsMax = 64;
/** Between two slices others have their turn. */
const pauseMs = 3;
/** After a slice that freed nothing: somebody reads a snapshot or makes a hash, which keeps the memory. */
const heldPauseMs = 100;

export interface StoreReclaimerOptions {
  readonly store: Pick<KVStore, "reclaim" | "usedBytes">;
  readonly clock: Clock;
}

/** Gives the memory of compacted versions back, in slices between which the member does everything else. */
export class StoreReclaimer implements StateObserver {
  private readonly store: StoreReclaimerOptions["store"];
  private readonly clock: Clock;
  /** Milliseconds of each slice, in which nothing else is done. */
  readonly sliceMs = new ClassCounter(doublingBounds(1, 13));
  /** Milliseconds from a compaction, the first that was not given back yet, until everything is. */
  readonly totalMs = new ClassCounter(doublingBounds(100, 14));
  private timer: Timer | null = null;
  /** When there began to be something to give back. Null while there is nothing. */
  private sinceMs: number | null = null;
  private waiting: (() => void)[] = [];

  constructor({ store, clock }: StoreReclaimerOptions) {
    this.store = store;
    this.clock = clock;
    this.wake();
  }

  stop(): void {
    this.timer?.cancel();
  }

  compacted(): void {
    this.sinceMs ??= this.clock.monotonicMs();
    this.wake();
  }

  restored(): void {
    this.wake();
  }

  /** Calls `done` when everything that is compacted by now is given back. */
  whenReclaimed(done: () => void): void {
    this.waiting.push(done);
    this.wake();
  }

  private wake(delayMs = pauseMs): void {
    this.timer ??= this.clock.setTimer(delayMs, () => this.runSlice());
  }

  private runSlice(): void {
    const usedBefore = this.store.usedBytes;
    this.timer = null;
    const startMs = this.clock.monotonicMs();
    const hasMore = this.hasMoreAfterSlice();
    const endMs = this.clock.monotonicMs();
    if (this.sinceMs !== null) this.sliceMs.observe(endMs - startMs);
    if (hasMore) return this.wake(this.store.usedBytes < usedBefore ? pauseMs : heldPauseMs);
    if (this.sinceMs !== null) this.totalMs.observe(endMs - this.sinceMs);
    this.sinceMs = null;
    const { waiting } = this;
    this.waiting = [];
    for (const done of waiting) done();
  }

  private hasMoreAfterSlice(): boolean {
    const endMs = this.clock.monotonicMs() + sliceMsMax;
    for (let step = 0; step < sliceStepsMax; step++) {
      if (!this.store.reclaim(stepVersions)) return false;
      if (this.clock.monotonicMs() >= endMs) return true;
    }
    return true;
  }
}
