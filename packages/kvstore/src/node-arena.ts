import { assert } from "./assertion.ts";
import { CellArena, type CellRef, granuleMask, pageShift } from "./cell-arena.ts";
import type { KeyHash } from "./key-hash.ts";
import type { LoadedVersion } from "./loaded-version.ts";
import { bitsAt, copyWords, inByteOrder, type SearchKey, sharedBitsOf, wordCount } from "./search-key.ts";

/** A node of a skip list, by the cell of its record; 0 is none, and the end of the list. */
export type NodeRef = CellRef;
/** The links of a node, by their cell; 0 is the end of the list. */
export type TowerRef = CellRef;

/**
 * A node is two cells, so that a search, which reads little but towers, finds most of them in the processor's cache, and whoever has
 * found a node by its hash reads nothing but its record. In words of 32 bits:
 *
 *     tower   │   0  │    1    2      3      4    │    5    6      7      8    │ ...
 *             │ node │ next, shared, ahead, width │ next, shared, ahead, width │
 *             │      │      link of level 0       │      link of level 1       │
 *
 *     record  │  0 1   │ 2 3  │   4 5   │  6 7  │   8   │   9    │  10   │  11    │  12    │  13   │ 14 ...
 *             │ create │ mod  │ version │ lease │ value │ value  │ older │ event  │  key   │ tower │ key bytes,
 *             │  rev.  │ rev. │         │ hi lo │ cell  │ length │ cell  │ number │ length,│       │ filled up with zeros
 *             │        │      │         │       │       │        │       │        │ height │       │
 *
 * All fields but the key, the tower and its height are those of the key's newest version; `older` is the history cell of the one
 * before. The length of the key and the height of the tower, of 5 bits, share a word. A link has the tower of the next node, how many
 * bits its key begins with in common with the key of this node, and the next key's 32 bits behind those: mostly enough to judge the
 * next node without reading its key. Its width is the number of keys that are there, and not deleted, from this node on up to, but
 * without, the next; that of the last link above level 0 means nothing. Revisions and version are doubles that hold safe integers.
 */
export const linkStart = 1;
export const linkWords = 4;
const leaseWord = 6;
const valueWord = 8;
const olderWord = 10;
const eventWord = 11;
const shapeWord = 12;
const towerWord = 13;
const keyStart = 14;
/** Behind the height in their word begins the length of the key. */
const heightBits = 5;
const heightMask = (1 << heightBits) - 1;

/** The fields of nodes. References are trusted: they come from a list, whose structure is asserted. */
export class NodeArena {
  readonly towers = new CellArena();
  readonly records = new CellArena();

  /** A node with this key, not linked to any other; its other fields are undefined. */
  create(key: SearchKey, height: number): NodeRef {
    const node = this.records.allocate((keyStart + wordCount(key.length)) * 4);
    assert(node > 0, "Nodes lie in the lower half of the cell references");
    const tower = this.towers.allocate((linkStart + linkWords * height) * 4);
    const record = this.#recordPage(node);
    const start = wordOffset(node);
    record[start + shapeWord] = (key.length << heightBits) | height;
    record[start + towerWord] = tower;
    copyWords(key.words, 0, record, start + keyStart, wordCount(key.length));
    const links = this.#towerPage(tower);
    links[wordOffset(tower)] = node;
    links.fill(0, wordOffset(tower) + linkStart, wordOffset(tower) + linkStart + linkWords * height);
    return node;
  }

  free(node: NodeRef): void {
    this.towers.free(this.tower(node));
    this.records.free(node);
  }

  tower(node: NodeRef): TowerRef {
    return this.#field(node, towerWord);
  }

