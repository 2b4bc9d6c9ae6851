import fc from "fast-check";
import { expect, test } from "vitest";
import { orderOfBytes } from "./byte-order.ts";
import type { KeyValue } from "./key-value.ts";
import type { KVSnapshot } from "./kv-snapshot.ts";
import { KVStore } from "./kv-store.ts";
import type { RangeQuery, RangeResult } from "./range-query.ts";

/** What the store must do, written the simplest way: a map, sorted whenever order is asked for. */
class NaiveStore {
  revision = 1;
  readonly #records = new Map<string, KeyValue>();

  sorted(): KeyValue[] {
    return [...this.#records.values()].sort((a, b) => orderOfBytes(a.key, b.key));
  }

  find(key: Uint8Array): KeyValue | null {
    return this.#records.get(key.join()) ?? null;
  }

  set(key: Uint8Array, value: Uint8Array, lease: bigint): void {
    this.revision++;
    const old = this.find(key);
    this.#records.set(key.join(), {
      key,
      value,
      createRevision: old?.createRevision ?? this.revision,
      modRevision: this.revision,
      version: (old?.version ?? 0) + 1,
      lease,
    });
  }

  inRange(key: Uint8Array, rangeEnd: Uint8Array): KeyValue[] {
    return this.sorted().filter((record) => {
      if (rangeEnd.length === 0) return orderOfBytes(record.key, key) === 0;
      const isBelow = (rangeEnd.length === 1 && rangeEnd[0] === 0) || orderOfBytes(record.key, rangeEnd) < 0;
      return orderOfBytes(record.key, key) >= 0 && isBelow;
    });
  }

  deleteRange(key: Uint8Array, rangeEnd: Uint8Array): KeyValue[] {
    const deleted = this.inRange(key, rangeEnd);
    for (const record of deleted) this.#records.delete(record.key.join());
    if (deleted.length > 0) this.revision++;
    return deleted;
  }

  range(key: Uint8Array, rangeEnd: Uint8Array, query: RangeQuery): RangeResult {
    const all = this.inRange(key, rangeEnd);
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
}

type Step =
  | { readonly kind: "set"; readonly key: Uint8Array; readonly value: Uint8Array; readonly lease: bigint; readonly wantPrevious: boolean }
  | { readonly kind: "put" | "update"; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly kind: "get" | "remove"; readonly key: Uint8Array }
  | { readonly kind: "deleteRange"; readonly key: Uint8Array; readonly rangeEnd: Uint8Array; readonly wantPrevious: boolean }
  | { readonly kind: "range"; readonly key: Uint8Array; readonly rangeEnd: Uint8Array; readonly query: RangeQuery }
  | { readonly kind: "openSnapshot" | "readSnapshot" | "closeSnapshot" };

interface OpenSnapshot {
  readonly reader: KVSnapshot;
  readonly chunks: Uint8Array[];
  readonly records: readonly KeyValue[];
  readonly revision: number;
}

/** The two stores side by side, and at most one snapshot with what it must contain. */
class Pair {
  readonly store = new KVStore({ seed: 7 });
  readonly naive = new NaiveStore();
  #snapshot: OpenSnapshot | null = null;

  /** Does the step in both stores. Returns what the store gave and what it should have given. */
  run(step: Step): readonly [actual: unknown, expected: unknown] {
    const { store, naive } = this;
    switch (step.kind) {
      case "set": {
        const previous = step.wantPrevious ? naive.find(step.key) : null;
        naive.set(step.key, step.value, step.lease);
        return [store.set(step.key, step.value, step), { revision: naive.revision, previous }];
      }
      case "put": {
        if (naive.find(step.key) !== null) return [store.put(step.key, step.value), { outcome: "already-exists" }];
        naive.set(step.key, step.value, 0n);
        return [store.put(step.key, step.value), { outcome: "created", revision: naive.revision }];
      }
      case "update": {
        const outcome = naive.find(step.key) === null ? "created" : "updated";
        naive.set(step.key, step.value, 0n);
        return [store.update(step.key, step.value), { outcome, revision: naive.revision }];
      }
      case "get": {
        const record = naive.find(step.key);
        return [store.get(step.key), record === null ? { outcome: "not-found" } : { outcome: "found", record }];
      }
      case "remove": {
        const isThere = naive.deleteRange(step.key, new Uint8Array(0)).length > 0;
        return [store.remove(step.key), isThere ? { outcome: "removed", revision: naive.revision } : { outcome: "not-found" }];
      }
      case "deleteRange": {
        const deleted = naive.deleteRange(step.key, step.rangeEnd);
        const previous = step.wantPrevious ? deleted : [];
        return [store.deleteRange(step.key, step.rangeEnd, step), { revision: naive.revision, deleted: deleted.length, previous }];
      }
      case "range":
        return [store.range(step.key, step.rangeEnd, step.query), naive.range(step.key, step.rangeEnd, step.query)];
      case "openSnapshot":
        this.#snapshot ??= { reader: store.snapshot(), chunks: [], records: naive.sorted(), revision: naive.revision };
        return [null, null];
      case "readSnapshot":
        return this.readSnapshot();
      case "closeSnapshot":
        this.#snapshot?.reader.close();
        this.#snapshot = null;
        return [null, null];
    }
  }

