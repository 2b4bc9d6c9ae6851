import { assert } from "./assertion.ts";
import type { EventView } from "./event-view.ts";
import type { HashRun } from "./hash-run.ts";
import type { KeyValue, KeyValueView } from "./key-value.ts";
import { KVRestorer } from "./kv-restorer.ts";
import { KVSnapshot } from "./kv-snapshot.ts";
import type { NodeRef } from "./node-arena.ts";
import { type RangeQuery, type RangeResult, type RangeSummary, visitSpan } from "./range-query.ts";
import { checkKey, checkValue } from "./record-limits.ts";
import { type NodeSpan, RecordTable } from "./record-table.ts";

/** The revision of a store that was never written (etcd begins at 1). */
const firstRevision = 1;

export interface KVStoreOptions {
  /**
   * Any safe integer. Seeds the hashes of keys and the heights of the skip list's towers. Nothing that can be seen depends on it
   * but speed, so each member may have its own; a secret one of at least 32 random bits keeps clients from choosing keys that
   * make the store slow. Default 1.
   */
  readonly seed?: number;
}

export type PutResult = { readonly outcome: "created"; readonly revision: number } | { readonly outcome: "already-exists" };
export interface UpdateResult {
  readonly outcome: "created" | "updated";
  readonly revision: number;
}
export type GetResult = { readonly outcome: "found"; readonly record: KeyValue } | { readonly outcome: "not-found" };
export type RemoveResult = { readonly outcome: "removed"; readonly revision: number } | { readonly outcome: "not-found" };

export interface SetOptions {
  /** A signed 64-bit lease id. Default 0n: no lease, and one that the key had is detached. */
  readonly lease?: bigint;
  readonly wantPrevious?: boolean;
}
export interface SetResult {
  /** The revision that this write took. */
  readonly revision: number;
  /** What was there before, if it was asked for and there was something. */
  readonly previous: KeyValue | null;
}

export interface DeleteRangeOptions {
  readonly wantPrevious?: boolean;
}
export interface DeleteRangeResult {
  /** The revision that this write took, or the store's if nothing matched. */
  readonly revision: number;
  readonly deleted: number;
  /** What was deleted, in key order, if it was asked for. */
  readonly previous: readonly KeyValue[];
}

export type CompactResult =
  | { readonly outcome: "compacted" }
  | { readonly outcome: "refused"; readonly reason: "compacted" | "future" };

/** Bytes of memory. `payload` is the same on all members with the same records, the others are each member's own. */
export interface MemoryUse {
  /** Keys and values. */
  readonly payload: number;
  /** Cells in use: keys, values, fields, towers, rounding, and what an open snapshot holds. Slots in use of the hash index. */
  readonly used: number;
  /** Pages of the arenas, and the hash index. */
  readonly reserved: number;
}

/**
 * The replicated key-value state: ordered keys, each with a value and the revisions of its writes. Deterministic: the same calls
 * give the same results and the same snapshots on every member. One revision is taken by each call that changes something, and
 * by no other. Arguments are copied, results belong to the caller.
 *
 * Keys have 1 to 16 Mi bytes, values up to 64 Mi; the caller checks client input before, otherwise calls throw a RecordLimitError.
 */
export class KVStore {
  readonly #seed: number;
  #table: RecordTable;
  #revision = firstRevision;

