import type { Random } from "@raftkv/raft-node";

/**
 * Names a stream of chance: the run's seed and the labels on the way to its user, `42/network/link/1-2`. Every link, disk and
 * node draws from its own, so that one more draw in one place moves nothing anywhere else.
 */
export type Seed = string;

export function childSeed(seed: Seed, label: string): Seed {
  return `${seed}/${label}`;
}

/** Two seeds that differ in one character give unrelated words. Multiply-xorshift per UTF-16 unit, four lanes. */
function seedWords(seed: Seed): [number, number, number, number] {
  let a = 0x9e3779b9;
  let b = 0x243f6a88;
  let c = 0xb7e15162;
  let d = 0xdeadbeef;
  for (let i = 0; i < seed.length; i++) {
    const unit = seed.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x85ebca6b) ^ (b >>> 13);
    b = Math.imul(b ^ unit, 0xc2b2ae35) ^ (c >>> 16);
    c = Math.imul(c ^ unit, 0x27d4eb2f) ^ (d >>> 15);
    d = Math.imul(d ^ unit, 0x165667b1) ^ (a >>> 14);
  }
  return [a | 0, b | 0, c | 0, d | 0];
}

/**
 * The generator sfc32 (Chris Doty-Humphrey, PractRand): 128 bits of state, 32-bit integer operations only, so that every engine
 * draws the same numbers. No decision of the simulator uses floating point that depends on a mathematics library.
 */
export class SeededRandom implements Random {
  readonly seed: Seed;
  #a: number;
  #b: number;
  #c: number;
  #counter: number;

  constructor(seed: Seed) {
    this.seed = seed;
    [this.#a, this.#b, this.#c, this.#counter] = seedWords(seed);
    for (let i = 0; i < 16; i++) this.u32();
  }

  /** An unrelated generator, the same for the same label; draws nothing from this one. */
  child(label: string): SeededRandom {
    return new SeededRandom(childSeed(this.seed, label));
  }

  /** Uniform in [0, 2^32). */
  u32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  below(limit: number): number {
    if (!Number.isInteger(limit) || limit < 1 || limit > 2 ** 32) throw new RangeError(`Limit ${limit} is not in 1 to 2^32`);
    // Draws above the last whole multiple of `limit` would favour small results.
    const fairEnd = 2 ** 32 - (2 ** 32 % limit);
    for (;;) {
      const drawn = this.u32();
      if (drawn < fairEnd) return drawn % limit;
    }
  }

  /** Uniform integer in [min, max]. */
  between(min: number, max: number): number {
    return min + this.below(max - min + 1);
  }

  /** True once in `count` draws on average; never for 0. */
  oneIn(count: number): boolean {
    return count > 0 && this.below(count) === 0;
  }

  /** One of a list that is not empty. */
  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError("The list to pick from holds undefined");
    return item;
  }

  /**
   * Integer with about an exponential distribution of this mean. The logarithm is the number of leading zeros and, between two
   * powers, a straight line: exact in every engine, and its mean is 1.5.
   */
  exponential(mean: number): number {
    const drawn = this.u32();
    const zeros = Math.clz32(drawn);
    const fraction = zeros >= 31 ? 0 : ((drawn << (zeros + 1)) >>> 0) / 2 ** 32;
    return Math.floor((mean * (zeros + 1 - fraction)) / 1.5);
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let i = 0; i < count; i++) bytes[i] = this.u32() >>> 24;
    return bytes;
  }
}
