import { assert } from "./assertion.ts";
import { CellArena, type CellRef, granuleMask, pageShift } from "./cell-arena.ts";
import type { KeyHash } from "./key-hash.ts";
import { bitsAt, copyWords, inByteOrder, type SearchKey, sharedBitsOf, wordCount } from "./search-key.ts";

/** A node of a skip list, by the cell of its tower; 0 is the end of the list. */
export type NodeRef = CellRef;

/**
 * A node is two cells, so that a search, which reads little but towers, finds most of them in the processor's cache. In words of
 * 32 bits:
 *
 *     tower   │    0   │    1    2      3      4    │    5    6      7      8    │ ...
 *             │ record │ next, shared, ahead, width │ next, shared, ahead, width │
 *             │  cell  │      link of level 0       │      link of level 1       │
 *
 *     record  │  0 1   │ 2 3  │   4 5   │  6 7  │   8   │   9    │  10   │  11    │  12    │  13    │ 14 ...
 *             │ create │ mod  │ version │ lease │ value │ value  │ older │ event  │  key   │ tower  │ key bytes,
 *             │  rev.  │ rev. │         │ hi lo │ cell  │ length │ cell  │ number │ length │ height │ filled up with zeros
 *
 * All fields but the key and the height are those of the key's newest version; `older` is the history cell of the one before.
 * A link has the next node, how many bits its key begins with in common with the key of this node, and the next key's 32 bits
 * behind those: mostly enough to judge the next node without reading its key. Its width is the number of keys that are there, and
 * not deleted, from this node on up to, but without, the next; that of the last link above level 0 means nothing. Revisions and
 * version are doubles that hold safe integers.
 */
export const linkStart = 1;
export const linkWords = 4;
const leaseWord = 6;
const valueWord = 8;
const olderWord = 10;
const eventWord = 11;
const keyLengthWord = 12;
const heightWord = 13;
const keyStart = 14;

/** The fields of nodes. References are trusted: they come from a list, whose structure is asserted. */
export class NodeArena {
  readonly towers = new CellArena();
  readonly records = new CellArena();

  /** A node with this key, not linked to any other; its other fields are undefined. */
  create(key: SearchKey, height: number): NodeRef {
    const record = this.records.allocate((keyStart + wordCount(key.length)) * 4);
    const words = this.#recordPage(record);
    const start = wordOffset(record);
    words[start + keyLengthWord] = key.length;
    words[start + heightWord] = height;
    copyWords(key.words, 0, words, start + keyStart, wordCount(key.length));
    const node = this.towers.allocate((linkStart + linkWords * height) * 4);
    assert(node > 0, "Towers lie in the lower half of the cell references");
    const tower = this.#towerPage(node);
    tower[wordOffset(node)] = record;
    tower.fill(0, wordOffset(node) + linkStart, wordOffset(node) + linkStart + linkWords * height);
    return node;
  }

