import { assert } from "./assertion.ts";
import { EventLog } from "./event-log.ts";
import { HashIndex } from "./hash-index.ts";
import { KeyHash } from "./key-hash.ts";
import { highHalf, lowHalf } from "./lease-id.ts";
import type { NodeRef } from "./node-arena.ts";
import { Reclaimer } from "./reclaimer.ts";
import { ResultBytes } from "./result-bytes.ts";
import { SearchKey } from "./search-key.ts";
import { SkipList } from "./skip-list.ts";
import { TowerHeights } from "./tower-heights.ts";
import { type VersionFields, type VersionRef, VersionStore } from "./version-store.ts";
import { VersionView } from "./version-view.ts";
import { WritePrefetch } from "./write-prefetch.ts";

/** Nodes from `first` up to, but without, `stop`; 0 is the end of the list. */
export interface NodeSpan {
  readonly first: NodeRef;
  readonly stop: NodeRef;
  /** Keys of the span that are there now. */
  readonly liveCount: number;
}

const noValue = new Uint8Array(0);

/** As a revision to read at: what is there now. */
export const now = Number.POSITIVE_INFINITY;

/**
 * All versions since the compact revision: one node per key that has any, the key's newest version in it, older ones behind it. A
 * skip list has the nodes in key order, a hash index finds one of them without a search, and the event log has the versions in the
 * order they came about. Knows no semantics but what a compaction leaves.
 */
export class VersionTable {
  readonly versions = new VersionStore();
  readonly events: EventLog;
  readonly list = new SkipList(this.versions.nodes);
  readonly index = new HashIndex(this.versions.nodes);
  readonly keyHash: KeyHash;
  /** For groups of writes that are about to come. */
  readonly writePrefetch: WritePrefetch;
  readonly #heights: TowerHeights;
  readonly #reclaimer: Reclaimer;
  /** The key that `find` was last called for, and its hash. */
  readonly #key = new SearchKey();
  #hash = 0;
  /** What the list was last searched for, but for an insert. */
  readonly #bound = new SearchKey();
  readonly #results = new ResultBytes();
  #compactRevision: number;
  #payloadBytes = 0;
  #visits = 0;
  #readers = 0;

  /** `seed`, any safe integer, decides about speed only. The compact revision is -1 for a table that was never compacted. */
  constructor(seed: number, compactRevision: number) {
    this.events = new EventLog(Math.max(compactRevision, 1));
    this.#compactRevision = compactRevision;
    this.#heights = new TowerHeights(seed);
    this.keyHash = new KeyHash(seed);
    this.#reclaimer = new Reclaimer(this);
    this.writePrefetch = new WritePrefetch(this);
  }

  /** The revision of the last change, 1 before the first. */
  get revision(): number {
    return this.events.lastRevision;
  }

  get compactRevision(): number {
    return this.#compactRevision;
  }

  /** Keys that are there now. */
  get liveCount(): number {
    return this.list.liveCount;
  }

  /** Bytes of the keys and values of all versions that no compaction freed, or will free, and 64 for each. Depends on the calls only. */
  get payloadBytes(): number {
    return this.#payloadBytes;
  }

  /** Bytes of the cells that are taken, of the entries of the event log, and of the slots of the index that are taken. */
  get usedBytes(): number {
    return this.versions.usedBytes + this.events.usedBytes + this.index.usedBytes;
  }

  /** Bytes of all pages, of the event log and of the index. */
  get reservedBytes(): number {
    return this.versions.reservedBytes + this.events.reservedBytes + this.index.reservedBytes;
  }

