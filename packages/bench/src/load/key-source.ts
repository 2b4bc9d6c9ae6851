import type { SeededRandom } from "./seeded-random.ts";

/** Which key the next request is about. */
export interface KeySource {
  /** Number of a key, or -1: no more requests. */
  next(): number;
}

/** Uniformly distributed, without end. */
export class RandomKeys implements KeySource {
  readonly #random: SeededRandom;
  readonly #count: number;

  constructor(random: SeededRandom, count: number) {
    this.#random = random;
    this.#count = count;
  }

  next(): number {
    return this.#random.below(this.#count);
  }
}

/** Every key once, in order. */
export class EachKeyOnce implements KeySource {
  readonly #count: number;
  #next = 0;

  constructor(count: number) {
    this.#count = count;
  }

  next(): number {
    return this.#next < this.#count ? this.#next++ : -1;
  }
}

/** The first keys of another source. */
export class LimitedKeys implements KeySource {
  readonly #source: KeySource;
  #left: number;

  constructor(source: KeySource, count: number) {
    this.#source = source;
    this.#left = count;
  }

  next(): number {
    return this.#left-- > 0 ? this.#source.next() : -1;
  }
}
