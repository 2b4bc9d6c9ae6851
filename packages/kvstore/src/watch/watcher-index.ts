import { assert } from "../assertion.ts";
import { orderOfBytes } from "../byte-order.ts";
import { KeyHash } from "../key-hash.ts";
import type { KeyValueView } from "../key-value.ts";
import { SearchKey } from "../search-key.ts";
import type { KeySpan } from "./key-span.ts";
import { RangeTree } from "./range-tree.ts";
import type { Watcher } from "./watcher.ts";
import { WatcherCohort } from "./watcher-cohort.ts";

/** Watchers of one key. */
interface WatchedKey {
  readonly key: Uint8Array;
  readonly cohorts: Set<WatcherCohort>;
  /** Another key with the same hash. */
  next: WatchedKey | null;
}

/** What an index has to see of an event. */
export interface ChangedKey {
  keyHash(hash: KeyHash): number;
  readonly current: Pick<KeyValueView, "keyView">;
}

const noCohorts: ReadonlySet<WatcherCohort> = new Set();

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

  ofChanged(key: ChangedKey): number {
    return key.keyHash(this.#hash);
  }
}

/** Finds the watchers that a key concerns, by cohorts: those of the key itself by its hash, those of ranges by a tree. */
export class WatcherIndex {
  readonly #hash: WatchedKeyHash;
  readonly #keys = new Map<number, WatchedKey>();
  readonly #ranges = new RangeTree<WatcherCohort>();
  readonly #cohortOf = new Map<Watcher, WatcherCohort>();

  constructor(hash: WatchedKeyHash) {
    this.#hash = hash;
  }

  get size(): number {
    return this.#cohortOf.size;
  }

  has(watcher: Watcher): boolean {
    return this.#cohortOf.has(watcher);
  }

  watchers(): IterableIterator<Watcher> {
    return this.#cohortOf.keys();
  }

  /** To a cohort in which nothing is gathered. */
  add(watcher: Watcher): void {
    let cohort = this.#openCohort(watcher, null);
    if (cohort === null) {
      cohort = new WatcherCohort(watcher);
      this.#insert(cohort);
    }
    cohort.watchers.add(watcher);
    this.#cohortOf.set(watcher, cohort);
  }

  /** The watcher must be in the index. Returns the cohort that it was in. */
  delete(watcher: Watcher): WatcherCohort {
    const cohort = this.#cohortOf.get(watcher);
    assert(cohort !== undefined, "A watcher that is deleted is in the index");
    this.#cohortOf.delete(watcher);
    cohort.watchers.delete(watcher);
    if (cohort.watchers.size === 0) this.#remove(cohort);
    return cohort;
  }

  /** Takes over all watchers of another index, with what was gathered for them. The other one is not to be used any more. */
  adopt(other: WatcherIndex): void {
    for (const cohort of new Set(other.#cohortOf.values())) {
      this.#insert(cohort);
      for (const watcher of cohort.watchers) this.#cohortOf.set(watcher, cohort);
      if (cohort.events.length === 0) this.settle(cohort);
    }
  }

  /** A cohort in which nothing is gathered any more goes together with another one like it. */
  settle(cohort: WatcherCohort): void {
    if (cohort.peers.size < 2) return;
    const [pattern] = cohort.watchers;
    const other = pattern === undefined ? null : this.#openCohort(pattern, cohort);
    if (other === null) return;
    const [large, small] = other.watchers.size < cohort.watchers.size ? [cohort, other] : [other, cohort];
    for (const watcher of small.watchers) {
      large.watchers.add(watcher);
      this.#cohortOf.set(watcher, large);
    }
    small.watchers.clear();
    this.#remove(small);
  }

  /** Appends the cohorts that the key concerns to `found`. One that is not watched is told by its hash mostly. */
  collect(changed: ChangedKey, found: WatcherCohort[]): void {
    if (this.#keys.size > 0) {
      const first = this.#keys.get(this.#hash.ofChanged(changed)) ?? null;
      const entry = first === null ? null : find(first, changed.current.keyView());
      if (entry !== null) for (const cohort of entry.cohorts) found.push(cohort);
    }
    if (!this.#ranges.isEmpty) this.#ranges.collect(changed.current.keyView(), found);
  }

  /** One that the watcher may join, besides `except`. */
  #openCohort(watcher: Watcher, except: WatcherCohort | null): WatcherCohort | null {
    for (const cohort of this.#cohortsOf(watcher.span)) if (cohort !== except && cohort.takes(watcher)) return cohort;
    return null;
  }

  #cohortsOf(span: KeySpan): ReadonlySet<WatcherCohort> {
    if (span.kind === "range") return this.#ranges.itemsOf(span.start, span.end) ?? noCohorts;
    return find(this.#keys.get(this.#hash.of(span.key)) ?? null, span.key)?.cohorts ?? noCohorts;
  }

  #insert(cohort: WatcherCohort): void {
    const { span } = cohort;
    if (span.kind === "range") {
      this.#ranges.add(span.start, span.end, cohort);
      cohort.peers = this.#ranges.itemsOf(span.start, span.end) ?? noCohorts;
      return;
    }
    const hash = this.#hash.of(span.key);
    const first = this.#keys.get(hash) ?? null;
    let entry = find(first, span.key);
    if (entry === null) {
      entry = { key: span.key, cohorts: new Set(), next: first };
      this.#keys.set(hash, entry);
    }
    entry.cohorts.add(cohort);
    cohort.peers = entry.cohorts;
  }

  #remove(cohort: WatcherCohort): void {
    const { span } = cohort;
    if (span.kind === "range") return this.#ranges.delete(span.start, span.end, cohort);
    const hash = this.#hash.of(span.key);
    const first = this.#keys.get(hash) ?? null;
    const entry = find(first, span.key);
    if (entry === null) return;
    entry.cohorts.delete(cohort);
    if (entry.cohorts.size > 0) return;
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
