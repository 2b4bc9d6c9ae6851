import { SeededRandom } from "./seeded-random.ts";

/** Length of a key unless something else is asked for. */
export const keyBytes = 32;
const keyPrefix = "raftkv-bench/";
/** How far the value of a key begins behind that of the one before. */
const valueStride = 8;

export interface KeySpaceOptions {
  /** Number of keys, at least 1. */
  readonly count: number;
  readonly valueBytes: number;
  readonly seed: number;
  /** Length of a key, at least 32. Default 32. */
  readonly keyBytes?: number;
}

/**
 * The keys of a benchmark, each with one value that only it has: random bytes do not shrink and can't be mistaken for another's. Values are
 * windows of one row of bytes, each 8 bytes behind the one before, so that millions of them cost little memory.
 */
export class KeySpace {
  readonly count: number;
  readonly valueBytes: number;
  readonly #digits: number;
  readonly #values: Uint8Array;

  constructor(options: KeySpaceOptions) {
    this.count = options.count;
    this.valueBytes = options.valueBytes;
    this.#digits = (options.keyBytes ?? keyBytes) - keyPrefix.length;
    const random = new SeededRandom(options.seed);
    const words = new Uint32Array(Math.ceil((options.count * valueStride + options.valueBytes) / 4));
    for (let word = 0; word < words.length; word++) words[word] = random.next();
    this.#values = new Uint8Array(words.buffer);
  }

  /** ASCII: `raftkv-bench/` and the number of the key, from 0, in as many digits as are needed for the length. */
  key(number: number): Uint8Array {
    return Buffer.from(`${keyPrefix}${String(number).padStart(this.#digits, "0")}`, "latin1");
  }

  /** A view. */
  value(number: number): Uint8Array {
    return this.#values.subarray(number * valueStride, number * valueStride + this.valueBytes);
  }

  /** The half-open range that holds all keys and nothing else. */
  get range(): { readonly key: Uint8Array; readonly rangeEnd: Uint8Array } {
    const rangeEnd = Buffer.from(keyPrefix, "latin1");
    rangeEnd[rangeEnd.length - 1] = keyPrefix.charCodeAt(keyPrefix.length - 1) + 1;
    return { key: Buffer.from(keyPrefix, "latin1"), rangeEnd };
  }
}
