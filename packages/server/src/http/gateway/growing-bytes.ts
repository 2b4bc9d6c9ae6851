/** Octets that come in pieces, however small, in one buffer. */
export class GrowingBytes {
  #buffer = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#buffer.length));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    this.#buffer.set(piece, this.#length);
    this.#length = length;
  }

  /** All of it as UTF-8, and nothing is left. */
  takeText(): string {
    const text = this.#buffer.toString("utf8", 0, this.#length);
    this.#buffer = Buffer.alloc(0);
    this.#length = 0;
    return text;
  }
}
