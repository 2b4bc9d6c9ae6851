const slabBytes = 16 * 1024;
/** Longer results have an array of their own, so that one that is kept holds little more memory than it needs. */
const sharedBytesMax = 1024;

/** Arrays for results. Short ones are cut from a shared buffer, because a buffer of one's own costs more than filling it. */
export class ResultBytes {
  #slab = new Uint8Array(0);
  #used = 0;

  /** `length` bytes that nobody else is given. Above `sharedBytesMax` they are the whole of their buffer. */
  take(length: number): Uint8Array {
    if (length > sharedBytesMax) return new Uint8Array(length);
    if (this.#used + length > this.#slab.length) {
      this.#slab = new Uint8Array(slabBytes);
      this.#used = 0;
    }
    const bytes = this.#slab.subarray(this.#used, this.#used + length);
    this.#used += length;
    return bytes;
  }
}
