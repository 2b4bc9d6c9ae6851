import { assert } from "./assertion.ts";
import { type Crc32c, crc32c } from "./crc32c.ts";
import { type EventView, visitEventsBetween } from "./event-view.ts";
import { HashRun } from "./hash-run.ts";
import type { KeyValue, KeyValueView } from "./key-value.ts";
import { KVRestorer } from "./kv-restorer.ts";
import { KVSnapshot } from "./kv-snapshot.ts";
import { LeaseTable } from "./lease/lease-table.ts";
import { joinHalves } from "./lease-id.ts";
import type { NodeRef } from "./node-arena.ts";
import { type RangeQuery, type RangeResult, type RangeSummary, visitNode, visitSpan } from "./range-query.ts";
import { checkKey, checkValue } from "./record-limits.ts";
import { RevisionError } from "./revision-error.ts";
import { defaultSessionLimits, type SessionLimits, SessionTable } from "./session/session-table.ts";
import type {
  CompactResult,
  DeleteRangeOptions,
  DeleteRangeResult,
  GetResult,
  PutResult,
  RemoveResult,
  SetOptions,
  SetResult,
  UpdateResult,
} from "./store-results.ts";
import { verifyTable } from "./table-verification.ts";
import { transact } from "./txn/transaction.ts";
import type { TxnRequest } from "./txn/txn-request.ts";
import type { TxnResult } from "./txn/txn-result.ts";
import { type NodeSpan, now, VersionTable } from "./version-table.ts";
import type { WritePrefetch } from "./write-prefetch.ts";

/** The compact revision of a store that was never compacted. */
const neverCompacted = -1;
/** The range of all keys. */
const firstKey = new Uint8Array(1);
const openEnd = new Uint8Array(1);

export interface KVStoreOptions {
  /**
   * Any safe integer. Seeds the hashes of keys and the heights of the skip list's towers. Nothing that can be seen depends on it
   * but speed, so each member may have its own; a secret one of at least 32 random bits keeps clients from choosing keys that
   * make the store slow. Default 1.
   */
  readonly seed?: number;
  /** Sums up snapshots, for who has a faster one than can be written in JavaScript. Default: the one of this package. */
  readonly crc32c?: Crc32c;
  /** The same on all members. Default `defaultSessionLimits`. */
  readonly sessionLimits?: SessionLimits;
}

/**
 * The replicated key-value state: ordered keys, each with its values at all revisions since the compact revision. Deterministic: the
 * same calls give the same results and the same snapshots on every member; `reclaim` and `seed` show nowhere but in memory and speed.
 * One revision is taken by each call that changes something, or by all calls in `atOneRevision` together, and by no other. Arguments
 * are copied, results belong to the caller.
 *
 * Keys have 1 to 16 Mi bytes, values up to 64 Mi; the caller checks client input before, otherwise calls throw a RecordLimitError.
 */
export class KVStore {
  readonly #seed: number;
  readonly #crc32c: Crc32c;
  readonly #sessionLimits: SessionLimits;
  #table: VersionTable;
  #leases = this.#createLeases();
  #sessions: SessionTable;
  /** Whether writes share a revision, and one of them took it. */
  #sharing: "no" | "not yet taken" | "taken" = "no";

