import { assert } from "./assertion.ts";
import type { NodeArena, NodeRef } from "./node-arena.ts";
import type { SearchKey } from "./search-key.ts";
import { SlotTable, slotBytes } from "./slot-table.ts";

const capacityMin = 16;
/** Slots that each write looks after while entries move: a table is left behind before the next one is due. */
const slotsPerWrite = 16;

/**
 * Finds nodes by their keys. The table is doubled when three quarters of it are taken and halved below an eighth, without a pause:
 * while entries move to the new table, each write takes on the next slots, up to the end of a run of entries.
 *
 *     leaving   │ moved: all empty │ runs of entries, an empty slot behind each │        begins and ends at an empty slot
 *               start              start + moved
 *     table     │ what was moved, and what was added since with a home among the moved slots │
 *
 * Entries whose home in the old table was moved are in the new one, all others in the old one, so a search looks at one of them.
 */
export class HashIndex {
  readonly #nodes: NodeArena;
  #table = new SlotTable(capacityMin);
  #leaving: SlotTable | null = null;
  #start = 0;
  #moved = 0;
  #count = 0;

  constructor(nodes: NodeArena) {
    this.#nodes = nodes;
  }

  get count(): number {
    return this.#count;
  }

  /** Bytes of the slots that are taken. */
  get usedBytes(): number {
    return this.#count * slotBytes;
  }

  get reservedBytes(): number {
    return this.#table.byteLength + (this.#leaving?.byteLength ?? 0);
  }

  /** The node with the key, or 0. `hash` is that of the key, any 32-bit number. */
  find(hash: number, key: SearchKey): NodeRef {
    return this.#tableOf(hash).find(hash, key, this.#nodes);
  }

  /** A node whose key has the hash, or 0: mostly the one that `find` would find. */
  peek(hash: number): NodeRef {
    return this.#tableOf(hash).peek(hash);
  }

  /** Adds a node whose key is not there yet. */
  add(hash: number, node: NodeRef): void {
    assert(node !== 0, "Only nodes are added to the index");
    this.#moveOn();
    this.#tableOf(hash).add(hash, node);
    this.#count++;
    this.#resize();
  }

  remove(hash: number, node: NodeRef): void {
    this.#moveOn();
    this.#tableOf(hash).remove(hash, node);
    this.#count--;
    this.#resize();
  }

  /** @throws Error if an entry can't be found where it lies, or the count is off. */
  verify(): void {
    const leaving = this.#leaving?.verify() ?? 0;
    assert(this.#table.verify() + leaving === this.#count, "The entries of the index are counted");
    assert(this.#count < this.#table.capacity, "A table has an empty slot");
  }

  #tableOf(hash: number): SlotTable {
    const leaving = this.#leaving;
    if (leaving === null) return this.#table;
    const home = (hash - this.#start) & (leaving.capacity - 1);
    return home < this.#moved ? this.#table : leaving;
  }

  #resize(): void {
    if (this.#leaving !== null) return;
    const { capacity } = this.#table;
    if (this.#count * 4 > capacity * 3) this.#leave(capacity * 2);
    else if (this.#count * 8 < capacity && capacity > capacityMin) this.#leave(capacity / 2);
  }

  #leave(capacity: number): void {
    const leaving = this.#table;
    this.#table = new SlotTable(capacity);
    this.#leaving = leaving;
    this.#start = leaving.firstEmptySlot();
    this.#moved = 0;
  }

  /** Moves some slots, and on to an empty one, so that no run of entries is torn. */
  #moveOn(): void {
    const leaving = this.#leaving;
    if (leaving === null) return;
    const mask = leaving.capacity - 1;
    const enough = this.#moved + slotsPerWrite;
    let wasTaken = true;
    while (wasTaken || this.#moved < enough) {
      wasTaken = leaving.moveSlot((this.#start + this.#moved) & mask, this.#table);
      this.#moved++;
    }
    if (this.#moved >= leaving.capacity) this.#leaving = null;
  }
}
