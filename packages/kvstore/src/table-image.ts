import { assert } from "./assertion.ts";
import type { CellArena } from "./cell-arena.ts";
import type { NodeArena, NodeRef } from "./node-arena.ts";
import { SearchKey } from "./search-key.ts";
import { SkipList } from "./skip-list.ts";

/**
 * A table as it was when the image was opened, read in key order while writes go on.
 *
 *     live list     a  b  c* d  e+ f        * overwritten, + created after the image was opened
 *     before               c     e' g'      what they were: kept once per key, from the front on
 *                      ▲
 *                    front: all up to here was read, nothing is kept for it any more
 *
 * A record belongs to the image if its last write is not after the image's revision. What a write replaces ahead of the front
 * moves to the list `before`, its value with it; nothing is copied but the key.
 */
export class TableImage {
  readonly revision: number;
  readonly count: number;
  readonly #nodes: NodeArena;
  readonly #values: CellArena;
  readonly #live: SkipList;
  readonly #before: SkipList;
  readonly #front = new SearchKey();
  readonly #key = new SearchKey();
  #cursor: NodeRef = 0;
  #shown: NodeRef = 0;
  #closed = false;

  constructor(nodes: NodeArena, values: CellArena, live: SkipList, revision: number) {
    this.revision = revision;
    this.count = live.count;
    this.#nodes = nodes;
    this.#values = values;
    this.#live = live;
    this.#before = new SkipList(nodes);
  }

  /** Records that are kept because they changed. */
  get keptCount(): number {
    return this.#before.count;
  }

  /** Cells of the node arena that the image holds, its list head included. */
  get nodeCells(): number {
    return this.#before.count + 1;
  }

  /** True if the image still needs the record of `node` as it is. */
  needs(node: NodeRef): boolean {
    return this.#nodes.modRevision(node) <= this.revision && this.#nodes.compareKey(node, this.#front) > 0;
  }

  /** Takes over a node that was unlinked from the table. */
  keepRemoved(node: NodeRef): void {
    this.#nodes.loadKey(node, this.#key);
    this.#before.seek(this.#key);
    this.#before.link(node);
  }

  /** Takes over the record of a node that is about to be overwritten, and leaves the node with an empty value. */
  keepOverwritten(node: NodeRef): void {
    const nodes = this.#nodes;
    nodes.loadKey(node, this.#key);
    const kept = nodes.create(this.#key, nodes.height(node));
    nodes.setRevisions(kept, nodes.createRevision(node), nodes.modRevision(node), nodes.version(node));
    nodes.setLease(kept, nodes.leaseHigh(node), nodes.leaseLow(node));
    nodes.setValue(kept, nodes.valueCell(node), nodes.valueLength(node));
    nodes.setValue(node, 0, 0);
    this.#before.seek(this.#key);
    this.#before.link(kept);
  }

  /** Goes to the front. Call before `current` whenever the table may have been written since. */
  resume(): void {
    assert(!this.#closed, "A closed image is not read");
    const found = this.#live.seek(this.#front);
    this.#cursor = this.#live.exact ? this.#live.next(found) : found;
  }

  /** The record behind the front, 0 at the end. */
  current(): NodeRef {
    while (this.#cursor !== 0 && this.#nodes.modRevision(this.#cursor) > this.revision) this.#cursor = this.#live.next(this.#cursor);
    const kept = this.#before.first();
    const isKeptNext = kept !== 0 && (this.#cursor === 0 || this.#nodes.compareKeys(kept, this.#cursor) < 0);
    this.#shown = isKeptNext ? kept : this.#cursor;
    return this.#shown;
  }

  /** Moves the front behind the record that `current` returned. */
  advance(): void {
    assert(this.#shown !== 0, "The front moves from record to record");
    this.#nodes.loadKey(this.#shown, this.#front);
    if (this.#shown === this.#cursor) this.#cursor = this.#live.next(this.#cursor);
    else this.#freeFirstKept();
    this.#shown = 0;
  }

  /** Frees what is kept. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    while (this.#before.count > 0) this.#freeFirstKept();
    this.#before.dispose();
  }

  #freeFirstKept(): void {
    const node = this.#before.shift();
    const cell = this.#nodes.valueCell(node);
    if (cell !== 0) this.#values.free(cell);
    this.#nodes.free(node);
  }
}