  constructor(options: KVStoreOptions = {}) {
    this.#seed = options.seed ?? 1;
    if (!Number.isSafeInteger(this.#seed)) throw new RangeError(`Seed ${this.#seed} is not a safe integer`);
    this.#crc32c = options.crc32c ?? crc32c;
    this.#sessionLimits = options.sessionLimits ?? defaultSessionLimits;
    this.#table = new VersionTable(this.#seed, neverCompacted);
    this.#sessions = new SessionTable(this.#sessionLimits);
  }

  /** Revision of the last change; 1 for a store that was never written. */
  get revision(): number {
    return this.#table.revision;
  }

  /** The revision that the store was last compacted to, -1 if it never was. Nothing below it can be read. */
  get compactRevision(): number {
    return this.#table.compactRevision;
  }

  /** Keys that are there now. */
  get keyCount(): number {
    return this.#table.liveCount;
  }

  /** The leases and the keys attached to them. Another object after each restore. */
  get leases(): LeaseTable {
    return this.#leases;
  }

  /** The results of requests that may come again. Another object after each restore. */
  get sessions(): SessionTable {
    return this.#sessions;
  }

  /** For groups of writes that are about to come. Another object after each restore. */
  get writePrefetch(): WritePrefetch {
    return this.#table.writePrefetch;
  }

  /** Keys and values of all versions that are not compacted, and 64 bytes for each. The same on all members with the same state. */
  get payloadBytes(): number {
    return this.#table.payloadBytes;
  }

  /**
   * Memory of this member that is in use: cells of keys, values, fields, towers and history, rounded up, and what is not reclaimed yet;
   * the event log, and the slots in use of the index.
   */
  get usedBytes(): number {
    return this.#table.usedBytes;
  }

  /** Memory of this member for the pages of the arenas, the event log and the index. */
  get reservedBytes(): number {
    return this.#table.reservedBytes;
  }

  /** Stores a new key. Refuses one that exists. */
  put(key: Uint8Array, value: Uint8Array): PutResult {
    const node = this.#nodeOf(key);
    if (this.#isLive(node)) return { outcome: "already-exists" };
    return { outcome: "created", revision: this.#write(node, value, 0n) };
  }

  /** Stores a key, new or not. */
  update(key: Uint8Array, value: Uint8Array): UpdateResult {
    const node = this.#nodeOf(key);
    const outcome = this.#isLive(node) ? "updated" : "created";
    return { outcome, revision: this.#write(node, value, 0n) };
  }

  get(key: Uint8Array): GetResult {
    const record = this.find(key);
    return record === null ? { outcome: "not-found" } : { outcome: "found", record };
  }

  remove(key: Uint8Array): RemoveResult {
    const node = this.#nodeOf(key);
    if (!this.#isLive(node)) return { outcome: "not-found" };
    this.#remove(node);
    return { outcome: "removed", revision: this.revision };
  }

  /** The current record of a key, null if there is none. */
  find(key: Uint8Array): KeyValue | null {
    const node = this.#nodeOf(key);
    return this.#isLive(node) ? this.#recordAt(node) : null;
  }

  /** etcd's Put: stores a key, new or not, and attaches the lease. */
  set(key: Uint8Array, value: Uint8Array, options: SetOptions = {}): SetResult {
    const node = this.#nodeOf(key);
    const previous = options.wantPrevious === true && this.#isLive(node) ? this.#recordAt(node) : null;
    return { revision: this.#write(node, value, options.lease ?? 0n), previous };
  }

  /** etcd's DeleteRange: removes the keys of a range (see `range`) at one revision. */
  deleteRange(key: Uint8Array, rangeEnd: Uint8Array, options: DeleteRangeOptions = {}): DeleteRangeResult {
    const previous: KeyValue[] = [];
    const span = this.#span(key, rangeEnd);
    const countBefore = this.#table.liveCount;
    this.atOneRevision(() => {
      for (let node = span.first; node !== span.stop; node = this.#table.next(node)) {
        if (!this.#isLive(node)) continue;
        if (options.wantPrevious === true) previous.push(this.#recordAt(node));
        this.#remove(node);
      }
    });
    return { revision: this.revision, deleted: countBefore - this.#table.liveCount, previous };
  }

  /**
   * etcd's Range. With an empty `rangeEnd` the key alone; with a single byte 0 all keys from `key` on; otherwise those from `key` on
   * and below `rangeEnd`.
   * @throws RevisionError if the query names a revision that can't be read.
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
    if (query.revision !== undefined && query.revision > 0) this.#checkRevision(query.revision);
    if (rangeEnd.length === 0) return visitNode(this.#table, this.#nodeOf(key), query, visit);
    return visitSpan(this.#table, this.#span(key, rangeEnd), query, visit);
  }

  /** etcd's Txn, see `transact` in txn/transaction.ts. */
  transact(request: TxnRequest): TxnResult {
    return transact(this, request);
  }

  /**
   * Runs `work`, whose writes take one revision together, none if it writes nothing. Reads in it see what was written before them, and
   * `revision` is theirs from the first on. `work` must not throw once it has written. Within other such work it is part of that.
   */
  atOneRevision<Result>(work: () => Result): Result {
    if (this.#sharing !== "no") return work();
    this.#sharing = "not yet taken";
    try {
      return work();
    } finally {
      this.#sharing = "no";
    }
  }

  /**
   * etcd's Compact: what a newer version up to `revision` replaced can't be read any more. Takes no revision and little time:
   * `reclaim` gives the memory back. To 0 it can be done once, as the first, and takes nothing away.
   */
  compact(revision: number): CompactResult {
    if (revision <= this.compactRevision) return { outcome: "refused", reason: "compacted" };
    if (revision > this.revision) return { outcome: "refused", reason: "future" };
    this.#table.compact(revision);
    return { outcome: "compacted" };
  }

  /**
   * Frees memory of versions that were compacted, looking at `versionsMax` of them at most. Returns true while there is more to do. Does
   * nothing while a snapshot or hash is open.
   */
  reclaim(versionsMax: number): boolean {
    return this.#table.reclaim(versionsMax);
  }

  /** Versions, tombstones with them, that `reclaim` has freed since the store was made or restored. */
  get reclaimedVersions(): number {
    return this.#table.freedVersions;
  }

  /** Begins the hash of what is retained up to `revision`, 0 for now. @throws RevisionError */
  startHash(revision: number): HashRun {
    if (revision === 0) return new HashRun(this.#table, this.revision);
    this.#checkRevision(revision);
    return new HashRun(this.#table, revision);
  }

  /**
   * Shows the changes of up to `revisionsMax` whole revisions from `from` on, in their order. Returns the revision to go on with,
   * one above the store's when there is no more. The view is the same object each time and turns from event to event.
   * @throws RevisionError if `from` is below the compact revision.
   */
  visitEvents(from: number, revisionsMax: number, visit: (event: EventView) => void): number {
    if (from > this.revision) return from;
    this.#checkRevision(from);
    // A store that was never written has revision 1 without an event.
    const first = Math.max(from, 1);
    const end = Math.min(first + revisionsMax, this.revision + 1);
    visitEventsBetween(this.#table, first, end, visit);
    return end;
  }

  /** The state as of now, to be read while writes go on. Close it in any case: until then no compacted memory is given back. */
  snapshot(): KVSnapshot {
    return new KVSnapshot(this.#table, { crc32c: this.#crc32c, sections: [this.#leases, this.#sessions] });
  }

  /** Takes the bytes of a snapshot and, when it finishes, replaces the whole state. Open snapshots stay what they are. */
  createRestorer(): KVRestorer {
    const leases = this.#createLeases();
    const sessions = new SessionTable(this.#sessionLimits);
    const install = (table: VersionTable): void => {
      this.#table = table;
      this.#leases = leases;
      this.#sessions = sessions;
    };
    return new KVRestorer({ seed: this.#seed, crc32c: this.#crc32c, leases, sections: [leases, sessions], install });
  }

  /** Checks the whole structure, in time proportional to the number of versions. @throws Error if something does not hold. */
  verify(): void {
    verifyTable(this.#table);
    this.#verifyLeases();
  }

  #nodeOf(key: Uint8Array): NodeRef {
    checkKey(key);
    return this.#table.find(key);
  }

  /** True if it is a node, and that of a key that is there now. */
  #isLive(node: NodeRef): boolean {
    return node !== 0 && this.#table.liveAt(node, now) !== 0;
  }

  #span(key: Uint8Array, rangeEnd: Uint8Array): NodeSpan {
    if (rangeEnd.length === 0) return this.#table.spanOf(this.#nodeOf(key));
    checkKey(key);
    const isOpen = rangeEnd.length === 1 && rangeEnd[0] === 0;
    return this.#table.span(key, isOpen ? null : rangeEnd);
  }

  /** Writes to `node`, or if it is 0 to the key that was just not found. */
  #write(node: NodeRef, value: Uint8Array, lease: bigint): number {
    checkValue(value);
    this.#takeRevision();
    if (node === 0) {
      const added = this.#table.insert(value, lease);
      if (lease !== 0n) this.#leases.attach(lease, added);
      return this.revision;
    }
    this.#moveToLease(node, lease);
    this.#table.overwrite(node, value, lease);
    return this.revision;
  }

  #remove(node: NodeRef): void {
    this.#takeRevision();
    this.#moveToLease(node, 0n);
    this.#table.remove(node);
  }

  /** Attaches the node to another lease than that of its newest version, or to none. */
  #moveToLease(node: NodeRef, lease: bigint): void {
    const { nodes } = this.#table.versions;
    const attached = joinHalves(nodes.leaseHigh(node), nodes.leaseLow(node));
    if (attached === lease) return;
    if (attached !== 0n) this.#leases.detach(attached, node);
    if (lease !== 0n) this.#leases.attach(lease, node);
  }

  #createLeases(): LeaseTable {
    return new LeaseTable({
      keyOf: (node) => this.#recordAt(node).key,
      deleteKeys: (keys) =>
        this.atOneRevision(() => {
          for (const key of keys) this.#remove(this.#nodeOf(key));
          return this.revision;
        }),
    });
  }

  #takeRevision(): void {
    if (this.#sharing === "taken") return;
    this.#table.beginRevision();
    if (this.#sharing === "not yet taken") this.#sharing = "taken";
  }

  #checkRevision(revision: number): void {
    if (revision > this.revision) throw new RevisionError("future", `Revision ${revision} is above the current ${this.revision}`);
    if (revision < this.compactRevision) {
      throw new RevisionError("compacted", `Revision ${revision} is below the compact revision ${this.compactRevision}`);
    }
  }

  #verifyLeases(): void {
    let attachedCount = 0;
    for (const { id } of this.#leases.list()) {
      const keys = this.#leases.keysOf(id);
      attachedCount += keys.length;
      for (const key of keys) assert(this.find(key)?.lease === id, "An attached key names its lease");
    }
    let leasedCount = 0;
    this.visitRange(firstKey, openEnd, { keysOnly: true }, ({ leaseHigh, leaseLow }) => {
      if (leaseHigh !== 0 || leaseLow !== 0) leasedCount++;
    });
    assert(leasedCount === attachedCount, "A key that names a lease is attached to it");
  }

  #recordAt(node: NodeRef): KeyValue {
    return this.#table.visit("records", (view) => view.show(node).toKeyValue());
  }
}
