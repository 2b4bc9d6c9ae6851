import type { KVStore } from "@raftkv/kvstore";
import type { Clock } from "@raftkv/raft-node";
import { RpcError, StatusCode } from "@raftkv/raft-rpc";
import type { ClassCounter } from "../../metrics/class-counter.ts";
import { nextTurn } from "../../next-turn.ts";
import { rpcError } from "./etcd-error.ts";
import { revisionError } from "./range-query.ts";

/** What a slice takes of a turn of the event loop, about. */
const sliceMs = 2;
/** Versions between two looks at the clock. */
const stepVersions = 128;
/** Calls that may wait for those before them. */
const waitingMax = 32;

export interface StoreHash {
  /** uint32. */
  readonly hash: number;
  readonly hashRevision: number;
  /** -1 if the store was never compacted. */
  readonly compactRevision: number;
}

/** Hashes of the keys, one after the other, each in slices between which the member does everything else. */
export class StoreHasher {
  private readonly store: KVStore;
  private readonly clock: Clock;
  private last: Promise<unknown> = Promise.resolve();
  private waiting = 0;

  constructor(store: KVStore, clock: Clock) {
    this.store = store;
    this.clock = clock;
  }

  /** Of what is retained up to `revision`, 0 and below for the newest when its turn comes; `seconds` gets how long it took. Rejects with RpcError. */
  hash(revision: number, seconds: ClassCounter): Promise<StoreHash> {
    if (this.waiting >= waitingMax) {
      throw new RpcError(StatusCode.RESOURCE_EXHAUSTED, `raftkv: ${waitingMax} hashes are asked for already, try again later`);
    }
    this.waiting++;
    const result = this.last.then(() => this.runTimed(revision, seconds)).finally(() => this.waiting--);
    this.last = result.catch(() => {});
    return result;
  }

  private async runTimed(revision: number, seconds: ClassCounter): Promise<StoreHash> {
    const startMs = this.clock.monotonicMs();
    const hash = await this.run(revision);
    seconds.observe((this.clock.monotonicMs() - startMs) / 1_000);
    return hash;
  }

  private async run(revision: number): Promise<StoreHash> {
    const error = revisionError(this.store, revision);
    if (error !== null) throw rpcError(error);
    const run = this.store.startHash(Math.max(revision, 0));
    try {
      for (;;) {
        const endMs = this.clock.monotonicMs() + sliceMs;
        let hash = run.step(stepVersions);
        while (hash === null && this.clock.monotonicMs() < endMs) hash = run.step(stepVersions);
        if (hash !== null) return { hash, hashRevision: run.revision, compactRevision: run.compactRevision };
        await nextTurn(this.clock);
      }
    } finally {
      run.close();
    }
  }
}
