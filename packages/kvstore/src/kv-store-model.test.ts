import fc from "fast-check";
import { expect, test } from "vitest";
import type { HashRun } from "./hash-run.ts";
import type { KVSnapshot } from "./kv-snapshot.ts";
import { KVStore } from "./kv-store.ts";
import type { RangeQuery } from "./range-query.ts";
import { NaiveStore } from "./testing/naive-store.ts";

type Write =
  | { readonly kind: "set"; readonly key: Uint8Array; readonly value: Uint8Array; readonly lease: bigint; readonly wantPrevious: boolean }
  | { readonly kind: "put" | "update"; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly kind: "remove"; readonly key: Uint8Array }
  | { readonly kind: "deleteRange"; readonly key: Uint8Array; readonly rangeEnd: Uint8Array; readonly wantPrevious: boolean };

/** Shares are of the revisions that can be named: 0 is the compact revision, 1 the current one. */
type Step =
  | Write
  | { readonly kind: "get"; readonly key: Uint8Array }
  | { readonly kind: "atOneRevision"; readonly writes: readonly Write[] }
  | { readonly kind: "range"; readonly key: Uint8Array; readonly rangeEnd: Uint8Array; readonly query: RangeQuery; readonly share: number }
  | { readonly kind: "events"; readonly share: number; readonly revisionsMax: number }
  | { readonly kind: "compact"; readonly share: number }
  | { readonly kind: "reclaim"; readonly versionsMax: number }
  | { readonly kind: "startHash"; readonly share: number }
  | { readonly kind: "openSnapshot" | "readSnapshot" | "closeSnapshot" | "stepHash" | "restore" };

interface OpenSnapshot {
  readonly reader: KVSnapshot;
  readonly chunks: Uint8Array[];
  readonly expected: unknown;
}

type Comparison = readonly [actual: unknown, expected: unknown];
const nothing: Comparison = [null, null];

/** The two stores side by side, and snapshots and hashes on their way with what they must give. */
class Pair {
  store = new KVStore({ seed: 7 });
  readonly naive = new NaiveStore();
  #snapshots: OpenSnapshot[] = [];
  #hash: { readonly run: HashRun; readonly expected: number } | null = null;
  #restoreCount = 0;

  constructor() {
    for (const id of leases) if (id !== 0n) this.store.leases.grant(id, 10, 1);
  }

  /** Does the step in both stores. Returns what the store gave and what it should have given. */
  run(step: Step): Comparison {
    const { store, naive } = this;
    switch (step.kind) {
      case "get": {
        const record = naive.find(step.key);
        return [store.get(step.key), record === null ? { outcome: "not-found" } : { outcome: "found", record }];
      }
      case "range": {
        const query = { ...step.query, revision: step.share < 0 ? 0 : this.#revisionAt(step.share) };
        return [store.range(step.key, step.rangeEnd, query), naive.range(step.key, step.rangeEnd, query)];
      }
      case "atOneRevision": {
        const results: Comparison[] = [];
        store.atOneRevision(() => naive.atOneRevision(() => results.push(...step.writes.map((write) => this.#write(write)))));
        return [
          [store.revision, ...results.map(([actual]) => actual)],
          [naive.revision, ...results.map(([, expected]) => expected)],
        ];
      }
      case "events":
        return this.#events(this.#revisionAt(step.share), step.revisionsMax);
      case "compact": {
        const revision = this.#revisionAt(step.share);
        const isRefused = revision <= Math.max(naive.compactRevision, 0);
        if (!isRefused) naive.compact(revision);
        return [store.compact(revision), isRefused ? { outcome: "refused", reason: "compacted" } : { outcome: "compacted" }];
      }
      case "reclaim":
        store.reclaim(step.versionsMax);
        return nothing;
      case "openSnapshot":
        this.#snapshots.push({ reader: store.snapshot(), chunks: [], expected: stateOf(store) });
        return nothing;
      case "readSnapshot":
        return this.readSnapshot();
      case "closeSnapshot":
        this.#snapshots.shift()?.reader.close();
        return nothing;
      case "startHash":
        this.#startHash(this.#revisionAt(step.share));
        return nothing;
      case "stepHash":
        return this.stepHash();
      case "restore":
        this.#restore();
        return nothing;
      default:
        return this.#write(step);
    }
  }

  /** Reads a piece of the oldest open snapshot; at its end compares what it restores to. */
  readSnapshot(): Comparison {
    const [snapshot] = this.#snapshots;
    if (snapshot === undefined) return nothing;
    const { reader, chunks, expected } = snapshot;
    const chunk = reader.nextChunk();
    if (chunk !== null) {
      chunks.push(chunk);
      return nothing;
    }
    reader.close();
    this.#snapshots.shift();
    return [stateOf(restored(chunks, 99)), expected];
  }

  stepHash(): Comparison {
    const hash = this.#hash?.run.step(5) ?? null;
    if (this.#hash === null || hash === null) return nothing;
    const { expected } = this.#hash;
    this.#hash = null;
    return [hash, expected];
  }

  get isReading(): boolean {
    return this.#snapshots.length > 0 || this.#hash !== null;
  }

  /** What both have: state at all revisions that can be read, all events, and the payload. */
  compareAll(): Comparison {
    const { store, naive } = this;
    const actual: unknown[] = [store.revision, store.compactRevision, store.payloadBytes, store.keyCount];
    const expected: unknown[] = [naive.revision, naive.compactRevision, naive.payload(), naive.at(naive.revision).length];
    for (let revision = Math.max(1, naive.compactRevision); revision <= naive.revision; revision++) {
      actual.push(store.range(everything, everything, { revision }).records);
      expected.push(naive.at(revision));
    }
    const [actualEvents, expectedEvents] = this.#events(Math.max(1, naive.compactRevision), naive.revision);
    return [
      [...actual, actualEvents],
      [...expected, expectedEvents],
    ];
  }

  #write(step: Write): Comparison {
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
      case "remove": {
        const isThere = naive.deleteRange(step.key, new Uint8Array(0)).length > 0;
        return [store.remove(step.key), isThere ? { outcome: "removed", revision: naive.revision } : { outcome: "not-found" }];
      }
      case "deleteRange": {
        const deleted = naive.deleteRange(step.key, step.rangeEnd);
        const previous = step.wantPrevious ? deleted : [];
        return [store.deleteRange(step.key, step.rangeEnd, step), { revision: naive.revision, deleted: deleted.length, previous }];
      }
    }
  }

  #events(from: number, revisionsMax: number): Comparison {
    const end = Math.min(from + revisionsMax, this.naive.revision + 1);
    const events = eventsOf(this.store, from, revisionsMax);
    return [events, { next: end, events: this.naive.events(from, end) }];
  }

  /** A second store that did the same, but for what is freed, must give the same hash. */
  #startHash(revision: number): void {
    this.#hash?.run.close();
    const chunks = chunksOf(this.store.snapshot());
    const run = restored(chunks, 3).startHash(revision);
    this.#hash = { run: this.store.startHash(revision), expected: run.step(Number.POSITIVE_INFINITY) ?? -1 };
  }

  #restore(): void {
    const chunks = chunksOf(this.store.snapshot());
    this.store = restored(chunks, this.#restoreCount++);
  }

  #revisionAt(share: number): number {
    const first = Math.max(1, this.naive.compactRevision);
    return first + Math.round(share * (this.naive.revision - first));
  }
}

function chunksOf(snapshot: KVSnapshot): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let chunk = snapshot.nextChunk(); chunk !== null; chunk = snapshot.nextChunk()) chunks.push(chunk);
  snapshot.close();
  return chunks;
}

