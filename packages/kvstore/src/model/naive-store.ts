import type { RangeQuery } from "../range-query.ts";

/** What is stored under a key, keys and values as text (`textOf`). */
export interface NaiveRecord {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly lease: bigint;
}

export interface NaiveEvent {
  readonly kind: "put" | "delete";
  readonly revision: number;
  readonly current: NaiveRecord;
  readonly previous: NaiveRecord | null;
}

export interface NaiveLease {
  readonly id: bigint;
  readonly ttlSeconds: number;
  readonly grantNumber: number;
  readonly remainingSeconds: number;
}

export interface NaiveRange {
  readonly records: readonly NaiveRecord[];
  readonly count: number;
  readonly more: boolean;
}

/**
 * What the store has to do, written the simplest way: a list of all versions in the order in which they came about, searched from
 * one end to the other for every answer. A version 0 is a deletion.
 */
export class NaiveStore {
  versions: readonly NaiveRecord[] = [];
  revision = 1;
  compactRevision = -1;
  leases: readonly NaiveLease[] = [];

  /** A copy that changes of this one don't reach. */
  copy(): NaiveStore {
    return Object.assign(new NaiveStore(), this);
  }

  /** All records that are there at a revision, by key. */
  at(revision: number): NaiveRecord[] {
    const newest = new Map<string, NaiveRecord>();
    for (const version of this.versions) if (version.modRevision <= revision) newest.set(version.key, version);
    return [...newest.values()].filter((record) => record.version > 0).sort((a, b) => orderOfTexts(a.key, b.key));
  }

  /** What is there now, and between the writes of one revision what they left so far. */
  get current(): NaiveRecord[] {
    return this.at(this.revision + 1);
  }

  find(key: string): NaiveRecord | null {
    return this.current.find((record) => record.key === key) ?? null;
  }

  /** Runs `work`, whose writes get the next revision if there are any. */
  write<Result>(work: () => Result): Result {
    const countBefore = this.versions.length;
    const result = work();
    if (this.versions.length > countBefore) this.revision++;
    return result;
  }

  /** Within `write`. */
  put(key: string, value: string, lease: bigint): void {
    const old = this.find(key);
    const modRevision = this.revision + 1;
    const createRevision = old?.createRevision ?? modRevision;
    this.versions = [...this.versions, { key, value, createRevision, modRevision, version: (old?.version ?? 0) + 1, lease }];
  }

  /** Within `write`. Returns what was deleted. */
  deleteRange(key: string, rangeEnd: string): readonly NaiveRecord[] {
    const deleted = this.current.filter((record) => isWithin(record.key, key, rangeEnd));
    this.versions = [...this.versions, ...deleted.map((record) => tombstone(record.key, this.revision + 1))];
    return deleted;
  }

  /** The query's revision, if it is above 0, is one that can be read. */
  range(key: string, rangeEnd: string, query: RangeQuery): NaiveRange {
    const revision = query.revision ?? 0;
    const all = (revision > 0 ? this.at(revision) : this.current).filter((record) => isWithin(record.key, key, rangeEnd));
    if (query.countOnly === true) return { records: [], count: all.length, more: false };
    const order = orders[query.sortTarget ?? "key"];
    const direction = query.sortOrder === "descend" ? -1 : 1;
    const chosen = all
      .filter((record) => record.modRevision >= (query.minModRevision || Number.NEGATIVE_INFINITY))
      .filter((record) => record.modRevision <= (query.maxModRevision || Number.POSITIVE_INFINITY))
      .filter((record) => record.createRevision >= (query.minCreateRevision || Number.NEGATIVE_INFINITY))
      .filter((record) => record.createRevision <= (query.maxCreateRevision || Number.POSITIVE_INFINITY))
      .sort((a, b) => direction * order(a, b) || orderOfTexts(a.key, b.key))
      .map((record) => (query.keysOnly === true ? { ...record, value: "" } : record));
    const limit = query.limit !== undefined && query.limit > 0 ? query.limit : chosen.length;
    return { records: chosen.slice(0, limit), count: all.length, more: chosen.length > limit };
  }

  /** Keeps what is newer than `revision`, and what was there at it. */
  compact(revision: number): void {
    const left = new Set(this.at(revision));
    this.compactRevision = revision;
    this.versions = this.versions.filter((version) => version.modRevision > revision || left.has(version));
  }

  /** The changes of revisions from `from` up to, but without, `end`. */
  events(from: number, end: number): readonly NaiveEvent[] {
    return this.versions
      .filter((version) => version.modRevision >= from && version.modRevision < end)
      .map((version) => ({
        kind: version.version === 0 ? "delete" : "put",
        revision: version.modRevision,
        current: version,
        previous: this.#before(version),
      }));
  }

  /** What a key had before a revision, if the revision did not create it and what was before can be read. */
  #before({ key, createRevision, modRevision }: NaiveRecord): NaiveRecord | null {
    if (createRevision === modRevision || modRevision <= this.compactRevision) return null;
    return this.at(modRevision - 1).find((record) => record.key === key) ?? null;
  }

  /** Bytes of keys and values of all versions, and 64 for each. */
  get payloadBytes(): number {
    return this.versions.reduce((sum, { key, value }) => sum + key.length + value.length + 64, 0);
  }

  keysOfLease(id: bigint): readonly string[] {
    return this.current.filter((record) => record.lease === id).map((record) => record.key);
  }

  /** Ends a lease that is there. Returns the number of keys that went with it. */
  revoke(id: bigint): number {
    const keys = this.keysOfLease(id);
    this.write(() => {
      for (const key of keys) this.deleteRange(key, "");
    });
    this.leases = this.leases.filter((lease) => lease.id !== id);
    return keys.length;
  }
}

export function isWithin(key: string, start: string, rangeEnd: string): boolean {
  if (rangeEnd === "") return key === start;
  return key >= start && (rangeEnd === "\0" || key < rangeEnd);
}

function tombstone(key: string, modRevision: number): NaiveRecord {
  return { key, value: "", createRevision: 0, modRevision, version: 0, lease: 0n };
}

function orderOfTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

const orders = {
  key: (a: NaiveRecord, b: NaiveRecord) => orderOfTexts(a.key, b.key),
  version: (a: NaiveRecord, b: NaiveRecord) => a.version - b.version,
  create: (a: NaiveRecord, b: NaiveRecord) => a.createRevision - b.createRevision,
  mod: (a: NaiveRecord, b: NaiveRecord) => a.modRevision - b.modRevision,
  value: (a: NaiveRecord, b: NaiveRecord) => orderOfTexts(a.value, b.value),
};
