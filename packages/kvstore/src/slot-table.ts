import { assert } from "./assertion.ts";
import type { NodeArena, NodeRef } from "./node-arena.ts";
import type { SearchKey } from "./search-key.ts";

const slotWords = 2;
export const slotBytes = slotWords * 4;
/** Up to here positions of words are small integers of the engine. */
const slotsMax = 2 ** 29;

/**
 * References to nodes by the hashes of their keys: open addressing with linear probing in one buffer (Knuth, "The Art of Computer
 * Programming" volume 3, section 6.4, algorithms L and R). An entry lies in its home, slot `hash mod capacity`, or behind it with
 * no empty slot between, the last slot being followed by the first.
 *
 *     slot   │ 0      │ 1      │ 2      │ 3      │ ...     two words each, so that a probe reads one line of the cache
 *            │ a    5 │ empty  │ b    2 │ c    2 │         a lies here because the slots from its home 5 to 7 are taken
 *
 * Whoever fills it leaves slots empty: a search for a key that is missing ends at one.
 */
export class SlotTable {
  /** Slots, a power of two. */
  readonly capacity: number;
  /** A node reference, 0 in an empty slot, then the hash. */
  readonly #words: Int32Array;
  /** Begins a position of words anew behind the last slot. */
  readonly #wordMask: number;

  constructor(capacity: number) {
    assert(capacity <= slotsMax, "An index has at most 2^29 slots");
    this.capacity = capacity;
    this.#words = emptyWords(capacity * slotWords);
    this.#wordMask = capacity * slotWords - 1;
  }

  get byteLength(): number {
    return this.#words.byteLength;
  }

  /** The node with the key, which has the hash, or 0. */
  find(hash: number, key: SearchKey, nodes: NodeArena): NodeRef {
    const words = this.#words;
    for (let at = this.#home(hash); ; at = this.#after(at)) {
      const node = words[at] as number;
      if (node === 0) return 0;
      if (words[at + 1] === hash && nodes.hasKey(node, key.words, key.length)) return node;
    }
  }

  /** The first node with the hash, or 0. */
  peek(hash: number): NodeRef {
    const words = this.#words;
    let at = this.#home(hash);
    while (words[at] !== 0 && words[at + 1] !== hash) at = this.#after(at);
    return words[at] as number;
  }

  add(hash: number, node: NodeRef): void {
    let at = this.#home(hash);
    while (this.#words[at] !== 0) at = this.#after(at);
    this.#words[at] = node;
    this.#words[at + 1] = hash;
  }

  /** Takes out an entry, and moves up those behind it that its slot kept from their homes. */
  remove(hash: number, node: NodeRef): void {
    const words = this.#words;
    let hole = this.#home(hash);
    while (words[hole] !== node) {
      assert(words[hole] !== 0, "A node that is removed is in the index");
      hole = this.#after(hole);
    }
    for (let at = this.#after(hole); words[at] !== 0; at = this.#after(at)) {
      const fromHome = (at - this.#home(words[at + 1] as number)) & this.#wordMask;
      const fromHole = (at - hole) & this.#wordMask;
      if (fromHome < fromHole) continue;
      words[hole] = words[at] as number;
      words[hole + 1] = words[at + 1] as number;
      hole = at;
    }
    words[hole] = 0;
  }

  /** Moves what is in the slot to another table. Returns false if the slot was empty. */
  moveSlot(slot: number, target: SlotTable): boolean {
    const at = slot * slotWords;
    const node = this.#words[at] as number;
    if (node === 0) return false;
    target.add(this.#words[at + 1] as number, node);
    this.#words[at] = 0;
    return true;
  }

  firstEmptySlot(): number {
    let at = 0;
    while (this.#words[at] !== 0) at += slotWords;
    return at / slotWords;
  }

  /** Returns the number of entries. @throws Error if one lies where a search does not find it. */
  verify(): number {
    let count = 0;
    for (let at = 0; at < this.#words.length; at += slotWords) {
      if (this.#words[at] === 0) continue;
      count++;
      for (let before = this.#home(this.#words[at + 1] as number); before !== at; before = this.#after(before)) {
        assert(this.#words[before] !== 0, "No slot is empty between an entry and its home");
      }
    }
    return count;
  }

  #home(hash: number): number {
    return (hash * slotWords) & this.#wordMask;
  }

  #after(at: number): number {
    return (at + slotWords) & this.#wordMask;
  }
}

/** As for a page of cells: a member without memory must stop, not refuse a command. */
function emptyWords(count: number): Int32Array {
  try {
    return new Int32Array(count);
  } catch (cause) {
    throw new Error(`There is no memory for an index of ${count * 4} bytes`, { cause });
  }
}
