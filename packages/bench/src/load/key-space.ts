import { SeededRandom } from "./seeded-random.ts";

export const keyBytes = 32;
const keyPrefix = "raftkv-bench/";
const digits = keyBytes - keyPrefix.length;

export interface KeySpaceOptions {
  /** Number of keys, at least 1. */
  readonly count: number;
  readonly valueBytes: number;
  readonly seed: number;
}

/** The keys of a benchmark, each with one value that only it has: 256 random bytes do not shrink and cannot be mistaken for another's. */
export class KeySpace {
  readonly count: number;
  readonly valueBytes: number;
  readonly #values: Uint8Array;

  constructor(options: KeySpaceOptions) {
    this.count = options.count;
    this.valueBytes = options.valueBytes;
    const random = new SeededRandom(options.seed);
    const words = new Uint32Array(Math.ceil((options.count * options.valueBytes) / 4));
    for (let word = 0; word < words.length; word++) words[word] = random.next();
    this.#values = new Uint8Array(words.buffer);
  }

  /** 32 bytes of ASCII: `raftkv-bench/` and the number of the key, from 0, in 19 digits. */
  key(number: number): Uint8Array {
    return Buffer.from(`${keyPrefix}${String(number).padStart(digits, "0")}`, "latin1");
  }

  /** A view. */
  value(number: number): Uint8Array {
    return this.#values.subarray(number * this.valueBytes, (number + 1) * this.valueBytes);
  }

  /** The half-open range that holds all keys and nothing else. */
  get range(): { readonly key: Uint8Array; readonly rangeEnd: Uint8Array } {
    const rangeEnd = Buffer.from(keyPrefix, "latin1");
    rangeEnd[rangeEnd.length - 1] = keyPrefix.charCodeAt(keyPrefix.length - 1) + 1;
    return { key: Buffer.from(keyPrefix, "latin1"), rangeEnd };
  }
}
