const ringLength = 256;

/** The last stream ids that this side reset: frames that were on their way when it did are no fault of the peer (RFC 9113 5.1). */
export class IdRing {
  readonly #ids = new Uint32Array(ringLength);
  #next = 0;

  add(id: number): void {
    this.#ids[this.#next] = id;
    this.#next = (this.#next + 1) % ringLength;
  }

  has(id: number): boolean {
    return this.#ids.includes(id);
  }
}
