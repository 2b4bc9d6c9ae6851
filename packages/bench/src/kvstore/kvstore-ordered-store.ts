import { KVStore } from "@raftkv/kvstore";
import type { OrderedStore } from "./ordered-store.ts";

const alone = new Uint8Array(0);
const openEnd = new Uint8Array(1);
const versionsPerCall = 100_000;

/** RaftKV's store, which also keeps what is overwritten and removed until that is compacted. */
export class KvstoreOrderedStore implements OrderedStore {
  readonly name = "kvstore";
  readonly store = new KVStore({ seed: 0x5eed });

  load(keys: readonly Uint8Array[], value: Uint8Array): void {
    for (const key of keys) this.write(key, value);
  }

  read(key: Uint8Array): number {
    let modRevision = 0;
    this.store.visitRange(key, alone, {}, (record) => {
      ({ modRevision } = record);
    });
    return modRevision;
  }

  write(key: Uint8Array, value: Uint8Array): void {
    this.store.set(key, value);
  }

  remove(key: Uint8Array): void {
    this.store.remove(key);
  }

  /** Gives up all old versions: a key that was removed would be written to its tombstone, not inserted. */
  settle(): void {
    this.store.compact(this.store.revision);
    while (this.store.reclaim(versionsPerCall));
  }

  /** Counts the keys behind the limit, too, as etcd's Range does. */
  scan(key: Uint8Array, limit: number): number {
    let visited = 0;
    this.store.visitRange(key, openEnd, { limit }, () => visited++);
    return visited;
  }
}