  constructor(options: KVStoreOptions = {}) {
    this.#seed = options.seed ?? 1;
    if (!Number.isSafeInteger(this.#seed)) throw new RangeError(`Seed ${this.#seed} is not a safe integer`);
    this.#table = new RecordTable(this.#seed);
  }

  /** Revision of the last change; 1 for a store that was never written. */
  get revision(): number {
    return this.#revision;
  }

  /** The revision that the store was last compacted to, -1 if it never was. Nothing below it can be read. */
  get compactRevision(): number {
    return -1;
  }

  /** Keys that are there now. */
  get keyCount(): number {
    return this.#table.count;
  }

  get bytesUsed(): MemoryUse {
    return { payload: this.#table.payloadBytes, used: this.#table.usedBytes, reserved: this.#table.reservedBytes };
  }

  /** Stores a new key. Refuses one that exists. */
  put(key: Uint8Array, value: Uint8Array): PutResult {
    if (this.#find(key) !== 0) return { outcome: "already-exists" };
    return { outcome: "created", revision: this.#write(0, value, 0n) };
  }

  /** Stores a key, new or not. */
  update(key: Uint8Array, value: Uint8Array): UpdateResult {
    const node = this.#find(key);
    return { outcome: node === 0 ? "created" : "updated", revision: this.#write(node, value, 0n) };
  }

  get(key: Uint8Array): GetResult {
    const node = this.#find(key);
    return node === 0 ? { outcome: "not-found" } : { outcome: "found", record: this.#recordAt(node) };
  }

  remove(key: Uint8Array): RemoveResult {
    checkKey(key);
    const node = this.#table.seek(key);
    if (node === 0) return { outcome: "not-found" };
    this.#table.remove(node);
    return { outcome: "removed", revision: this.#takeRevision() };
  }

  /** etcd's Put: stores a key, new or not, and attaches the lease. */
  set(key: Uint8Array, value: Uint8Array, options: SetOptions = {}): SetResult {
    const node = this.#find(key);
    const previous = options.wantPrevious === true && node !== 0 ? this.#recordAt(node) : null;
    return { revision: this.#write(node, value, options.lease ?? 0n), previous };
  }

  /** etcd's DeleteRange: removes the keys of a range (see `range`) at one revision. */
  deleteRange(key: Uint8Array, rangeEnd: Uint8Array, options: DeleteRangeOptions = {}): DeleteRangeResult {
    const previous: KeyValue[] = [];
    const span = this.#span(key, rangeEnd, "remove");
    const countBefore = this.#table.count;
    for (let node = span.first; node !== span.stop; ) {
      if (options.wantPrevious === true) previous.push(this.#recordAt(node));
      const next = this.#table.next(node);
      this.#table.remove(node);
      node = next;
    }
    const deleted = countBefore - this.#table.count;
    return { revision: deleted === 0 ? this.#revision : this.#takeRevision(), deleted, previous };
  }

  /**
   * etcd's Range at the current revision. With an empty `rangeEnd` the key alone; with a single byte 0 all keys from `key` on;
   * otherwise those from `key` on and below `rangeEnd`.
   */
  range(key: Uint8Array, rangeEnd: Uint8Array, query: RangeQuery = {}): RangeResult {
    const records: KeyValue[] = [];
    const summary = this.visitRange(key, rangeEnd, query, (view) => records.push(view.toKeyValue()));
    return { records, count: summary.count, more: summary.more };
  }

  /**
   * `range` without objects per record, for encoders. The view is the same object each time and turns from record to record;
   * the store must not be written before the call returns.
   */
  visitRange(key: Uint8Array, rangeEnd: Uint8Array, query: RangeQuery, visit: (view: KeyValueView) => void): RangeSummary {
    return visitSpan(this.#table, this.#span(key, rangeEnd, "read"), query, visit);
  }

  /** The current record of a key, null if there is none. */
  find(key: Uint8Array): KeyValue | null {
    const result = this.get(key);
    return result.outcome === "found" ? result.record : null;
  }

  /**
   * Runs `work`, whose writes take one revision together, none if it writes nothing. Reads in it see what was written before them.
   * `work` must not throw once it has written.
   */
  atOneRevision<Result>(work: () => Result): Result {
    throw new Error(`Not there yet: ${work.name}`);
  }

  /**
   * etcd's Compact: what a newer version up to `revision` replaced can't be read any more. Takes no revision and little time:
   * `reclaim` gives the memory back.
   */
  compact(revision: number): CompactResult {
    throw new Error(`Not there yet: ${revision}`);
  }

  /** Frees memory of versions that were compacted, looking at `versionsMax` at most. Returns true while there is more to do. */
  reclaim(versionsMax: number): boolean {
    throw new Error(`Not there yet: ${versionsMax}`);
  }

  /** Begins the hash of what is retained up to `revision`, 0 for now. @throws RevisionError */
  startHash(revision: number): HashRun {
    throw new Error(`Not there yet: ${revision}`);
  }

  /**
   * Shows the changes of up to `revisionsMax` whole revisions from `from` on, in their order. Returns the revision to go on with,
   * one above the store's when there is no more. The view is the same object each time and turns from event to event.
   * @throws RevisionError if `from` is below the compact revision.
   */
  visitEvents(from: number, revisionsMax: number, visit: (event: EventView) => void): number {
    throw new Error(`Not there yet: ${from} ${revisionsMax} ${visit.name}`);
  }

  /** The state as of now, to be read while writes go on. At most one may be open. */
  snapshot(): KVSnapshot {
    return new KVSnapshot(this.#table, this.#revision);
  }

  /** Takes the bytes of a snapshot and, when it finishes, replaces the whole state. An open snapshot stays what it is. */
  createRestorer(): KVRestorer {
    return new KVRestorer(new RecordTable(this.#seed), (table, revision) => {
      this.#table = table;
      this.#revision = revision;
    });
  }

  /** Checks the whole structure, in time proportional to the number of keys. @throws Error if something does not hold. */
  verify(): void {
    this.#table.verify(this.#revision);
  }

  #find(key: Uint8Array): NodeRef {
    checkKey(key);
    return this.#table.find(key);
  }

  #span(key: Uint8Array, rangeEnd: Uint8Array, purpose: "read" | "remove"): NodeSpan {
    checkKey(key);
    if (rangeEnd.length === 0) {
      const node = purpose === "read" ? this.#table.find(key) : this.#table.seek(key);
      return { first: node, stop: node === 0 ? 0 : this.#table.next(node) };
    }
    const isOpen = rangeEnd.length === 1 && rangeEnd[0] === 0;
    return this.#table.span(key, isOpen ? null : rangeEnd);
  }

  /** Writes to `node`, or if it is 0 to the key that was just not found. */
  #write(node: NodeRef, value: Uint8Array, lease: bigint): number {
    checkValue(value);
    const revision = this.#revision + 1;
    if (node === 0) this.#table.insert(value, lease, revision);
    else this.#table.overwrite(node, value, lease, revision);
    return this.#takeRevision();
  }

  #takeRevision(): number {
    assert(this.#revision < Number.MAX_SAFE_INTEGER, "Revisions are safe integers");
    return ++this.#revision;
  }

  #recordAt(node: NodeRef): KeyValue {
    return this.#table.visit("records", (view) => view.show(node).toKeyValue());
  }
}