function restored(chunks: readonly Uint8Array[], seed: number): KVStore {
  const copy = new KVStore({ seed });
  const restorer = copy.createRestorer();
  for (const chunk of chunks) restorer.push(chunk);
  restorer.finish();
  copy.verify();
  return copy;
}

function stateOf(store: KVStore): unknown {
  const first = Math.max(1, store.compactRevision);
  const { revision, compactRevision, keyCount, payloadBytes } = store;
  const { records } = store.range(everything, everything);
  const bytes = chunksOf(store.snapshot());
  return condensed({
    revision,
    compactRevision,
    keyCount,
    payload: payloadBytes,
    records,
    events: eventsOf(store, first, revision),
    bytes,
  });
}

function eventsOf(store: KVStore, from: number, revisionsMax: number): { next: number; events: unknown[] } {
  const events: unknown[] = [];
  const next = store.visitEvents(from, revisionsMax, ({ kind, revision, current, previous }) => {
    const record = current.toKeyValue();
    expect(record.modRevision).toBe(revision);
    events.push({ ...record, value: kind === "delete" ? null : record.value, previous: previous?.toKeyValue() ?? null });
  });
  return { next, events };
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
const key = fc.array(byte, { minLength: 1, maxLength: 4 }).map((bytes) => Uint8Array.from(bytes));
const rangeEnd = fc.array(byte, { minLength: 0, maxLength: 4 }).map((bytes) => Uint8Array.from(bytes));
const filled = (length: number): Uint8Array => new Uint8Array(length).fill(length);
const value = fc.oneof(
  { weight: 40, arbitrary: fc.uint8Array({ maxLength: 20 }) },
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 1000 }).map(filled) },
  { weight: 1, arbitrary: fc.integer({ min: 60_000, max: 200_000 }).map(filled) },
);
const leases = [0n, 1n, 2n ** 40n, -5n];
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
const share = fc.double({ min: 0, max: 1, noNaN: true });
const write: fc.Arbitrary<Write> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("set"), key, value, lease: fc.constantFrom(...leases), wantPrevious }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("put", "update"), key, value }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("remove"), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("deleteRange"), key, rangeEnd, wantPrevious }) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 16, arbitrary: write },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("atOneRevision"), writes: fc.array(write, { maxLength: 5 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("get"), key }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("range"), key, rangeEnd, query, share: fc.oneof(fc.constant(-1), share) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("events"), share, revisionsMax: fc.integer({ min: 1, max: 20 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("compact"), share }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("reclaim"), versionsMax: fc.integer({ min: 0, max: 20 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("startHash"), share }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom("openSnapshot", "readSnapshot", "readSnapshot", "closeSnapshot", "stepHash", "stepHash", "restore"),
    }),
  },
);

test("the store does what a list of all changes does, and snapshots and hashes are of the moment they began", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: "max" }), (steps) => {
      const pair = new Pair();
      const check = ([actual, expected]: Comparison): void => expect(condensed(actual)).toEqual(condensed(expected));
      for (const each of steps) check(pair.run(each));
      pair.store.verify();
      check(pair.compareAll());
      while (pair.isReading) {
        check(pair.readSnapshot());
        check(pair.stepHash());
      }
      while (pair.store.reclaim(3)) pair.store.verify();
      check(pair.compareAll());
      const { store } = pair;
      store.deleteRange(everything, everything);
      store.set(everything, everything);
      store.compact(store.revision);
      while (store.reclaim(1000));
      store.verify();
      const fresh = new KVStore();
      fresh.set(everything, everything);
      expect(store.payloadBytes).toBe(fresh.payloadBytes);
      expect(store.usedBytes).toBeCloseTo(fresh.usedBytes, -3);
    }),
    { numRuns: 150 },
  );
});
