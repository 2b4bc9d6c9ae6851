import { assert } from "./assertion.ts";
import { cellBytesOf, classedBytesMax, sizeClassCount, sizeClassOf } from "./size-class.ts";

/**
 * Where a cell is: page number in the high 15 bits, first 8-byte granule within the page in the low 17. Stored as a signed 32-bit
 * integer; 0 is no cell.
 */
export type CellRef = number;

/** `ref >>> pageShift` is the page, `ref & granuleMask` the granule in it. */
export const pageShift = 17;
export const granuleMask = (1 << pageShift) - 1;

const granuleBytes = 8;
const pageBytes = granuleBytes << pageShift;
const pagesMax = 2 ** (32 - pageShift);
/** Empty pages that are kept for the next class that needs one. */
const sparePagesMax = 4;
const largeRoundingBytes = 4096;
/** Stands in the second word of a free cell, so that a write through a stale reference is noticed. */
const freeMark = 0x65657266;

/** The typed-array views of one page, and which of its cells are taken. */
class Page {
  readonly number: number;
  readonly words: Int32Array;
  /** -1 for the only cell of a large page. */
  sizeClass: number;
  cellBytes: number;
  liveCells = 0;
  /** Cells handed out at least once; behind them the page was never touched. */
  carvedCells = 0;
  cellsMax: number;
  /** First granule of the newest free cell, -1 for none. Free cells are chained through their first word. */
  freeHead = -1;
  /** Neighbours among the pages of the class that have room. */
  previous: Page | null = null;
  next: Page | null = null;

  constructor(number: number, words: Int32Array) {
    this.number = number;
    this.words = words;
    this.sizeClass = -1;
    this.cellBytes = words.byteLength;
    this.cellsMax = 1;
  }
}

/**
 * Cells of bytes in a few large buffers, so that millions of them cost the garbage collector nothing.
 *
 *     class 3 (32 B)   ──► page 7 ◄─► page 2          pages with room; a full page is in no list
 *     class 32 (288 B) ──► page 4
 *     large            page 9: one cell, as long as it needs
 *
 *     page 7:  [live][free ─┐][live][free ◄┘][ never touched ... ]     1 MiB
 *
 * A page belongs to one size class until its last cell is freed; then any class may have it. Cells are not cleared. Cells above
 * 256 KiB have a buffer of their own, which goes back to the system when they are freed.
 */
export class CellArena {
  /** The views of each page by page number; page 0 is empty, so that no cell has the reference 0. */
  readonly words: Int32Array[] = [new Int32Array(0)];
  readonly doubles: Float64Array[] = [new Float64Array(0)];
  readonly bytes: Uint8Array[] = [new Uint8Array(0)];

  readonly #pages: (Page | null)[] = [null];
  readonly #roomy: (Page | null)[] = Array.from({ length: sizeClassCount }, () => null);
  readonly #spare: Page[] = [];
  readonly #freeNumbers: number[] = [];
  #reservedBytes = 0;
  #liveBytes = 0;
  #liveCells = 0;

  /** Bytes of all buffers, in use or not. */
  get reservedBytes(): number {
    return this.#reservedBytes;
  }

  /** Bytes of the cells in use, rounding included. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  get liveCells(): number {
    return this.#liveCells;
  }

  /** A cell of at least `sizeBytes` (1 or more) with undefined content, aligned to 8 bytes. */
  allocate(sizeBytes: number): CellRef {
    assert(sizeBytes >= 1, "A cell has at least one byte");
    this.#liveCells++;
    if (sizeBytes > classedBytesMax) return this.#allocateLarge(sizeBytes);
    const sizeClass = sizeClassOf(sizeBytes);
    const page = this.#roomy[sizeClass] ?? this.#addPage(sizeClass);
    const granule = this.#takeCell(page);
    if (page.liveCells === page.cellsMax) this.#unlist(page);
    this.#liveBytes += page.cellBytes;
    return (page.number << pageShift) | granule;
  }

  /** Gives a cell back. Its views must not be used any more. */
  free(ref: CellRef): void {
    const page = this.#pageOf(ref);
    this.#liveCells--;
    this.#liveBytes -= page.cellBytes;
    page.liveCells--;
    if (page.sizeClass < 0) return this.#dropPage(page);
    const granule = ref & granuleMask;
    assert((granule * granuleBytes) % page.cellBytes === 0, "A cell is freed by the reference it was allocated as");
    page.words[granule * 2] = page.freeHead;
    page.words[granule * 2 + 1] = freeMark;
    page.freeHead = granule;
    if (page.liveCells + 1 === page.cellsMax) this.#list(page);
    if (page.liveCells === 0) this.#retire(page);
  }

