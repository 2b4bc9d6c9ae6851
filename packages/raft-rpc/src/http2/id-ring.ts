/** Remembers the last ids that were added, up to a number; costs nothing until the first one is. */
export class IdRing {
  readonly #idsMax: number;
  #ids: Uint32Array | null = null;
  #next = 0;

  constructor(idsMax: number) {
    this.#idsMax = idsMax;
  }

  add(id: number): void {
    this.#ids ??= new Uint32Array(this.#idsMax);
    this.#ids[this.#next] = id;
    this.#next = (this.#next + 1) % this.#idsMax;
  }

  delete(id: number): void {
    const place = this.#ids?.indexOf(id) ?? -1;
    if (place >= 0) this.#ids?.fill(0, place, place + 1);
  }

  has(id: number): boolean {
    return this.#ids?.includes(id) ?? false;
  }
}
