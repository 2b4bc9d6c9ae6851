import type { KVStore } from "@raftkv/kvstore";
import type { Clock } from "@raftkv/raft-node";
import { nextTurn } from "../next-turn.ts";

/** What a slice takes of a turn of the event loop, about. */
const sliceMs = 2;
/** Versions between two looks at the clock. */
const stepVersions = 128;

export interface StoreHash {
  /** uint32. */
  readonly hash: number;
  readonly hashRevision: number;
  /** -1 if the store was never compacted. */
  readonly compactRevision: number;
}

/** The hash of the keys up to `revision`, 0 for the newest, made in slices between which the member does everything else. */
export async function hashOfStore(store: KVStore, clock: Clock, revision: number): Promise<StoreHash> {
  const run = store.startHash(revision);
  try {
    for (;;) {
      const endMs = clock.monotonicMs() + sliceMs;
      let hash: number | null;
      do hash = run.step(stepVersions);
      while (hash === null && clock.monotonicMs() < endMs);
      if (hash !== null) return { hash, hashRevision: run.revision, compactRevision: run.compactRevision };
      await nextTurn(clock);
    }
  } finally {
    run.close();
  }
}
