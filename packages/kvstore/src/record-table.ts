import { assert } from "./assertion.ts";
import { CellArena } from "./cell-arena.ts";
import { HashIndex } from "./hash-index.ts";
import { KeyHash } from "./key-hash.ts";
import { highHalf, lowHalf } from "./lease-id.ts";
import { NodeArena, type NodeRef } from "./node-arena.ts";
import { NodeView, valueOffset, valuePage } from "./node-view.ts";
import { ResultBytes } from "./result-bytes.ts";
import { SearchKey } from "./search-key.ts";
import { SkipList } from "./skip-list.ts";
import { TableImage } from "./table-image.ts";
import { TowerHeights } from "./tower-heights.ts";

/** The fields of a record besides key and value. */
export interface RecordFields {
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly leaseHigh: number;
  readonly leaseLow: number;
}

/** Nodes from `first` up to, but without, `stop`; 0 is the end of the list. */
export interface NodeSpan {
  readonly first: NodeRef;
  readonly stop: NodeRef;
}

/**
 * The current records: one node per key, its value in a cell of its own. A skip list has the nodes in key order, a hash index
 * finds one of them without a search. Knows no semantics.
 */
export class RecordTable {
  readonly nodes = new NodeArena();
  readonly #values = new CellArena();
  readonly #list = new SkipList(this.nodes);
  readonly #index = new HashIndex(this.nodes);
  readonly #heights: TowerHeights;
  readonly #keyHash: KeyHash;
  /** The key that `find` was last called for, and its hash. */
  readonly #key = new SearchKey();
  #hash = 0;
  /** What the list was last searched for, but for an insert. */
  readonly #bound = new SearchKey();
  readonly #results = new ResultBytes();
  #payloadBytes = 0;
  #image: TableImage | null = null;
  #visits = 0;

  /** `seed`, any safe integer, decides about speed only. */
  constructor(seed: number) {
    this.#heights = new TowerHeights(seed);
    this.#keyHash = new KeyHash(seed);
  }

  get count(): number {
    return this.#list.count;
  }

  /** Bytes of all keys and values. Depends on the records only. */
  get payloadBytes(): number {
    return this.#payloadBytes;
  }

  /** Bytes of the cells that nodes, values and what an open image keeps take, and of the slots of the index that are taken. */
  get usedBytes(): number {
    const { towers, records } = this.nodes;
    return towers.liveBytes + records.liveBytes + this.#values.liveBytes + this.#index.usedBytes;
  }

  /** Bytes of all pages and of the index. */
  get reservedBytes(): number {
    const { towers, records } = this.nodes;
    return towers.reservedBytes + records.reservedBytes + this.#values.reservedBytes + this.#index.reservedBytes;
  }

  /** The node of `key`, or 0. In that case `insert` adds the key. */
  find(key: Uint8Array): NodeRef {
    this.#loadKey(key);
    return this.#index.find(this.#hash, this.#key);
  }

  /** As `find`, for a node to be removed: only the list knows what lies before it, so the index would be a detour. */
  seek(key: Uint8Array): NodeRef {
    this.#bound.load(key);
    const node = this.#list.seek(this.#bound);
    return this.#list.exact ? node : 0;
  }

  next(node: NodeRef): NodeRef {
    return this.#list.next(node);
  }

  /** The nodes of keys from `start` on and below `end`; null is no bound. */
  span(start: Uint8Array, end: Uint8Array | null): NodeSpan {
    let stop = 0;
    if (end !== null) {
      this.#bound.load(end);
      stop = this.#list.seek(this.#bound);
    }
    this.#bound.load(start);
    const first = this.#list.seek(this.#bound);
    const isReversed = first !== 0 && stop !== 0 && this.nodes.compareKeys(stop, first) < 0;
    return first === 0 || isReversed ? { first: 0, stop: 0 } : { first, stop };
  }

  /** True if the span is the whole table. */
  isAll(span: NodeSpan): boolean {
    return span.stop === 0 && span.first === this.#list.first();
  }

