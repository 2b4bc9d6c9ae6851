import { createRequire } from "node:module";
import type sortedBtree from "sorted-btree";
import { latin1Name } from "./latin1-name.ts";
import type { OrderedStore } from "./ordered-store.ts";

/** A CommonJS module, whose default export is a field of what it exports. */
const { default: BTree } = createRequire(import.meta.url)("sorted-btree") as typeof sortedBtree;

/** The B+tree that is most used from npm. */
export class BtreeStore implements OrderedStore {
  readonly name = "sorted-btree";
  readonly #tree = new BTree<string, Uint8Array>(undefined, (a, b) => (a < b ? -1 : a > b ? 1 : 0));

  load(keys: readonly Uint8Array[], value: Uint8Array): void {
    for (const key of keys) this.write(key, value);
  }

  read(key: Uint8Array): number {
    return this.#tree.get(latin1Name(key))?.length ?? 0;
  }

  write(key: Uint8Array, value: Uint8Array): void {
    this.#tree.set(latin1Name(key), value.slice());
  }

  remove(key: Uint8Array): void {
    this.#tree.delete(latin1Name(key));
  }

  settle(): void {
    // Nothing is put off.
  }

  scan(key: Uint8Array, limit: number): number {
    let visited = 0;
    for (const _ of this.#tree.entries(latin1Name(key))) if (++visited === limit) break;
    return visited;
  }
}
