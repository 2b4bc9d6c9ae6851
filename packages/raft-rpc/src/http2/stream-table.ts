import { assert } from "../assert.ts";

/** So many places of streams that ended are kept beside as many as there are streams. */
const spareMax = 16;

/**
 * The streams of a connection, in the order of their ids, which is that in which they were opened.
 *
 *   ids      [ 1 | 5 | 7 | 9 | 11 ]    found from the end, where most of what comes belongs to, else by halving
 *   streams  [ A |   | C |   | E  ]    an ended one leaves its place, until there are as many of these as streams
 *
 * Not a `Map`: that moves to a new table whenever what was deleted fills the old one, and the old table keeps pointing to the new one and to
 * what was in it. Once a collection of the whole heap has made one of these tables old, collections of the young generation take all later
 * ones for alive, and with them every stream with its messages, until the whole heap is collected again, which it then is all the time.
 */
export class StreamTable<S extends { readonly id: number }> {
  readonly #ids: number[] = [];
  readonly #streams: (S | undefined)[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): S | undefined {
    const place = this.#placeOf(id);
    return place < 0 ? undefined : this.#streams[place];
  }

  /** Its id is higher than that of every stream before. */
  add(stream: S): void {
    assert(stream.id > (this.#ids.at(-1) ?? 0), "Streams are opened in the order of their ids");
    this.#ids.push(stream.id);
    this.#streams.push(stream);
    this.#size++;
  }

  delete(id: number): void {
    const place = this.#placeOf(id);
    if (place < 0 || this.#streams[place] === undefined) return;
    this.#streams[place] = undefined;
    this.#size--;
    this.#trim();
    if (this.#ids.length > 2 * this.#size + spareMax) this.#closeUp();
  }

  /** In their order. Streams may be added and deleted meanwhile. */
  *values(): IterableIterator<S> {
    let place = 0;
    while (place < this.#ids.length) {
      const id = this.#ids[place] ?? 0;
      const stream = this.#streams[place];
      if (stream !== undefined) yield stream;
      place = this.#firstFrom(id + 1);
    }
  }

  #placeOf(id: number): number {
    const last = this.#ids.length - 1;
    if (last < 0) return -1;
    const lastId = this.#ids[last] as number;
    if (id >= lastId) return id === lastId ? last : -1;
    const place = this.#firstFrom(id);
    return this.#ids[place] === id ? place : -1;
  }

  /** The first place with an id that is not below this one. */
  #firstFrom(id: number): number {
    const ids = this.#ids;
    let low = 0;
    let high = ids.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((ids[middle] as number) < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Places that were left at the end go at once: of calls that are answered as they come, no others are. */
  #trim(): void {
    const streams = this.#streams;
    while (streams.length > 0 && streams[streams.length - 1] === undefined) {
      streams.pop();
      this.#ids.pop();
    }
  }

  #closeUp(): void {
    const ids = this.#ids;
    const streams = this.#streams;
    let to = 0;
    for (let from = 0; from < ids.length; from++) {
      const stream = streams[from];
      if (stream === undefined) continue;
      streams[to] = stream;
      ids[to++] = stream.id;
    }
    streams.length = to;
    ids.length = to;
  }
}
