import { orderOfBytes } from "../byte-order.ts";
import type { KeyValue } from "../key-value.ts";
import type { RangeQuery, RangeResult } from "../range-query.ts";

/** A version of a key, in the order of the writes. `value` null: it was deleted. */
interface Change {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly lease: bigint;
}

/** What the store must do, written the simplest way: a list of all changes there ever were, searched from the front each time. */
export class NaiveStore {
  revision = 1;
  compactRevision = -1;
  readonly #changes: Change[] = [];
  #isRevisionTaken = false;
  #isShared = false;

  /** The records at a revision, in key order. */
  at(revision: number): KeyValue[] {
    return [...this.#putsAt(revision)].map(({ value, ...fields }) => ({ ...fields, value: value ?? new Uint8Array(0) }));
  }

  find(key: Uint8Array): KeyValue | null {
    return this.at(this.revision).find((record) => orderOfBytes(record.key, key) === 0) ?? null;
  }

  atOneRevision(work: () => void): void {
    this.#isShared = true;
    this.#isRevisionTaken = false;
    work();
    this.#isShared = false;
  }

  set(key: Uint8Array, value: Uint8Array, lease: bigint): void {
    const old = this.find(key);
    this.#takeRevision();
    const { revision } = this;
    const createRevision = old?.createRevision ?? revision;
    this.#changes.push({ key, value, createRevision, modRevision: revision, version: (old?.version ?? 0) + 1, lease });
  }

  inRange(key: Uint8Array, rangeEnd: Uint8Array, revision = this.revision): KeyValue[] {
    return this.at(revision).filter((record) => {
      if (rangeEnd.length === 0) return orderOfBytes(record.key, key) === 0;
      const isBelow = (rangeEnd.length === 1 && rangeEnd[0] === 0) || orderOfBytes(record.key, rangeEnd) < 0;
      return orderOfBytes(record.key, key) >= 0 && isBelow;
    });
  }

  deleteRange(key: Uint8Array, rangeEnd: Uint8Array): KeyValue[] {
    const deleted = this.inRange(key, rangeEnd);
    if (deleted.length > 0) this.#takeRevision();
    for (const record of deleted) {
      this.#changes.push({ key: record.key, value: null, createRevision: 0, modRevision: this.revision, version: 0, lease: 0n });
      // The next key of the range is deleted at the same revision.
      this.#isRevisionTaken = true;
    }
    return deleted;
  }

  range(key: Uint8Array, rangeEnd: Uint8Array, query: RangeQuery): RangeResult {
    const all = this.inRange(key, rangeEnd, query.revision || this.revision);
    if (query.countOnly === true) return { records: [], count: all.length, more: false };
    let records = all
      .filter((record) => record.modRevision >= (query.minModRevision || 0))
      .filter((record) => record.modRevision <= (query.maxModRevision || Number.POSITIVE_INFINITY))
      .filter((record) => record.createRevision >= (query.minCreateRevision || 0))
      .filter((record) => record.createRevision <= (query.maxCreateRevision || Number.POSITIVE_INFINITY));
    const compare = {
      key: (a: KeyValue, b: KeyValue) => orderOfBytes(a.key, b.key),
      version: (a: KeyValue, b: KeyValue) => a.version - b.version,
      create: (a: KeyValue, b: KeyValue) => a.createRevision - b.createRevision,
      mod: (a: KeyValue, b: KeyValue) => a.modRevision - b.modRevision,
      value: (a: KeyValue, b: KeyValue) => orderOfBytes(a.value, b.value),
    }[query.sortTarget ?? "key"];
    const direction = query.sortOrder === "descend" ? -1 : 1;
    records = records.sort((a, b) => direction * compare(a, b) || orderOfBytes(a.key, b.key));
    if (query.keysOnly === true) records = records.map((record) => ({ ...record, value: new Uint8Array(0) }));
    const limit = query.limit ?? 0;
    const more = limit > 0 && records.length > limit;
    return { records: more ? records.slice(0, limit) : records, count: all.length, more };
  }

  compact(revision: number): void {
    this.compactRevision = revision;
  }

  /** What no compaction gave up: all that is newer, and of each key what it had at the compact revision. */
  retained(): Change[] {
    const base = this.#putsAt(this.compactRevision);
    return this.#changes.filter((change) => change.modRevision > this.compactRevision || base.has(change));
  }

  events(from: number, end: number): unknown[] {
    return this.retained()
      .filter(({ modRevision }) => modRevision >= from && modRevision < end)
      .map((change) => ({ ...change, previous: this.#previousOf(change) }));
  }

  payload(): number {
    return this.retained().reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0) + 64, 0);
  }

  /** The last changes of all keys up to a revision, in key order, without those that were deletions. */
  #putsAt(revision: number): Set<Change> {
    const last = new Map<string, Change>();
    for (const change of this.#changes) if (change.modRevision <= revision) last.set(change.key.join(), change);
    const puts = [...last.values()].filter(({ value }) => value !== null);
    return new Set(puts.sort((a, b) => orderOfBytes(a.key, b.key)));
  }

  #previousOf({ key, createRevision, modRevision }: Change): KeyValue | null {
    if (createRevision === modRevision || modRevision <= this.compactRevision) return null;
    return this.inRange(key, new Uint8Array(0), modRevision - 1)[0] ?? null;
  }

  #takeRevision(): void {
    if (this.#isShared && this.#isRevisionTaken) return;
    this.revision++;
    this.#isRevisionTaken = true;
  }
}
