import { orderOfBytes } from "../byte-order.ts";
import { KeyHash } from "../key-hash.ts";
import { SearchKey } from "../search-key.ts";
import { RangeTree } from "./range-tree.ts";
import type { Watcher } from "./watcher.ts";

/** Watchers of one key. */
interface WatchedKey {
  readonly key: Uint8Array;
  readonly watchers: Set<Watcher>;
  /** Another key with the same hash. */
  next: WatchedKey | null;
}

/** Hashes keys for any number of indexes. Seeded, for clients choose the keys that they watch. */
export class WatchedKeyHash {
  readonly #hash: KeyHash;
  readonly #search = new SearchKey();

  constructor(seed: number) {
    this.#hash = new KeyHash(seed);
  }

  of(key: Uint8Array): number {
    this.#search.load(key);
    return this.#hash.of(this.#search.words, 0, key.length);
  }
}

/** Finds the watchers that a key concerns: those of the key itself by its hash, those of ranges by a tree. */
export class WatcherIndex {
  readonly #hash: WatchedKeyHash;
  readonly #keys = new Map<number, WatchedKey>();
  readonly #ranges = new RangeTree<Watcher>();
  #size = 0;

  constructor(hash: WatchedKeyHash) {
    this.#hash = hash;
  }

  get size(): number {
    return this.#size;
  }

  add(watcher: Watcher): void {
    const { span } = watcher;
    this.#size++;
    if (span.kind === "range") this.#ranges.add(span.start, span.end, watcher);
    else this.#addKey(span.key, watcher);
  }

  /** The watcher must be in the index. */
  delete(watcher: Watcher): void {
    const { span } = watcher;
    this.#size--;
    if (span.kind === "range") this.#ranges.delete(span.start, span.end, watcher);
    else this.#deleteKey(span.key, watcher);
  }

  /** Appends the watchers that the key concerns to `found`. */
  collect(key: Uint8Array, found: Watcher[]): void {
    if (this.#keys.size > 0) {
      const entry = find(this.#keys.get(this.#hash.of(key)) ?? null, key);
      if (entry !== null) for (const watcher of entry.watchers) found.push(watcher);
    }
    this.#ranges.collect(key, found);
  }

  /** All watchers, in no particular order. */
  all(): Watcher[] {
    const found: Watcher[] = [];
    for (const first of this.#keys.values()) {
      for (let entry: WatchedKey | null = first; entry !== null; entry = entry.next)
        for (const watcher of entry.watchers) found.push(watcher);
    }
    this.#ranges.collectAll(found);
    return found;
  }

  #addKey(key: Uint8Array, watcher: Watcher): void {
    const hash = this.#hash.of(key);
    const first = this.#keys.get(hash) ?? null;
    const entry = find(first, key);
    if (entry !== null) entry.watchers.add(watcher);
    else this.#keys.set(hash, { key, watchers: new Set([watcher]), next: first });
  }

  #deleteKey(key: Uint8Array, watcher: Watcher): void {
    const hash = this.#hash.of(key);
    const first = this.#keys.get(hash) ?? null;
    const entry = find(first, key);
    if (entry === null) return;
    entry.watchers.delete(watcher);
    if (entry.watchers.size > 0) return;
    const rest = without(first, entry);
    if (rest === null) this.#keys.delete(hash);
    else this.#keys.set(hash, rest);
  }
}

function find(first: WatchedKey | null, key: Uint8Array): WatchedKey | null {
  let entry = first;
  while (entry !== null && orderOfBytes(entry.key, key) !== 0) entry = entry.next;
  return entry;
}

function without(first: WatchedKey | null, removed: WatchedKey): WatchedKey | null {
  if (first === null || first === removed) return removed.next;
  let entry = first;
  while (entry.next !== null && entry.next !== removed) entry = entry.next;
  entry.next = removed.next;
  return first;
}