  /**
   * Adds the newest version of a key behind all others, for a table that is built in key order; returns 0 if the key is not greater
   * than all. The caller puts the event in its place.
   */
  append(key: Uint8Array, value: Uint8Array, fields: VersionFields): VersionRef {
    this.#loadKey(key);
    if (!this.list.endsBefore(this.#key)) return 0;
    const { nodes, values } = this.versions;
    const node = this.#createNode();
    nodes.setOlder(node, 0);
    nodes.setRevisions(node, fields.createRevision, fields.modRevision, fields.version);
    nodes.setLease(node, fields.leaseHigh, fields.leaseLow);
    nodes.setValue(node, values.store(value), value.length);
    this.list.append(node, fields.version > 0 ? "alive" : "deleted");
    this.index.add(this.#hash, node);
    this.#payloadBytes += this.versions.payloadBytes(node);
    return node;
  }

  /** Adds the version that `newer`, the oldest of its key so far, replaced. */
  appendOlder(newer: VersionRef, value: Uint8Array, fields: VersionFields): VersionRef {
    const version = this.versions.appendOlder(newer, value, fields);
    this.#payloadBytes += this.versions.payloadBytes(version);
    return version;
  }

  /** The node of `key`, deleted or not, or 0. In that case `insert` adds the key. */
  find(key: Uint8Array): NodeRef {
    this.#loadKey(key);
    return this.index.find(this.#hash, this.#key);
  }

  next(node: NodeRef): NodeRef {
    return this.list.next(node);
  }

  /** The nodes of keys from `start` on and below `end`; null is no bound. */
  span(start: Uint8Array, end: Uint8Array | null): NodeSpan {
    const { list } = this;
    let stop = 0;
    let stopRank = list.liveCount;
    if (end !== null) {
      this.#bound.load(end);
      stop = list.seek(this.#bound);
      stopRank = list.rank;
    }
    this.#bound.load(start);
    const first = list.seek(this.#bound);
    const isReversed = first !== 0 && stop !== 0 && this.versions.nodes.compareKeys(stop, first) < 0;
    return first === 0 || isReversed ? { first: 0, stop: 0, liveCount: 0 } : { first, stop, liveCount: stopRank - list.rank };
  }

  /** The span of a single key, which may be 0 for none. */
  spanOf(node: NodeRef): NodeSpan {
    return node === 0
      ? { first: 0, stop: 0, liveCount: 0 }
      : { first: node, stop: this.next(node), liveCount: this.liveAt(node, now) === 0 ? 0 : 1 };
  }

  /** What a key has at a revision that is not compacted, or `now`: 0 if it is not there, or deleted. */
  liveAt(node: NodeRef, revision: number): VersionRef {
    const version = revision === now ? node : this.versions.newestAt(node, revision);
    return version === 0 || this.versions.isTombstone(version) ? 0 : version;
  }

  /** True if neither a compaction freed the version nor will the last one free it. */
  isRetained(version: VersionRef): boolean {
    const { versions } = this;
    if (versions.modRevision(version) > this.#compactRevision) return true;
    const newer = versions.newer(version);
    return !versions.isTombstone(version) && (newer === 0 || versions.modRevision(newer) > this.#compactRevision);
  }

  /** Begins the revision that the next changes belong to. */
  beginRevision(): void {
    this.#assertNoVisit();
    this.events.beginRevision();
  }

  /** Adds the key that `find` was last called for and missed. */
  insert(value: Uint8Array, lease: bigint): NodeRef {
    this.#assertNoVisit();
    const node = this.#createNode();
    this.list.seek(this.#key);
    this.list.link(node);
    this.index.add(this.#hash, node);
    this.versions.nodes.setOlder(node, 0);
    this.#setNewest(node, this.revision, 1, value, lease);
    return node;
  }

  /** Gives a key, deleted or not, its next version. */
  overwrite(node: NodeRef, value: Uint8Array, lease: bigint): void {
    this.#assertNoVisit();
    const { nodes } = this.versions;
    const version = nodes.version(node);
    const createRevision = version === 0 ? this.revision : nodes.createRevision(node);
    if (version === 0) this.#mark(node, "alive");
    this.#retireNewest(node);
    this.#setNewest(node, createRevision, version + 1, value, lease);
  }

  /** Deletes a key: its next version is a tombstone. */
  remove(node: NodeRef): void {
    this.#assertNoVisit();
    const { versions } = this;
    assert(!versions.isTombstone(node), "Only a key that is there is deleted");
    this.#mark(node, "deleted");
    this.#retireNewest(node);
    this.#setNewest(node, 0, 0, noValue, 0n);
    this.events.addFreeable(versions.payloadBytes(node));
  }

  /** Gives up what newer versions up to `revision` replaced. It counts as gone at once, `reclaim` frees it. */
  compact(revision: number): void {
    this.#assertNoVisit();
    assert(revision > this.#compactRevision && revision <= this.revision, "A compaction goes on from the last, up to now");
    const before = this.events.freeableBytes(Math.max(this.#compactRevision, 1));
    this.#payloadBytes -= this.events.freeableBytes(Math.max(revision, 1)) - before;
    this.#compactRevision = revision;
  }

  /** Frees what was given up, for `eventsMax` events. Waits while the table has readers. Returns true while there is more. */
  reclaim(eventsMax: number): boolean {
    this.#assertNoVisit();
    return this.#reclaimer.run(this.#compactRevision, this.#readers === 0 ? eventsMax : 0);
  }

  /** Versions that were freed after compactions. */
  get freedVersions(): number {
    return this.#reclaimer.freedVersions;
  }

  /** Takes out a node that has no version left but a tombstone, and frees it. For the reclaimer. */
  unlink(node: NodeRef): void {
    const { nodes } = this.versions;
    this.#leadTo(node);
    this.list.unlink(node);
    this.index.remove(nodes.hashOf(node, this.keyHash), node);
    this.versions.freeNode(node);
  }

  /** Until as many calls of `removeReader` nothing is freed, so that versions and nodes stay where they are. */
  addReader(): void {
    this.#readers++;
  }

  removeReader(): void {
    assert(this.#readers > 0, "A reader leaves once");
    this.#readers--;
  }

  /** Calls `walk` with a view to turn from version to version. Until it returns the table is not written. */
  visit<Result>(content: "records" | "keys", walk: (view: VersionView) => Result): Result {
    const view = this.createView(content);
    this.#visits++;
    try {
      return walk(view);
    } finally {
      this.#visits--;
      view.show(0);
    }
  }

  /** A view for use in `visit`, beside its own. */
  createView(content: "records" | "keys"): VersionView {
    return new VersionView(this.versions, this.#results, content);
  }

  #loadKey(key: Uint8Array): void {
    this.#key.load(key);
    this.#hash = this.keyHash.of(this.#key.words, 0, key.length);
  }

  #createNode(): NodeRef {
    return this.versions.nodes.create(this.#key, this.#heights.next());
  }

  #mark(node: NodeRef, state: "alive" | "deleted"): void {
    this.#leadTo(node);
    this.list.mark(node, state);
  }

  /** Seeks a node in the list, unless the list has just come to it, as when a span is deleted. */
  #leadTo(node: NodeRef): void {
    if (this.list.leadsTo(node)) return;
    this.versions.nodes.loadKey(node, this.#bound);
    this.list.seek(this.#bound);
  }

  /** Makes room for the next version of a node. */
  #retireNewest(node: NodeRef): void {
    const { versions, events } = this;
    // A tombstone counts as freeable from its own revision on.
    if (!versions.isTombstone(node)) events.addFreeable(versions.payloadBytes(node));
    const retired = versions.retire(node);
    events.replace(versions.event(retired), versions.modRevision(retired), retired);
  }

  #setNewest(node: NodeRef, createRevision: number, version: number, value: Uint8Array, lease: bigint): void {
    const { nodes, values } = this.versions;
    nodes.setRevisions(node, createRevision, this.revision, version);
    nodes.setLease(node, highHalf(lease), lowHalf(lease));
    nodes.setValue(node, values.store(value), value.length);
    nodes.setEvent(node, this.events.append(node));
    this.#payloadBytes += this.versions.payloadBytes(node);
  }

  #assertNoVisit(): void {
    assert(this.#visits === 0, "The store is not written while a range is visited");
  }
}
