/** Buffers above this are let go again by the next shorter key. */
const keptBytesMax = 64 * 1024;

/**
 * A key as nodes keep it: in 32-bit words, the last one filled up with zeros. Loaded once per operation, compared many times.
 * The words are in the machine's byte order; `orderOfWords` puts them into the order of the bytes.
 */
export class SearchKey {
  words = new Int32Array(64);
  length = 0;
  #bytes = new Uint8Array(this.words.buffer);

  load(source: Uint8Array): void {
    const { length } = source;
    this.#prepare(length);
    this.#bytes.set(source);
  }

  /** Takes over `length` bytes that begin at word `offset` of `source`, padded with zeros there too. */
  loadWords(source: Int32Array, offset: number, length: number): void {
    this.#prepare(length);
    const count = wordCount(length);
    for (let i = 0; i < count; i++) this.words[i] = source[offset + i] as number;
  }

  #prepare(length: number): void {
    const capacity = this.#bytes.length;
    if (length > capacity || (capacity > keptBytesMax && length <= keptBytesMax)) {
      this.words = new Int32Array(wordCount(Math.max(length, 256)));
      this.#bytes = new Uint8Array(this.words.buffer);
    }
    this.length = length;
    if (length > 0) this.words[(length - 1) >>> 2] = 0;
  }
}

/** Words that `length` bytes take. */
export function wordCount(length: number): number {
  return (length + 3) >>> 2;
}

const littleEndian = new Uint8Array(new Int32Array([1]).buffer)[0] === 1;

/** Negative, or positive, if the bytes of word `a` come before, or after, those of the different word `b`. */
export function orderOfWords(a: number, b: number): number {
  if (!littleEndian) return (a >>> 0) - (b >>> 0);
  const difference = a ^ b;
  const shift = (31 - Math.clz32(difference & -difference)) & 24;
  return ((a >>> shift) & 255) - ((b >>> shift) & 255);
}
