import { assert } from "./assertion.ts";

const chunkShift = 14;
const chunkLength = 1 << chunkShift;
const chunkMask = chunkLength - 1;
const lengthMax = 2 ** 32 - chunkLength;

type Chunk = Int32Array | Float64Array;

/**
 * Numbers at positions that go up one by one: added behind, forgotten in front, in chunks that are freed as a whole.
 *
 *     position   first ─┐                        end ─┐
 *     chunk      [ ░░░░░│7 8 9 ][ 10 11 12 13 14 ][ 15│      ]       ░ forgotten
 *
 * Positions count modulo 2^32, so that their low 32 bits are enough to keep, and fewer than that are there at a time.
 */
export class NumberLog {
  readonly #bytesPerNumber: number;
  readonly #createChunk: () => Chunk;
  /** A chunk that was never written is null, and all 0. */
  readonly #chunks: (Chunk | null)[] = [];
  /** The position that the first chunk begins at. */
  #base: number;
  #first: number;
  #end: number;

  /** `kind`: signed 32-bit numbers, or doubles. The first position is any safe integer. */
  constructor(kind: "int32" | "double", first: number) {
    this.#bytesPerNumber = kind === "int32" ? 4 : 8;
    this.#createChunk = kind === "int32" ? () => new Int32Array(chunkLength) : () => new Float64Array(chunkLength);
    this.#base = first;
    this.#first = first;
    this.#end = first;
  }

  /** The first position that is there. */
  get first(): number {
    return this.#first;
  }

  /** The position behind the last. */
  get end(): number {
    return this.#end;
  }

  get length(): number {
    return this.#end - this.#first;
  }

  get usedBytes(): number {
    return this.length * this.#bytesPerNumber;
  }

  get reservedBytes(): number {
    let chunks = 0;
    for (const chunk of this.#chunks) if (chunk !== null) chunks++;
    return chunks * chunkLength * this.#bytesPerNumber;
  }

  has(position: number): boolean {
    return (position - this.#first) >>> 0 < this.length;
  }

  /** The number at a position that is there. */
  at(position: number): number {
    const offset = (position - this.#base) >>> 0;
    const chunk = this.#chunks[offset >>> chunkShift] as Chunk | null;
    return chunk === null ? 0 : (chunk[offset & chunkMask] as number);
  }

  /** Replaces the number at a position that is there. */
  set(position: number, value: number): void {
    const offset = (position - this.#base) >>> 0;
    const place = offset >>> chunkShift;
    let chunk = this.#chunks[place] as Chunk | null;
    if (chunk === null) {
      chunk = this.#createChunk();
      this.#chunks[place] = chunk;
    }
    chunk[offset & chunkMask] = value;
  }

  /** Adds a number behind the last. */
  push(value: number): void {
    if (this.#end - this.#base === this.#chunks.length * chunkLength) this.#addChunks(1);
    this.set(this.#end, value);
    this.#end++;
  }

  /** Adds positions behind the last, all 0, without memory for them before they are written. */
  extend(count: number): void {
    this.#end += count;
    this.#addChunks(Math.ceil((this.#end - this.#base) / chunkLength) - this.#chunks.length);
  }

  /** Forgets what is in front of a position, which is there or the end. */
  forgetBefore(position: number): void {
    const count = (position - this.#first) >>> 0;
    assert(count <= this.length, "Only numbers that are there are forgotten");
    this.#first += count;
    const chunks = (this.#first - this.#base) >>> chunkShift;
    if (chunks === 0) return;
    this.#chunks.splice(0, chunks);
    this.#base += chunks * chunkLength;
  }

  #addChunks(count: number): void {
    for (let i = 0; i < count; i++) this.#chunks.push(null);
    assert(this.#chunks.length * chunkLength <= lengthMax, "A log has fewer than 2^32 numbers");
  }
}
