import { copyBytes } from "./copy-bytes.ts";

/** Buffers above this are let go again by the next shorter key. */
const keptBytesMax = 64 * 1024;

/**
 * A key as nodes keep it: in 32-bit words, the last one filled up with zeros. Loaded once per operation, compared many times.
 * The words are in the machine's byte order; `inByteOrder` puts them into the order of the bytes.
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

  /** Takes `length` bytes of `source` from `start` on. */
  loadPart(source: Uint8Array, start: number, length: number): void {
    this.#prepare(length);
    copyBytes(source, start, length, this.#bytes, 0);
  }

  /** Takes over `length` bytes that begin at word `offset` of `source`, padded with zeros there too. */
  loadWords(source: Int32Array, offset: number, length: number): void {
    this.#prepare(length);
    copyWords(source, offset, this.words, 0, wordCount(length));
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

/** A loop, because keys are short and a view to copy from would cost more. */
export function copyWords(source: Int32Array, from: number, target: Int32Array, to: number, count: number): void {
  for (let i = 0; i < count; i++) target[to + i] = source[from + i] as number;
}

/** Words that `length` bytes take. */
export function wordCount(length: number): number {
  return (length + 3) >>> 2;
}

const littleEndian = new Uint8Array(new Int32Array([1]).buffer)[0] === 1;

/** The word as a number whose bits are in the order of its bytes: compared unsigned, it compares as they do. Its own inverse. */
export function inByteOrder(word: number): number {
  if (!littleEndian) return word;
  return ((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

/**
 * The 32 bits from position `bit` on of a key, as a number in byte order. A key goes on with zeros behind its end.
 * `start` and `count` say which words of `words` are the key.
 */
export function bitsAt(words: Int32Array, start: number, count: number, bit: number): number {
  const at = bit >>> 5;
  const shift = bit & 31;
  const first = at < count ? inByteOrder(words[start + at] as number) : 0;
  if (shift === 0) return first;
  const second = at + 1 < count ? inByteOrder(words[start + at + 1] as number) : 0;
  return (first << shift) | (second >>> (32 - shift));
}

/** Stands for the shared bits of keys that differ in zeros at the end only, or not at all. Above the bits of any key. */
export const allBits = 0x3fffffff;

/** How many bits two keys begin with in common, if both go on with zeros and are known to be equal up to `fromWord`. */
export function sharedBitsOf(
  a: Int32Array,
  aStart: number,
  aCount: number,
  b: Int32Array,
  bStart: number,
  bCount: number,
  fromWord: number,
): number {
  const count = Math.max(aCount, bCount);
  for (let at = fromWord; at < count; at++) {
    const difference = (at < aCount ? (a[aStart + at] as number) : 0) ^ (at < bCount ? (b[bStart + at] as number) : 0);
    if (difference !== 0) return at * 32 + Math.clz32(inByteOrder(difference));
  }
  return allBits;
}
