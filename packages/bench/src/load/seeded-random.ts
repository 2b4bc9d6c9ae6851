/** Repeatable chance: xorshift32 (Marsaglia, "Xorshift RNGs", 2003). The same seed gives the same load. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    // A state of zero would stay zero.
    this.#state = (seed ^ 0x9e3779b9) >>> 0 || 1;
    for (let turn = 0; turn < 8; turn++) this.next();
  }

  /** Uniform integer in [1, 2^32). */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state;
  }

  /** Integer in [0, limit); the bias is below limit / 2^32. */
  below(limit: number): number {
    return Math.floor(((this.next() - 1) / 0xffff_ffff) * limit);
  }
}
