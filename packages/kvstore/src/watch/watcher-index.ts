import { assert } from "../assertion.ts";
import { KeyHash } from "../key-hash.ts";
import type { KeyValueView } from "../key-value.ts";
import { SearchKey, wordCount } from "../search-key.ts";
import type { KeySpan } from "./key-span.ts";
import { RangeTree } from "./range-tree.ts";
import type { Watcher } from "./watcher.ts";
import { WatcherCohort } from "./watcher-cohort.ts";

/** Watchers of one key. */
interface WatchedKey {
  /** The key in words of 32 bits, the last one filled up with zeros. */
  readonly words: Int32Array;
  readonly length: number;
  readonly cohorts: Set<WatcherCohort>;
  /** Of `cohorts` the only one, as there mostly is; null if there are more. With it an event is spared the way through the set. */
  only: WatcherCohort | null;
  /** Another key with the same hash. */
  next: WatchedKey | null;
}

/** What an index has to see of an event. */
export interface ChangedKey {
  keyHash(hash: KeyHash): number;
  /** Whether the key is the one of `length` bytes in these words. */
  hasKey(words: Int32Array, length: number): boolean;
  readonly current: Pick<KeyValueView, "keyView">;
}

const noCohorts: ReadonlySet<WatcherCohort> = new Set();

/** Hashes keys for any number of indexes. Seeded, for clients choose the keys that they watch. */
export class WatchedKeyHash {
  /** The key that was loaded last. */
  readonly key = new SearchKey();
  readonly #hash: KeyHash;

  constructor(seed: number) {
    this.#hash = new KeyHash(seed);
  }

  /** Returns the hash of the key. */
  load(key: Uint8Array): number {
    this.key.load(key);
    return this.#hash.of(this.key.words, 0, key.length);
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
    cohort.add(watcher);
    this.#cohortOf.set(watcher, cohort);
  }

  /** The watcher must be in the index. Returns the cohort that it was in. */
  delete(watcher: Watcher): WatcherCohort {
    const cohort = this.#cohortOf.get(watcher);
    assert(cohort !== undefined, "A watcher that is deleted is in the index");
    this.#cohortOf.delete(watcher);
    cohort.delete(watcher);
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
      large.add(watcher);
      this.#cohortOf.set(watcher, large);
    }
    this.#remove(small);
  }

  /** Appends the cohorts that the key concerns to `found`. One that is not watched is told by its hash mostly. */
  collect(changed: ChangedKey, found: WatcherCohort[]): void {
    if (this.#keys.size > 0) {
      let entry = this.#keys.get(this.#hash.ofChanged(changed)) ?? null;
      while (entry !== null && !changed.hasKey(entry.words, entry.length)) entry = entry.next;
      if (entry !== null) collectEntry(entry, found);
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
    return this.#entryLoaded(this.#hash.load(span.key))?.cohorts ?? noCohorts;
  }

  #insert(cohort: WatcherCohort): void {
    const { span } = cohort;
    if (span.kind === "range") {
      this.#ranges.add(span.start, span.end, cohort);
      cohort.peers = this.#ranges.itemsOf(span.start, span.end) ?? noCohorts;
      return;
    }
    const hash = this.#hash.load(span.key);
    let entry = this.#entryLoaded(hash);
    if (entry === null) {
      const { words, length } = this.#hash.key;
      const next = this.#keys.get(hash) ?? null;
      entry = { words: words.slice(0, wordCount(length)), length, cohorts: new Set(), only: null, next };
      this.#keys.set(hash, entry);
    }
    entry.cohorts.add(cohort);
    entry.only = onlyOne(entry.cohorts);
    cohort.peers = entry.cohorts;
  }

  #remove(cohort: WatcherCohort): void {
    const { span } = cohort;
    if (span.kind === "range") return this.#ranges.delete(span.start, span.end, cohort);
    const hash = this.#hash.load(span.key);
    const entry = this.#entryLoaded(hash);
    if (entry === null) return;
    entry.cohorts.delete(cohort);
    entry.only = onlyOne(entry.cohorts);
    if (entry.cohorts.size > 0) return;
    const rest = without(this.#keys.get(hash) ?? null, entry);
    if (rest === null) this.#keys.delete(hash);
    else this.#keys.set(hash, rest);
  }

  /** The entry of the key that was loaded, which has this hash. */
  #entryLoaded(hash: number): WatchedKey | null {
    const { words, length } = this.#hash.key;
    let entry = this.#keys.get(hash) ?? null;
    while (entry !== null && !(entry.length === length && entry.words.every((word, at) => word === words[at]))) entry = entry.next;
    return entry;
  }
}

function collectEntry({ only, cohorts }: WatchedKey, found: WatcherCohort[]): void {
  if (only !== null) found.push(only);
  else for (const cohort of cohorts) found.push(cohort);
}

function onlyOne(cohorts: ReadonlySet<WatcherCohort>): WatcherCohort | null {
  const [cohort] = cohorts;
  return cohorts.size === 1 && cohort !== undefined ? cohort : null;
}

function without(first: WatchedKey | null, removed: WatchedKey): WatchedKey | null {
  if (first === null || first === removed) return removed.next;
  let entry = first;
  while (entry.next !== null && entry.next !== removed) entry = entry.next;
  entry.next = removed.next;
  return first;
}
