import { wordCount } from "./search-key.ts";

/**
 * HalfSipHash-1-3 of keys (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012, in its variant for 32-bit machines),
 * over a key's words and then its length in bytes, where the original packs the length into the last word. Unlike mixers that
 * only multiply and shift it has no keys that collide under every seed, so clients that do not know the seed can't aim.
 */
export class KeyHash {
  readonly #seedLow: number;
  readonly #seedHigh: number;

  /** `seed` is any safe integer, of which all bits count. */
  constructor(seed: number) {
    this.#seedLow = seed | 0;
    this.#seedHigh = Math.floor(seed / 2 ** 32) | 0;
  }

  /** A signed 32-bit number. The key is `length` bytes from word `start` on, the last word filled up with zeros. */
  of(words: Int32Array, start: number, length: number): number {
    const count = wordCount(length);
    const roundCount = count + 4;
    let v0 = this.#seedLow;
    let v1 = this.#seedHigh;
    let v2 = v0 ^ 0x6c796765;
    let v3 = v1 ^ 0x74656462;
    for (let round = 0; round < roundCount; round++) {
      let word = 0;
      if (round < count) word = words[start + round] as number;
      else if (round === count) word = length;
      else if (round === count + 1) v2 ^= 0xff;
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = rotate(v1, 5) ^ v0;
      v0 = rotate(v0, 16);
      v2 = (v2 + v3) | 0;
      v3 = rotate(v3, 8) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = rotate(v3, 7) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = rotate(v1, 13) ^ v2;
      v2 = rotate(v2, 16);
      v0 ^= word;
    }
    return v1 ^ v3;
  }
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
