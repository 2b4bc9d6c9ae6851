import { latin1Name } from "./latin1-name.ts";
import type { OrderedStore } from "./ordered-store.ts";

/** The plain way: a Map, and beside it all keys in an array that is kept sorted. */
export class SortedArrayStore implements OrderedStore {
  readonly name = "Map + sorted array";
  readonly #values = new Map<string, Uint8Array>();
  #keys: string[] = [];

  load(keys: readonly Uint8Array[], value: Uint8Array): void {
    for (const key of keys) this.#values.set(latin1Name(key), value.slice());
    this.#keys = [...this.#values.keys()].sort();
  }

  read(key: Uint8Array): number {
    return this.#values.get(latin1Name(key))?.length ?? 0;
  }

  write(key: Uint8Array, value: Uint8Array): void {
    const name = latin1Name(key);
    if (!this.#values.has(name)) this.#keys.splice(this.#placeOf(name), 0, name);
    this.#values.set(name, value.slice());
  }

  remove(key: Uint8Array): void {
    const name = latin1Name(key);
    if (this.#values.delete(name)) this.#keys.splice(this.#placeOf(name), 1);
  }

  settle(): void {
    // Nothing is put off.
  }

  scan(key: Uint8Array, limit: number): number {
    const first = this.#placeOf(latin1Name(key));
    let visited = 0;
    for (let place = first; place < this.#keys.length && visited < limit; place++) {
      if (this.#values.has(this.#keys[place] ?? "")) visited++;
    }
    return visited;
  }

  /** Where the first key is that is not less. */
  #placeOf(name: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] ?? "") < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