  /** Adds the key that `find` was last called for and missed. */
  insert(value: Uint8Array, lease: bigint, revision: number): void {
    this.#assertNoVisit();
    const node = this.nodes.create(this.#key, this.#heights.next());
    this.#list.seek(this.#key);
    this.#list.link(node);
    this.#index.add(this.#hash, node);
    this.nodes.setRevisions(node, revision, revision, 1);
    this.nodes.setLease(node, highHalf(lease), lowHalf(lease));
    this.nodes.setValue(node, this.#storeValue(value), value.length);
    this.#payloadBytes += this.#key.length + value.length;
  }

  overwrite(node: NodeRef, value: Uint8Array, lease: bigint, revision: number): void {
    this.#assertNoVisit();
    const { nodes } = this;
    this.#payloadBytes += value.length - nodes.valueLength(node);
    if (this.#image?.needs(node) === true) this.#image.keepOverwritten(node);
    assert(nodes.modRevision(node) <= revision, "Revisions do not go back");
    nodes.setRevisions(node, nodes.createRevision(node), revision, nodes.version(node) + 1);
    nodes.setLease(node, highHalf(lease), lowHalf(lease));
    nodes.setValue(node, this.#replaceValue(nodes.valueCell(node), value), value.length);
  }

  /** Takes out a node that `seek` or `span` just returned as the first, or the one that followed it. */
  remove(node: NodeRef): void {
    this.#assertNoVisit();
    this.#list.unlink(node);
    this.#index.remove(this.nodes.hashOf(node, this.#keyHash), node);
    this.#payloadBytes -= this.nodes.keyLength(node) + this.nodes.valueLength(node);
    if (this.#image?.needs(node) === true) {
      this.#image.keepRemoved(node);
      return;
    }
    const cell = this.nodes.valueCell(node);
    if (cell !== 0) this.#values.free(cell);
    this.nodes.free(node);
  }

  /** Adds a record behind all others, for a table that is built in key order. The key must be greater than all. */
  append(key: Uint8Array, value: Uint8Array, fields: RecordFields): void {
    this.#loadKey(key);
    const node = this.nodes.create(this.#key, this.#heights.next());
    this.nodes.setRevisions(node, fields.createRevision, fields.modRevision, fields.version);
    this.nodes.setLease(node, fields.leaseHigh, fields.leaseLow);
    this.nodes.setValue(node, this.#storeValue(value), value.length);
    this.#list.append(node);
    this.#index.add(this.#hash, node);
    this.#payloadBytes += key.length + value.length;
  }

  /** The value where it lies, valid until the next write. */
  valueView(node: NodeRef): Uint8Array {
    const length = this.nodes.valueLength(node);
    const cell = this.nodes.valueCell(node);
    return valuePage(this.#values, cell).subarray(valueOffset(cell), valueOffset(cell) + length);
  }

  /** Calls `walk` with a view to turn from node to node. Until it returns the table is not written. */
  visit<Result>(content: "records" | "keys", walk: (view: NodeView) => Result): Result {
    const view = new NodeView(this.nodes, this.#values, this.#results, content);
    this.#visits++;
    try {
      return walk(view);
    } finally {
      this.#visits--;
      view.show(0);
    }
  }

  /** The only image that is open at a time. */
  openImage(revision: number): TableImage {
    assert(this.#image === null, "At most one snapshot is open");
    this.#image = new TableImage(this.nodes, this.#values, this.#list, revision);
    return this.#image;
  }

  closeImage(image: TableImage): void {
    image.close();
    if (this.#image === image) this.#image = null;
  }

  /** Walks everything and checks order, towers, index and accounting. @throws Error if something does not hold. */
  verify(revision: number): void {
    const { nodes } = this;
    this.#list.verify();
    nodes.towers.verify();
    nodes.records.verify();
    this.#values.verify();
    this.#index.verify();
    assert(this.#index.count === this.count, "The index has as many nodes as the list");
    let payloadBytes = 0;
    let valueCells = 0;
    for (let node = this.#list.first(); node !== 0; node = this.#list.next(node)) {
      payloadBytes += nodes.keyLength(node) + nodes.valueLength(node);
      nodes.loadKey(node, this.#bound);
      assert(this.#index.find(nodes.hashOf(node, this.#keyHash), this.#bound) === node, "The index finds each node of the list");
      if (nodes.valueCell(node) !== 0) valueCells++;
      assert((nodes.valueCell(node) === 0) === (nodes.valueLength(node) === 0), "Only an empty value has no cell");
      assert(nodes.modRevision(node) <= revision, "No record is newer than the store");
    }
    assert(payloadBytes === this.#payloadBytes, "The payload of all records is accounted");
    const imageCells = this.#image?.nodeCells ?? 0;
    const nodeCount = this.count + 1 + imageCells;
    assert(nodes.towers.liveCells === nodeCount, "Each tower is that of a record, of a list head, or kept by an image");
    assert(nodes.records.liveCells === nodeCount, "Each tower has its record");
    const keptCount = this.#image?.keptCount ?? 0;
    const keptValues = this.#values.liveCells - valueCells;
    assert(keptValues >= 0 && keptValues <= keptCount, "Each value cell belongs to a record");
  }

  #loadKey(key: Uint8Array): void {
    this.#key.load(key);
    this.#hash = this.#keyHash.of(this.#key.words, 0, key.length);
  }

  #storeValue(value: Uint8Array): number {
    if (value.length === 0) return 0;
    const cell = this.#values.allocate(value.length);
    valuePage(this.#values, cell).set(value, valueOffset(cell));
    return cell;
  }

  #replaceValue(cell: number, value: Uint8Array): number {
    if (cell === 0) return this.#storeValue(value);
    if (value.length > 0 && this.#values.fits(cell, value.length)) {
      valuePage(this.#values, cell).set(value, valueOffset(cell));
      return cell;
    }
    this.#values.free(cell);
    return this.#storeValue(value);
  }

  #assertNoVisit(): void {
    assert(this.#visits === 0, "The store is not written while a range is visited");
  }
}
