import { assert } from "./assertion.ts";
import { CellArena, type CellRef, granuleMask, pageShift } from "./cell-arena.ts";
import { orderOfWords, type SearchKey, wordCount } from "./search-key.ts";

/** A node of a skip list; 0 is the end of the list. */
export type NodeRef = CellRef;

/**
 * A node is one cell, so that a comparison stays within two cache lines. Words of 32 bits:
 *
 *      0  1 | 2  3 | 4  5  |  6  7 |   8   |   9    |   10   |   11   | 12 .. 12+height | key bytes, zero-padded
 *     create|  mod | version| lease | value | value  |  key   | tower  | next node of    |
 *     rev.  |  rev.|        | hi lo | cell  | length | length | height | each level      |
 *
 * Revisions and version are doubles that hold safe integers.
 */
export const keyLengthWord = 10;
export const heightWord = 11;
export const towerWord = 12;

/** The fields of nodes. References are trusted: they come from a list, whose structure is asserted. */
export class NodeArena {
  readonly cells = new CellArena();

  /** A node with this key, not linked to any other; its record fields are undefined. */
  create(key: SearchKey, height: number): NodeRef {
    const keyWords = wordCount(key.length);
    const node = this.cells.allocate((towerWord + height + keyWords) * 4);
    const words = this.#words(node);
    const start = wordOffset(node);
    words[start + keyLengthWord] = key.length;
    words[start + heightWord] = height;
    words.fill(0, start + towerWord, start + towerWord + height);
    const keyStart = start + towerWord + height;
    const source = key.words;
    for (let i = 0; i < keyWords; i++) words[keyStart + i] = source[i] as number;
    return node;
  }

  free(node: NodeRef): void {
    this.cells.free(node);
  }

  next(node: NodeRef, level: number): NodeRef {
    return this.#words(node)[wordOffset(node) + towerWord + level] as number;
  }

  setNext(node: NodeRef, level: number, next: NodeRef): void {
    this.#words(node)[wordOffset(node) + towerWord + level] = next;
  }

  height(node: NodeRef): number {
    return this.#words(node)[wordOffset(node) + heightWord] as number;
  }

  keyLength(node: NodeRef): number {
    return this.#words(node)[wordOffset(node) + keyLengthWord] as number;
  }

  /** Where the key begins in `keyBytes(node)`. */
  keyOffset(node: NodeRef): number {
    return this.#keyWord(node) * 4;
  }

  keyBytes(node: NodeRef): Uint8Array {
    return this.cells.bytes[node >>> pageShift] as Uint8Array;
  }

  loadKey(node: NodeRef, target: SearchKey): void {
    target.loadWords(this.#words(node), this.#keyWord(node), this.keyLength(node));
  }

  /** Negative, zero or positive as the key of `node` is less than, equal to or greater than `key`, compared as unsigned bytes. */
  compareKey(node: NodeRef, key: SearchKey): number {
    return compareWords(this.#words(node), this.#keyWord(node), this.keyLength(node), key.words, 0, key.length);
  }

  compareKeys(a: NodeRef, b: NodeRef): number {
    return compareWords(this.#words(a), this.#keyWord(a), this.keyLength(a), this.#words(b), this.#keyWord(b), this.keyLength(b));
  }

  createRevision(node: NodeRef): number {
    return this.#doubles(node)[node & granuleMask] as number;
  }

  modRevision(node: NodeRef): number {
    return this.#doubles(node)[(node & granuleMask) + 1] as number;
  }

  version(node: NodeRef): number {
    return this.#doubles(node)[(node & granuleMask) + 2] as number;
  }

  setRevisions(node: NodeRef, createRevision: number, modRevision: number, version: number): void {
    assert(createRevision <= modRevision, "A record is created before it is modified");
    const doubles = this.#doubles(node);
    const start = node & granuleMask;
    doubles[start] = createRevision;
    doubles[start + 1] = modRevision;
    doubles[start + 2] = version;
  }

  /** The high half of the 64-bit lease id, signed. */
  leaseHigh(node: NodeRef): number {
    return this.#words(node)[wordOffset(node) + 6] as number;
  }

  /** The low half of the 64-bit lease id, as a signed number. */
  leaseLow(node: NodeRef): number {
    return this.#words(node)[wordOffset(node) + 7] as number;
  }

  setLease(node: NodeRef, high: number, low: number): void {
    const words = this.#words(node);
    words[wordOffset(node) + 6] = high;
    words[wordOffset(node) + 7] = low;
  }

  /** The cell of the value in the arena of values, 0 for an empty value. */
  valueCell(node: NodeRef): CellRef {
    return this.#words(node)[wordOffset(node) + 8] as number;
  }

  valueLength(node: NodeRef): number {
    return this.#words(node)[wordOffset(node) + 9] as number;
  }

  setValue(node: NodeRef, cell: CellRef, length: number): void {
    const words = this.#words(node);
    words[wordOffset(node) + 8] = cell;
    words[wordOffset(node) + 9] = length;
  }

  #words(node: NodeRef): Int32Array {
    return this.cells.words[node >>> pageShift] as Int32Array;
  }

  #doubles(node: NodeRef): Float64Array {
    return this.cells.doubles[node >>> pageShift] as Float64Array;
  }

  #keyWord(node: NodeRef): number {
    return wordOffset(node) + towerWord + this.height(node);
  }
}

/** The first word of a node within its page. */
export function wordOffset(node: NodeRef): number {
  return (node & granuleMask) << 1;
}

function compareWords(a: Int32Array, aStart: number, aLength: number, b: Int32Array, bStart: number, bLength: number): number {
  const shared = wordCount(Math.min(aLength, bLength));
  for (let i = 0; i < shared; i++) {
    const left = a[aStart + i] as number;
    const right = b[bStart + i] as number;
    if (left !== right) return orderOfWords(left, right);
  }
  return aLength - bLength;
}