  /** Walks all pages and checks the accounting. @throws Error if it does not add up. */
  verify(): void {
    let liveCells = 0;
    let liveBytes = 0;
    let reservedBytes = 0;
    for (const page of this.#pages) {
      if (page === null) continue;
      reservedBytes += page.words.byteLength;
      liveCells += page.liveCells;
      liveBytes += page.liveCells * page.cellBytes;
      if (page.sizeClass >= 0) verifyFreeCells(page);
    }
    assert(liveCells === this.#liveCells, "The cells of all pages are the cells of the arena");
    assert(liveBytes === this.#liveBytes, "The bytes of all cells are the bytes of the arena");
    assert(reservedBytes === this.#reservedBytes, "The bytes of all pages are reserved");
    let roomyPages = 0;
    for (const first of this.#roomy) {
      for (let page = first; page !== null; page = page.next) {
        roomyPages++;
        assert(page.liveCells < page.cellsMax, "A page with room has a cell left");
        assert(page.next === null || page.next.previous === page, "Pages with room are chained both ways");
      }
    }
    const hasRoom = (page: Page | null): boolean => page !== null && page.liveCells > 0 && page.liveCells < page.cellsMax;
    assert(roomyPages === this.#pages.filter(hasRoom).length, "Each page in use that has room is listed");
  }

  #pageOf(ref: CellRef): Page {
    const page = this.#pages[ref >>> pageShift];
    assert(page !== null && page !== undefined && page.liveCells > 0, "A cell reference names a page with cells in use");
    return page;
  }

  #takeCell(page: Page): number {
    page.liveCells++;
    const granule = page.freeHead;
    if (granule < 0) return (page.carvedCells++ * page.cellBytes) / granuleBytes;
    assert(page.words[granule * 2 + 1] === freeMark, "A free cell is not written");
    page.freeHead = page.words[granule * 2] as number;
    return granule;
  }

  #allocateLarge(sizeBytes: number): CellRef {
    const page = this.#createPage(roundUpLarge(sizeBytes));
    page.liveCells = 1;
    page.carvedCells = 1;
    this.#liveBytes += page.cellBytes;
    return page.number << pageShift;
  }

  #addPage(sizeClass: number): Page {
    const page = this.#spare.pop() ?? this.#createPage(pageBytes);
    page.sizeClass = sizeClass;
    page.cellBytes = cellBytesOf(sizeClass);
    page.cellsMax = Math.floor(pageBytes / page.cellBytes);
    page.carvedCells = 0;
    page.freeHead = -1;
    this.#list(page);
    return page;
  }

  #createPage(byteLength: number): Page {
    const number = this.#freeNumbers.pop() ?? this.#pages.length;
    assert(number < pagesMax, "An arena has at most 32,768 pages");
    const buffer = pageBuffer(byteLength);
    const page = new Page(number, new Int32Array(buffer));
    this.#pages[number] = page;
    this.words[number] = page.words;
    this.doubles[number] = new Float64Array(buffer);
    this.bytes[number] = new Uint8Array(buffer);
    this.#reservedBytes += byteLength;
    return page;
  }

  #retire(page: Page): void {
    this.#unlist(page);
    if (this.#spare.length < sparePagesMax) this.#spare.push(page);
    else this.#dropPage(page);
  }

  #dropPage(page: Page): void {
    this.#reservedBytes -= page.words.byteLength;
    this.#pages[page.number] = null;
    this.words[page.number] = this.words[0] as Int32Array;
    this.doubles[page.number] = this.doubles[0] as Float64Array;
    this.bytes[page.number] = this.bytes[0] as Uint8Array;
    this.#freeNumbers.push(page.number);
  }

  #list(page: Page): void {
    const first = this.#roomy[page.sizeClass] ?? null;
    page.previous = null;
    page.next = first;
    if (first !== null) first.previous = page;
    this.#roomy[page.sizeClass] = page;
  }

  #unlist(page: Page): void {
    if (page.previous === null) this.#roomy[page.sizeClass] = page.next;
    else page.previous.next = page.next;
    if (page.next !== null) page.next.previous = page.previous;
    page.previous = null;
    page.next = null;
  }
}

/** A member that runs out of memory must stop: were the error a RangeError, it could pass for a refused command. */
function pageBuffer(byteLength: number): ArrayBuffer {
  try {
    return new ArrayBuffer(byteLength);
  } catch (cause) {
    throw new Error(`There is no memory for a page of ${byteLength} bytes`, { cause });
  }
}

function roundUpLarge(sizeBytes: number): number {
  return Math.ceil(sizeBytes / largeRoundingBytes) * largeRoundingBytes;
}

function verifyFreeCells(page: Page): void {
  let free = 0;
  for (let granule = page.freeHead; granule >= 0; granule = page.words[granule * 2] as number) {
    assert(page.words[granule * 2 + 1] === freeMark, "A free cell is not written");
    assert(++free <= page.carvedCells, "The free cells of a page are no circle");
  }
  assert(free + page.liveCells === page.carvedCells, "A cell that was handed out is live or free");
}