  free(node: NodeRef): void {
    this.records.free(this.#record(node));
    this.towers.free(node);
  }

  next(node: NodeRef, level: number): NodeRef {
    return this.#towerPage(node)[linkOffset(node, level)] as number;
  }

  /** Bits that the keys of `node` and of its next node on the level begin with in common; 0 without a next node. */
  sharedWithNext(node: NodeRef, level: number): number {
    return this.#towerPage(node)[linkOffset(node, level) + 1] as number;
  }

  /** The 32 bits of the next node's key behind those it shares with that of `node`. */
  aheadOf(node: NodeRef, level: number): number {
    return this.#towerPage(node)[linkOffset(node, level) + 2] as number;
  }

  setLink(node: NodeRef, level: number, next: NodeRef, sharedBits: number): void {
    const page = this.#towerPage(node);
    const at = linkOffset(node, level);
    page[at] = next;
    page[at + 1] = next === 0 ? 0 : sharedBits;
    page[at + 2] = next === 0 ? 0 : this.bitsAt(next, sharedBits);
  }

  width(node: NodeRef, level: number): number {
    return this.#towerPage(node)[linkOffset(node, level) + 3] as number;
  }

  setWidth(node: NodeRef, level: number, width: number): void {
    this.#towerPage(node)[linkOffset(node, level) + 3] = width;
  }

  addWidth(node: NodeRef, level: number, difference: number): void {
    const page = this.#towerPage(node);
    const at = linkOffset(node, level) + 3;
    page[at] = (page[at] as number) + difference;
  }

  height(node: NodeRef): number {
    const record = this.#record(node);
    return this.#recordPage(record)[wordOffset(record) + heightWord] as number;
  }

  keyLength(node: NodeRef): number {
    const record = this.#record(node);
    return this.#recordPage(record)[wordOffset(record) + keyLengthWord] as number;
  }

  /** Where the key begins in `keyPage(node)`. */
  keyOffset(node: NodeRef): number {
    return (wordOffset(this.#record(node)) + keyStart) * 4;
  }

  keyPage(node: NodeRef): Uint8Array {
    return this.records.bytes[this.#record(node) >>> pageShift] as Uint8Array;
  }

  loadKey(node: NodeRef, target: SearchKey): void {
    const record = this.#record(node);
    target.loadWords(this.#recordPage(record), wordOffset(record) + keyStart, this.keyLength(node));
  }

  hasKey(node: NodeRef, key: SearchKey): boolean {
    const record = this.#record(node);
    const page = this.#recordPage(record);
    const start = wordOffset(record);
    if (page[start + keyLengthWord] !== key.length) return false;
    const count = wordCount(key.length);
    for (let i = 0; i < count; i++) {
      if (page[start + keyStart + i] !== key.words[i]) return false;
    }
    return true;
  }

  /** The hash that `keyHash` gives the key of `node`. */
  hashOf(node: NodeRef, keyHash: KeyHash): number {
    const record = this.#record(node);
    return keyHash.of(this.#recordPage(record), wordOffset(record) + keyStart, this.keyLength(node));
  }

  compareKeys(a: NodeRef, b: NodeRef): number {
    const left = this.#record(a);
    const right = this.#record(b);
    const leftStart = wordOffset(left) + keyStart;
    const rightStart = wordOffset(right) + keyStart;
    return compareWords(this.#recordPage(left), leftStart, this.keyLength(a), this.#recordPage(right), rightStart, this.keyLength(b));
  }

  /** 32 bits of the key from position `bit` on, see `bitsAt`. */
  bitsAt(node: NodeRef, bit: number): number {
    const record = this.#record(node);
    return bitsAt(this.#recordPage(record), wordOffset(record) + keyStart, wordCount(this.keyLength(node)), bit);
  }

  /** Bits that the keys of both nodes begin with in common, see `sharedBitsOf`. */
  sharedBits(a: NodeRef, b: NodeRef): number {
    const left = this.#record(a);
    const start = wordOffset(left) + keyStart;
    return this.#sharedBitsFrom(b, this.#recordPage(left), start, wordCount(this.keyLength(a)), 0);
  }

  /** Bits that the key of `node` shares with `key`, if they are known to be equal up to `fromWord`. */
  sharedBitsWith(node: NodeRef, key: SearchKey, fromWord: number): number {
    return this.#sharedBitsFrom(node, key.words, 0, wordCount(key.length), fromWord);
  }

  createRevision(node: NodeRef): number {
    const record = this.#record(node);
    return this.#doubles(record)[record & granuleMask] as number;
  }

  modRevision(node: NodeRef): number {
    const record = this.#record(node);
    return this.#doubles(record)[(record & granuleMask) + 1] as number;
  }

  /** 0 if the key is deleted. */
  version(node: NodeRef): number {
    const record = this.#record(node);
    return this.#doubles(record)[(record & granuleMask) + 2] as number;
  }

  setRevisions(node: NodeRef, createRevision: number, modRevision: number, version: number): void {
    assert(createRevision <= modRevision, "A record is created before it is modified");
    const record = this.#record(node);
    const doubles = this.#doubles(record);
    const start = record & granuleMask;
    doubles[start] = createRevision;
    doubles[start + 1] = modRevision;
    doubles[start + 2] = version;
  }

  /** The high half of the 64-bit lease id, signed. */
  leaseHigh(node: NodeRef): number {
    return this.#field(node, leaseWord);
  }

  /** The low half of the 64-bit lease id, as a signed number. */
  leaseLow(node: NodeRef): number {
    return this.#field(node, leaseWord + 1);
  }

  setLease(node: NodeRef, high: number, low: number): void {
    this.#setFields(node, leaseWord, high, low);
  }

  /** The cell of the value in the arena of values, 0 for an empty value. */
  valueCell(node: NodeRef): CellRef {
    return this.#field(node, valueWord);
  }

  valueLength(node: NodeRef): number {
    return this.#field(node, valueWord + 1);
  }

  setValue(node: NodeRef, cell: CellRef, length: number): void {
    this.#setFields(node, valueWord, cell, length);
  }

  /** The history cell of the version before the newest, 0 for none. */
  older(node: NodeRef): CellRef {
    return this.#field(node, olderWord);
  }

  setOlder(node: NodeRef, cell: CellRef): void {
    this.#setField(node, olderWord, cell);
  }

  /** The number of the event that made the newest version, modulo 2^32. */
  event(node: NodeRef): number {
    return this.#field(node, eventWord);
  }

  setEvent(node: NodeRef, number: number): void {
    this.#setField(node, eventWord, number);
  }

  #record(node: NodeRef): CellRef {
    return this.#towerPage(node)[wordOffset(node)] as number;
  }

  #towerPage(node: NodeRef): Int32Array {
    return this.towers.words[node >>> pageShift] as Int32Array;
  }

  #recordPage(record: CellRef): Int32Array {
    return this.records.words[record >>> pageShift] as Int32Array;
  }

  #doubles(record: CellRef): Float64Array {
    return this.records.doubles[record >>> pageShift] as Float64Array;
  }

  #field(node: NodeRef, word: number): number {
    const record = this.#record(node);
    return this.#recordPage(record)[wordOffset(record) + word] as number;
  }

  #setField(node: NodeRef, word: number, value: number): void {
    const record = this.#record(node);
    this.#recordPage(record)[wordOffset(record) + word] = value;
  }

  /** Sets the field at `word` and the one behind it. */
  #setFields(node: NodeRef, word: number, first: number, second: number): void {
    const record = this.#record(node);
    const page = this.#recordPage(record);
    const at = wordOffset(record) + word;
    page[at] = first;
    page[at + 1] = second;
  }

  #sharedBitsFrom(node: NodeRef, words: Int32Array, start: number, count: number, fromWord: number): number {
    const record = this.#record(node);
    const ownStart = wordOffset(record) + keyStart;
    return sharedBitsOf(this.#recordPage(record), ownStart, wordCount(this.keyLength(node)), words, start, count, fromWord);
  }
}

/** The first word of a cell within its page. */
export function wordOffset(ref: CellRef): number {
  return (ref & granuleMask) << 1;
}

function linkOffset(node: NodeRef, level: number): number {
  return wordOffset(node) + linkStart + linkWords * level;
}

function compareWords(a: Int32Array, aStart: number, aLength: number, b: Int32Array, bStart: number, bLength: number): number {
  const shared = wordCount(Math.min(aLength, bLength));
  for (let i = 0; i < shared; i++) {
    const left = a[aStart + i] as number;
    const right = b[bStart + i] as number;
    if (left !== right) return (inByteOrder(left) >>> 0) - (inByteOrder(right) >>> 0);
  }
  return aLength - bLength;
}
