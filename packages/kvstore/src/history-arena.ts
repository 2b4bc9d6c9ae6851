import { assert } from "./assertion.ts";
import { CellArena, type CellRef, granuleMask, pageShift } from "./cell-arena.ts";
import type { LoadedVersion } from "./loaded-version.ts";
import type { NodeRef } from "./node-arena.ts";

/**
 * Versions that newer ones replaced, each in a cell. In words of 32 bits:
 *
 *     │  0 1   │ 2 3 │   4 5   │  6   │   7   │   8   │   9   │   10  │   11   │ 12 13 │
 *     │ create │ mod │ version │ node │ older │ newer │ event │ value │ value  │ lease │
 *     │  rev.  │ rev.│         │      │ cell  │ cell  │ number│ cell  │ length │ hi lo │
 *
 * A version without a lease has a cell without the last two words, and one with a lease the complement of the value's length. 0 as
 * `newer` means that the newer version is the one in the node.
 */
const nodeWord = 6;
const olderWord = 7;
const newerWord = 8;
const eventWord = 9;
const valueWord = 10;
const lengthWord = 11;
const leaseWord = 12;
const plainBytes = 48;
const leasedBytes = 56;

/** The fields of history cells. References are trusted, as those of nodes are. */
export class HistoryArena {
  readonly cells = new CellArena();

  /** A cell for a version of the node with a value and a lease; its other fields are undefined. */
  create(node: NodeRef, value: CellRef, valueLength: number, leaseHigh: number, leaseLow: number): CellRef {
    const isLeased = leaseHigh !== 0 || leaseLow !== 0;
    const cell = this.cells.allocate(isLeased ? leasedBytes : plainBytes);
    assert(cell > 0, "History lies in the lower half of the cell references");
    const words = this.#words(cell);
    const start = wordOffset(cell);
    words[start + nodeWord] = node;
    words[start + newerWord] = 0;
    words[start + valueWord] = value;
    words[start + lengthWord] = isLeased ? ~valueLength : valueLength;
    if (!isLeased) return cell;
    words[start + leaseWord] = leaseHigh;
    words[start + leaseWord + 1] = leaseLow;
    return cell;
  }

  free(cell: CellRef): void {
    this.cells.free(cell);
  }

  /** All fields of the version, and its event. */
  loadVersion(cell: CellRef, into: LoadedVersion): void {
    const words = this.#words(cell);
    const doubles = this.#doubles(cell);
    const start = cell & granuleMask;
    const word = wordOffset(cell);
    const length = words[word + lengthWord] as number;
    const isLeased = length < 0;
    into.createRevision = doubles[start] as number;
    into.modRevision = doubles[start + 1] as number;
    into.version = doubles[start + 2] as number;
    into.leaseHigh = isLeased ? (words[word + leaseWord] as number) : 0;
    into.leaseLow = isLeased ? (words[word + leaseWord + 1] as number) : 0;
    into.valueCell = words[word + valueWord] as number;
    into.valueLength = isLeased ? ~length : length;
    into.event = words[word + eventWord] as number;
  }

  createRevision(cell: CellRef): number {
    return this.#doubles(cell)[cell & granuleMask] as number;
  }

  modRevision(cell: CellRef): number {
    return this.#doubles(cell)[(cell & granuleMask) + 1] as number;
  }

  /** 0 if the key was deleted. */
  version(cell: CellRef): number {
    return this.#doubles(cell)[(cell & granuleMask) + 2] as number;
  }

  setRevisions(cell: CellRef, createRevision: number, modRevision: number, version: number): void {
    const doubles = this.#doubles(cell);
    const start = cell & granuleMask;
    doubles[start] = createRevision;
    doubles[start + 1] = modRevision;
    doubles[start + 2] = version;
  }

  node(cell: CellRef): NodeRef {
    return this.#word(cell, nodeWord);
  }

  older(cell: CellRef): CellRef {
    return this.#word(cell, olderWord);
  }

  setOlder(cell: CellRef, older: CellRef): void {
    this.#words(cell)[wordOffset(cell) + olderWord] = older;
  }

  newer(cell: CellRef): CellRef {
    return this.#word(cell, newerWord);
  }

  setNewer(cell: CellRef, newer: CellRef): void {
    this.#words(cell)[wordOffset(cell) + newerWord] = newer;
  }

  /** The low 32 bits of the number of the event that made the version. */
  event(cell: CellRef): number {
    return this.#word(cell, eventWord);
  }

  setEvent(cell: CellRef, number: number): void {
    this.#words(cell)[wordOffset(cell) + eventWord] = number;
  }

  valueCell(cell: CellRef): CellRef {
    return this.#word(cell, valueWord);
  }

  valueLength(cell: CellRef): number {
    const length = this.#word(cell, lengthWord);
    return length < 0 ? ~length : length;
  }

  leaseHigh(cell: CellRef): number {
    return this.#isLeased(cell) ? this.#word(cell, leaseWord) : 0;
  }

  leaseLow(cell: CellRef): number {
    return this.#isLeased(cell) ? this.#word(cell, leaseWord + 1) : 0;
  }

  #isLeased(cell: CellRef): boolean {
    return this.#word(cell, lengthWord) < 0;
  }

  #word(cell: CellRef, word: number): number {
    return this.#words(cell)[wordOffset(cell) + word] as number;
  }

  #words(cell: CellRef): Int32Array {
    return this.cells.words[cell >>> pageShift] as Int32Array;
  }

  #doubles(cell: CellRef): Float64Array {
    return this.cells.doubles[cell >>> pageShift] as Float64Array;
  }
}

function wordOffset(cell: CellRef): number {
  return (cell & granuleMask) << 1;
}