  /** The node of a tower, and 0 for 0. */
  nodeOf(tower: TowerRef): NodeRef {
    return tower === 0 ? 0 : (this.#towerPage(tower)[wordOffset(tower)] as number);
  }

  next(tower: TowerRef, level: number): TowerRef {
    return this.#towerPage(tower)[linkOffset(tower, level)] as number;
  }

  /** Bits that the keys of the node and of its next one on the level begin with in common; 0 without a next node. */
  sharedWithNext(tower: TowerRef, level: number): number {
    return this.#towerPage(tower)[linkOffset(tower, level) + 1] as number;
  }

  /** The 32 bits of the next node's key behind those it shares with that of this node. */
  aheadOf(tower: TowerRef, level: number): number {
    return this.#towerPage(tower)[linkOffset(tower, level) + 2] as number;
  }

  setLink(tower: TowerRef, level: number, next: TowerRef, sharedBits: number): void {
    const page = this.#towerPage(tower);
    const at = linkOffset(tower, level);
    page[at] = next;
    page[at + 1] = next === 0 ? 0 : sharedBits;
    page[at + 2] = next === 0 ? 0 : this.bitsAt(this.nodeOf(next), sharedBits);
  }

  width(tower: TowerRef, level: number): number {
    return this.#towerPage(tower)[linkOffset(tower, level) + 3] as number;
  }

  setWidth(tower: TowerRef, level: number, width: number): void {
    this.#towerPage(tower)[linkOffset(tower, level) + 3] = width;
  }

  addWidth(tower: TowerRef, level: number, difference: number): void {
    const page = this.#towerPage(tower);
    const at = linkOffset(tower, level) + 3;
    page[at] = (page[at] as number) + difference;
  }

  height(node: NodeRef): number {
    return this.#field(node, shapeWord) & heightMask;
  }

  keyLength(node: NodeRef): number {
    return this.#field(node, shapeWord) >>> heightBits;
  }

  /** Where the key begins in `keyPage(node)`. */
  keyOffset(node: NodeRef): number {
    return (wordOffset(node) + keyStart) * 4;
  }

  keyPage(node: NodeRef): Uint8Array {
    return this.records.bytes[node >>> pageShift] as Uint8Array;
  }

  loadKey(node: NodeRef, target: SearchKey): void {
    target.loadWords(this.#recordPage(node), wordOffset(node) + keyStart, this.keyLength(node));
  }

  /** Whether the key is the one of `length` bytes in these words. */
  hasKey(node: NodeRef, words: Int32Array, length: number): boolean {
    const page = this.#recordPage(node);
    const start = wordOffset(node);
    if ((page[start + shapeWord] as number) >>> heightBits !== length) return false;
    const count = wordCount(length);
    for (let i = 0; i < count; i++) {
      if (page[start + keyStart + i] !== words[i]) return false;
    }
    return true;
  }

  /** The hash that `keyHash` gives the key of `node`. */
  hashOf(node: NodeRef, keyHash: KeyHash): number {
    return keyHash.of(this.#recordPage(node), wordOffset(node) + keyStart, this.keyLength(node));
  }

  compareKey(node: NodeRef, key: SearchKey): number {
    return compareWords(this.#recordPage(node), wordOffset(node) + keyStart, this.keyLength(node), key.words, 0, key.length);
  }

  compareKeys(a: NodeRef, b: NodeRef): number {
    const leftStart = wordOffset(a) + keyStart;
    const rightStart = wordOffset(b) + keyStart;
    return compareWords(this.#recordPage(a), leftStart, this.keyLength(a), this.#recordPage(b), rightStart, this.keyLength(b));
  }

  /** 32 bits of the key from position `bit` on, see `bitsAt`. */
  bitsAt(node: NodeRef, bit: number): number {
    return bitsAt(this.#recordPage(node), wordOffset(node) + keyStart, wordCount(this.keyLength(node)), bit);
  }

  /** Bits that the keys of both nodes begin with in common, see `sharedBitsOf`. */
  sharedBits(a: NodeRef, b: NodeRef): number {
    const start = wordOffset(a) + keyStart;
    return this.#sharedBitsFrom(b, this.#recordPage(a), start, wordCount(this.keyLength(a)), 0);
  }

  /** Bits that the key of `node` shares with `key`, if they are known to be equal up to `fromWord`. */
  sharedBitsWith(node: NodeRef, key: SearchKey, fromWord: number): number {
    return this.#sharedBitsFrom(node, key.words, 0, wordCount(key.length), fromWord);
  }

  /** The newest version of the key. */
  loadVersion(node: NodeRef, into: LoadedVersion): void {
    const words = this.#recordPage(node);
    const doubles = this.#doubles(node);
    const start = node & granuleMask;
    const word = wordOffset(node);
    into.createRevision = doubles[start] as number;
    into.modRevision = doubles[start + 1] as number;
    into.version = doubles[start + 2] as number;
    into.leaseHigh = words[word + leaseWord] as number;
    into.leaseLow = words[word + leaseWord + 1] as number;
    into.valueCell = words[word + valueWord] as number;
    into.valueLength = words[word + valueWord + 1] as number;
    into.event = words[word + eventWord] as number;
  }

  createRevision(node: NodeRef): number {
    return this.#doubles(node)[node & granuleMask] as number;
  }

  modRevision(node: NodeRef): number {
    return this.#doubles(node)[(node & granuleMask) + 1] as number;
  }

  /** 0 if the key is deleted. */
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

  #towerPage(tower: TowerRef): Int32Array {
    return this.towers.words[tower >>> pageShift] as Int32Array;
  }

  #recordPage(node: NodeRef): Int32Array {
    return this.records.words[node >>> pageShift] as Int32Array;
  }

  #doubles(node: NodeRef): Float64Array {
    return this.records.doubles[node >>> pageShift] as Float64Array;
  }

  #field(node: NodeRef, word: number): number {
    return this.#recordPage(node)[wordOffset(node) + word] as number;
  }

  #setField(node: NodeRef, word: number, value: number): void {
    this.#recordPage(node)[wordOffset(node) + word] = value;
  }

  /** Sets the field at `word` and the one behind it. */
  #setFields(node: NodeRef, word: number, first: number, second: number): void {
    const page = this.#recordPage(node);
    const at = wordOffset(node) + word;
    page[at] = first;
    page[at + 1] = second;
  }

  #sharedBitsFrom(node: NodeRef, words: Int32Array, start: number, count: number, fromWord: number): number {
    const ownStart = wordOffset(node) + keyStart;
    return sharedBitsOf(this.#recordPage(node), ownStart, wordCount(this.keyLength(node)), words, start, count, fromWord);
  }
}

/** The first word of a cell within its page. */
export function wordOffset(ref: CellRef): number {
  return (ref & granuleMask) << 1;
}

function linkOffset(tower: TowerRef, level: number): number {
  return wordOffset(tower) + linkStart + linkWords * level;
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