  /** Reads a piece of the snapshot; at its end compares what it restores to. */
  readSnapshot(): readonly [actual: unknown, expected: unknown] {
    if (this.#snapshot === null) return [null, null];
    const { reader, chunks, records, revision } = this.#snapshot;
    const chunk = reader.nextChunk();
    if (chunk !== null) {
      chunks.push(chunk);
      return [null, null];
    }
    reader.close();
    this.#snapshot = null;
    const copy = new KVStore();
    const restorer = copy.createRestorer();
    for (const piece of chunks) restorer.push(piece);
    restorer.finish();
    copy.verify();
    return [
      { revision: copy.revision, records: copy.range(everything, everything).records },
      { revision, records },
    ];
  }

  get hasSnapshot(): boolean {
    return this.#snapshot !== null;
  }
}

/** The same with long byte arrays as a length and a hash, which `toEqual` compares quickly. */
function condensed(subject: unknown): unknown {
  if (subject instanceof Uint8Array) {
    if (subject.length <= 32) return subject.join();
    let hash = 0x811c9dc5;
    for (const each of subject) hash = Math.imul(hash ^ each, 0x01000193);
    return `${subject.length} bytes, hash ${hash}`;
  }
  if (Array.isArray(subject)) return subject.map(condensed);
  if (typeof subject !== "object" || subject === null) return subject;
  return Object.fromEntries(Object.entries(subject).map(([name, field]) => [name, condensed(field)]));
}

const everything = new Uint8Array([0]);
const byte = fc.constantFrom(0x00, 0x01, 0x61, 0xff);
const key = fc.array(byte, { minLength: 1, maxLength: 5 }).map((bytes) => Uint8Array.from(bytes));
const rangeEnd = fc.array(byte, { minLength: 0, maxLength: 5 }).map((bytes) => Uint8Array.from(bytes));
const filled = (length: number): Uint8Array => new Uint8Array(length).fill(length);
const value = fc.oneof(
  { weight: 12, arbitrary: fc.uint8Array({ maxLength: 20 }) },
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 1000 }).map(filled) },
  { weight: 1, arbitrary: fc.integer({ min: 60_000, max: 200_000 }).map(filled) },
);
const lease = fc.constantFrom(0n, 1n, 2n ** 40n, -5n);
const revision = fc.integer({ min: 0, max: 60 });
const query: fc.Arbitrary<RangeQuery> = fc.record(
  {
    limit: fc.integer({ min: -1, max: 6 }),
    keysOnly: fc.boolean(),
    countOnly: fc.constantFrom(false, false, false, true),
    minModRevision: revision,
    maxModRevision: revision,
    minCreateRevision: revision,
    maxCreateRevision: revision,
    sortTarget: fc.constantFrom("key", "version", "create", "mod", "value"),
    sortOrder: fc.constantFrom("none", "ascend", "descend"),
  },
  { requiredKeys: [] },
);
const wantPrevious = fc.boolean();
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("set"), key, value, lease, wantPrevious }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("put", "update"), key, value }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom("get", "remove"), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("deleteRange"), key, rangeEnd, wantPrevious }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("range"), key, rangeEnd, query }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom("openSnapshot", "readSnapshot", "readSnapshot", "closeSnapshot") }) },
);

test("the store does what a sorted map does, and its snapshots are of the moment they were opened", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: "max" }), (steps) => {
      const pair = new Pair();
      for (const each of steps) {
        const [actual, expected] = pair.run(each);
        expect(condensed(actual)).toEqual(condensed(expected));
      }
      pair.store.verify();
      while (pair.hasSnapshot) {
        const [actual, expected] = pair.readSnapshot();
        expect(condensed(actual)).toEqual(condensed(expected));
      }
      const { store, naive } = pair;
      expect(store.revision).toBe(naive.revision);
      expect(condensed(store.range(everything, everything).records)).toEqual(condensed(naive.sorted()));
      store.deleteRange(everything, everything);
      store.verify();
      expect(store.bytesUsed).toMatchObject({ payload: 0, used: new KVStore().bytesUsed.used });
    }),
    { numRuns: 300 },
  );
});
