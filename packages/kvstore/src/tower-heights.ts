export const towerHeightMax = 24;

/**
 * Draws the heights of skip list towers: one in two towers of a height goes on to the next (Pugh, "Skip Lists: A Probabilistic
 * Alternative to Balanced Trees", 1990, with p = 1/2). The numbers come from a counter mixed by the finalizer of MurmurHash3, so
 * the same seed draws the same heights.
 */
export class TowerHeights {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** From 1 to `towerHeightMax`. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    mixed ^= mixed >>> 16;
    return Math.min(towerHeightMax, 1 + Math.clz32(mixed));
  }
}
