import type { HashRun } from "../hash-run.ts";
import type { KVSnapshot } from "../kv-snapshot.ts";
import { KVStore } from "../kv-store.ts";
import type { RequestIdentity, SessionLimits } from "../session/session-table.ts";
import { bytesOf, textOf } from "./bytes-as-text.ts";
import { differenceOf, shown } from "./difference.ts";
import { NaiveSessions } from "./naive-sessions.ts";
import { NaiveStore } from "./naive-store.ts";
import { transactNaively } from "./naive-txn.ts";
import { leaseIds, RequestGenerator } from "./request-generator.ts";
import { SeededChoice } from "./seeded-choice.ts";
import { eventsOf, expectedEvents, expectedRange, expectedState, rangeOf, wholeState } from "./store-answers.ts";

/** How often each step is taken. */
const stepWeights = {
  set: 160,
  seedWrite: 80,
  get: 20,
  deleteRange: 40,
  transact: 240,
  range: 160,
  events: 40,
  compact: 25,
  reclaim: 60,
  grant: 40,
  revoke: 12,
  expire: 12,
  checkpoint: 10,
  keysOfLease: 20,
  sessionWrite: 80,
  advanceTime: 20,
  openHash: 8,
  stepHash: 16,
  openSnapshot: 8,
  readSnapshot: 16,
  closeSnapshot: 2,
  replaceStore: 4,
  compareAll: 8,
} as const;

type StepName = keyof typeof stepWeights;

/** Small, so that all of them are met. */
const sessionLimits: SessionLimits = {
  sessionsMax: 4,
  resultsPerSessionMax: 3,
  resultBytesMax: 1700,
  replaceableAfterMs: 100,
  expiresAfterMs: 1000,
  advanceMaxMs: 400,
};

/** Steps that a failure shows. */
const traceLength = 30;

interface OpenSnapshot {
  readonly reader: KVSnapshot;
  readonly chunks: Uint8Array[];
  readonly model: NaiveStore;
  readonly sessions: NaiveSessions;
}

/**
 * Two stores with different seeds and the model, which go through the same steps. What a step does is drawn from its own seed and
 * the state, so that any list of seeds is a run. Every answer and every event is compared with the model.
 */
export class ModelRun {
  readonly #model = new NaiveStore();
  readonly #sessions = new NaiveSessions(sessionLimits);
  /** The second one is replaced by restored ones, and reclaims at other times. */
  #stores: readonly [KVStore, KVStore] = [new KVStore({ seed: 1, sessionLimits }), new KVStore({ seed: 2, sessionLimits })];
  #snapshot: OpenSnapshot | null = null;
  #hash: { readonly run: HashRun; readonly expected: number } | null = null;
  #index = 0;
  #readingMs = 1_700_000_000_000;
  readonly #trace: (readonly [StepName, readonly unknown[]])[] = [];
  #choice = new SeededChoice(0);
  #generator = new RequestGenerator(this.#choice, this.#model);

  /** @throws Error with the last steps if an answer is not the model's. */
  step(seed: number): void {
    this.#choice = new SeededChoice(seed);
    this.#generator = new RequestGenerator(this.#choice, this.#model);
    const name = this.#choice.byWeight(stepWeights);
    const revisionBefore = this.#model.revision;
    try {
      this.#steps[name]();
      this.#compareWhatChanged(revisionBefore);
    } catch (reason) {
      throw new Error(`${reason instanceof Error ? reason.message : String(reason)}\n${this.#shownTrace()}`, { cause: reason });
    }
  }

  /** Compares all there is, and what is still open. */
  finish(): void {
    this.#compareAll(this.#stores[0]);
    this.#compareAll(this.#stores[1]);
    this.#sameSnapshots();
    while (this.#hash !== null) this.#stepHash();
    while (this.#snapshot !== null) this.#readSnapshot();
    for (const store of this.#stores) this.#reclaimAll(store);
  }

  readonly #steps: Readonly<Record<StepName, () => void>> = {
    set: () => this.#set(),
    seedWrite: () => this.#seedWrite(),
    get: () => this.#get(),
    deleteRange: () => this.#deleteRange(),
    transact: () => this.#transact(),
    range: () => this.#range(),
    events: () => this.#events(),
    compact: () => this.#compact(),
    reclaim: () => this.#reclaim(),
    grant: () => this.#grant(),
    revoke: () => this.#revoke(),
    expire: () => this.#expire(),
    checkpoint: () => this.#checkpoint(),
    keysOfLease: () => this.#keysOfLease(),
    sessionWrite: () => this.#sessionWrite(),
    advanceTime: () => this.#advanceTime(),
    openHash: () => this.#openHash(),
    stepHash: () => this.#stepHash(),
    openSnapshot: () => this.#openSnapshot(),
    readSnapshot: () => this.#readSnapshot(),
    closeSnapshot: () => this.#closeSnapshot(),
    replaceStore: () => this.#replaceStore(),
    compareAll: () => this.#compareAll(this.#choice.of(this.#stores)),
  };

  #set(): void {
    const [key, value, lease, wantPrevious] = [
      this.#generator.key(),
      this.#generator.value(),
      this.#generator.leaseForPut(),
      this.#choice.onceIn(2),
    ];
    this.#note("set", key, value, lease, wantPrevious);
    const previous = wantPrevious ? this.#model.find(textOf(key)) : null;
    this.#model.write(() => this.#model.put(textOf(key), textOf(value), lease));
    this.#same((store) => store.set(key, value, { lease, wantPrevious }), { revision: this.#model.revision, previous });
  }

  /** The three writes of the seed's four operations. */
  #seedWrite(): void {
    const [kind, key, value] = [this.#choice.of(["put", "update", "remove"] as const), this.#generator.key(), this.#generator.value()];
    this.#note("seedWrite", kind, key, value);
    const isThere = this.#model.find(textOf(key)) !== null;
    if (kind === "put" && isThere) return this.#same((store) => store.put(key, value), { outcome: "already-exists" });
    if (kind === "remove") {
      this.#model.write(() => this.#model.deleteRange(textOf(key), ""));
      const expected = isThere ? { outcome: "removed", revision: this.#model.revision } : { outcome: "not-found" };
      return this.#same((store) => store.remove(key), expected);
    }
    this.#model.write(() => this.#model.put(textOf(key), textOf(value), 0n));
    const expected = { outcome: isThere ? "updated" : "created", revision: this.#model.revision };
    this.#same((store) => (kind === "put" ? store.put(key, value) : store.update(key, value)), expected);
  }

  #get(): void {
    const key = this.#generator.key();
    this.#note("get", key);
    const record = this.#model.find(textOf(key));
    this.#same((store) => store.find(key), record);
    this.#same((store) => store.get(key), record === null ? { outcome: "not-found" } : { outcome: "found", record });
  }

  #deleteRange(): void {
    const { key, rangeEnd, prevKv } = this.#generator.deleteRangeRequest();
    this.#note("deleteRange", key, rangeEnd, prevKv);
    const deleted = this.#model.write(() => this.#model.deleteRange(textOf(key), textOf(rangeEnd)));
    const expected = { revision: this.#model.revision, deleted: deleted.length, previous: prevKv ? deleted : [] };
    this.#same((store) => store.deleteRange(key, rangeEnd, { wantPrevious: prevKv }), expected);
  }

  #transact(): void {
    const request = this.#generator.txnRequest(3);
    this.#note("transact", request);
    const expected = transactNaively(this.#model, request);
    this.#same((store) => store.transact(request), expected);
  }

  #range(): void {
    const key = this.#generator.key();
    const [rangeEnd, query] = [this.#generator.rangeEnd(key), this.#generator.query()];
    this.#note("range", key, rangeEnd, query);
    const store = this.#choice.of(this.#stores);
    this.#expect(rangeOf(store, key, rangeEnd, query), expectedRange(this.#model, textOf(key), textOf(rangeEnd), query));
  }

  #events(): void {
    const [from, revisionsMax] = [this.#generator.revision(), this.#choice.of([1, 2, 10, 1000])];
    this.#note("events", from, revisionsMax);
    this.#expect(eventsOf(this.#choice.of(this.#stores), from, revisionsMax), expectedEvents(this.#model, from, revisionsMax));
  }

  #compact(): void {
    const { revision, compactRevision } = this.#model;
    const wanted = this.#choice.onceIn(3) ? this.#generator.revision() : revision - this.#choice.below(12);
    this.#note("compact", wanted);
    const expected =
      wanted <= Math.max(compactRevision, 0)
        ? { outcome: "refused", reason: "compacted" }
        : wanted > revision
          ? { outcome: "refused", reason: "future" }
          : { outcome: "compacted" };
    if (expected.outcome === "compacted") this.#model.compact(wanted);
    this.#same((store) => store.compact(wanted), expected);
  }

  /** On one store only: it must not be seen. */
  #reclaim(): void {
    const versionsMax = this.#choice.of([1, 3, 10, 1000]);
    this.#note("reclaim", versionsMax);
    this.#choice.of(this.#stores).reclaim(versionsMax);
  }

  #grant(): void {
    const [id, ttlSeconds, index] = [this.#choice.of(leaseIds), 1 + this.#choice.below(100), ++this.#index];
    this.#note("grant", id, ttlSeconds, index);
    const isThere = this.#model.leases.some((lease) => lease.id === id);
    if (!isThere) this.#model.leases = [...this.#model.leases, { id, ttlSeconds, grantIndex: index, remainingSeconds: 0 }];
    this.#same((store) => store.leases.grant(id, ttlSeconds, index), isThere ? "already-exists" : "granted");
  }

  #revoke(): void {
    const id = this.#generator.lease() || 1n;
    this.#note("revoke", id);
    const expected = this.#expectedRevoke(id);
    this.#same((store) => store.leases.revoke(id), expected);
  }

  #expire(): void {
    const id = this.#generator.lease() || 1n;
    const lease = this.#model.leases.find((each) => each.id === id);
    const grantIndex = (lease?.grantIndex ?? 1) + this.#choice.of([0, 0, 0, -1]);
    const [term, entryTerm] = [5, this.#choice.of([5, 5, 5, 6])];
    this.#note("expire", id, grantIndex, term, entryTerm);
    const isStale = lease !== undefined && (lease.grantIndex !== grantIndex || term !== entryTerm);
    const expected = isStale ? { outcome: "stale" } : this.#expectedRevoke(id);
    this.#same((store) => store.leases.expire({ id, grantIndex, term }, entryTerm), expected);
  }

  #expectedRevoke(id: bigint): unknown {
    if (!this.#model.leases.some((lease) => lease.id === id)) return { outcome: "not-found" };
    const deleted = this.#model.revoke(id);
    return { outcome: "revoked", revision: this.#model.revision, deleted };
  }

  #checkpoint(): void {
    const [id, seconds] = [this.#generator.lease() || 1n, this.#choice.below(120) - 10];
    this.#note("checkpoint", id, seconds);
    const isThere = this.#model.leases.some((lease) => lease.id === id);
    this.#model.leases = this.#model.leases.map((lease) => {
      return lease.id === id ? { ...lease, remainingSeconds: Math.max(0, Math.min(seconds, lease.ttlSeconds)) } : lease;
    });
    this.#same((store) => store.leases.checkpoint(id, seconds), isThere);
  }

  #keysOfLease(): void {
    const id = this.#generator.lease() || 1n;
    this.#note("keysOfLease", id);
    this.#same((store) => store.leases.keysOf(id), this.#model.keysOfLease(id));
    this.#same((store) => store.leases.get(id), this.#model.leases.find((lease) => lease.id === id) ?? null);
  }

  /** A put that a client may have sent before. */
  #sessionWrite(): void {
    const clientId = this.#choice.of([1n, 2n, 3n, 2n ** 63n, 2n ** 64n - 1n, 4n]);
    const known = this.#sessions.sessions.find((session) => session.clientId === clientId);
    const sequence = Math.max(1, (known?.forgottenBelow ?? 1) + this.#choice.below(6) - 1);
    const identity = { clientId, sequence, lowestAwaited: Math.max(0, sequence - this.#choice.below(6)) };
    const [key, value] = [this.#generator.key(), this.#generator.value()];
    this.#note("sessionWrite", identity, key, value);
    const expected = this.#sessions.admit(identity);
    if (expected.kind === "new") {
      this.#model.write(() => this.#model.put(textOf(key), textOf(value), 0n));
      this.#sessions.record(identity, bytesOf(`revision ${this.#model.revision}`));
    }
    this.#same((store) => writeOnce(store, identity, key, value), expected);
  }

  #advanceTime(): void {
    this.#readingMs += this.#choice.of([-500, 0, 50, 50, 100, 200, 300, 5000]);
    this.#note("advanceTime", this.#readingMs);
    this.#sessions.advance(this.#readingMs);
    this.#same((store) => store.sessions.advance(this.#readingMs), undefined);
  }

  /** Begins on one store what the other one does at once. */
  #openHash(): void {
    const { revision, compactRevision } = this.#model;
    const wanted = this.#choice.onceIn(2) ? 0 : Math.max(compactRevision, revision - this.#choice.below(10), 1);
    this.#note("openHash", wanted);
    this.#hash?.run.close();
    this.#hash = { run: this.#stores[0].startHash(wanted), expected: wholeHash(this.#stores[1], wanted) };
  }

  #stepHash(): void {
    if (this.#hash === null) return;
    const keysMax = this.#choice.of([1, 2, 5, 100]);
    this.#note("stepHash", keysMax);
    const { run, expected } = this.#hash;
    const hash = run.step(keysMax);
    if (hash === null) return;
    run.close();
    this.#hash = null;
    this.#expect(hash, expected);
  }

  #openSnapshot(): void {
    this.#note("openSnapshot");
    if (this.#snapshot !== null) return;
    const reader = this.#choice.of(this.#stores).snapshot();
    this.#snapshot = { reader, chunks: [], model: this.#model.copy(), sessions: this.#sessions.copy() };
  }

  /** Reads on; at the end a restored store has to be what the model was. */
  #readSnapshot(): void {
    this.#note("readSnapshot");
    if (this.#snapshot === null) return;
    const { reader, chunks, model, sessions } = this.#snapshot;
    const chunk = reader.nextChunk();
    if (chunk !== null) {
      chunks.push(chunk);
      return;
    }
    reader.close();
    this.#snapshot = null;
    this.#compareWith(restored(chunks, this.#choice), model, sessions);
  }

  #closeSnapshot(): void {
    this.#note("closeSnapshot");
    this.#snapshot?.reader.close();
    this.#snapshot = null;
  }

  /** Goes on with a store that was restored from the snapshot of the other. */
  #replaceStore(): void {
    this.#note("replaceStore");
    this.#sameSnapshots();
    const [first] = this.#stores;
    this.#stores = [first, restored(wholeSnapshot(first), this.#choice)];
    if (this.#choice.onceIn(2) && this.#snapshot === null && this.#hash === null) this.#stores = [this.#stores[1], first];
  }

  #sameSnapshots(): void {
    const [first, second] = this.#stores.map((store) => joinedText(wholeSnapshot(store)));
    if (first !== second) throw new Error("Snapshots of the two stores differ");
  }

  #compareWhatChanged(revisionBefore: number): void {
    const model = this.#model;
    const [store] = this.#stores;
    this.#same(({ revision, compactRevision, keyCount }) => ({ revision, compactRevision, keyCount }), {
      revision: model.revision,
      compactRevision: model.compactRevision,
      keyCount: model.current.length,
    });
    this.#same(({ bytesUsed }) => bytesUsed.payload, model.payloadBytes);
    const from = revisionBefore + 1;
    if (model.revision >= from) this.#expect(eventsOf(store, from, 1000), expectedEvents(model, from, 1000));
  }

  #compareAll(store: KVStore): void {
    this.#note("compareAll");
    this.#compareWith(store, this.#model, this.#sessions);
  }

  #compareWith(store: KVStore, model: NaiveStore, sessions: NaiveSessions): void {
    store.verify();
    const first = Math.max(model.compactRevision, 1);
    const revisions = [0, first, ...this.#choice.list(6, () => first + this.#choice.below(model.revision - first + 1))];
    this.#expect(wholeState(store, revisions), expectedState(model, sessions, revisions));
  }

  #reclaimAll(store: KVStore): void {
    reclaimToTheEnd(store);
    this.#compareAll(store);
    store.deleteRange(bytesOf("\0"), bytesOf("\0"));
    store.compact(store.revision);
    reclaimToTheEnd(store);
    store.verify();
    this.#expect(store.bytesUsed.payload, 0);
  }

  #note(name: StepName, ...details: readonly unknown[]): void {
    this.#trace.push([name, details]);
    if (this.#trace.length > traceLength) this.#trace.shift();
  }

  /** Asks both stores. */
  #same(ask: (store: KVStore) => unknown, expected: unknown): void {
    for (const store of this.#stores) this.#expect(ask(store), expected);
  }

  #expect(actual: unknown, expected: unknown): void {
    const difference = differenceOf(actual, expected);
    if (difference !== null) throw new Error(difference);
  }

  #shownTrace(): string {
    return this.#trace.map(([name, details]) => `  ${name} ${details.map(shown).join(" ")}`).join("\n");
  }
}

function writeOnce(store: KVStore, identity: RequestIdentity, key: Uint8Array, value: Uint8Array): unknown {
  const admission = store.sessions.admit(identity);
  if (admission.kind === "new") {
    const { revision } = store.update(key, value);
    store.sessions.record(identity, bytesOf(`revision ${revision}`));
  }
  return admission;
}

function reclaimToTheEnd(store: KVStore): void {
  let slices = 0;
  while (store.reclaim(100)) if (++slices > 100_000) throw new Error("Reclaiming comes to no end");
}

function wholeHash(store: KVStore, revision: number): number {
  const run = store.startHash(revision);
  let hash: number | null = null;
  while (hash === null) hash = run.step(3);
  run.close();
  return hash;
}

function wholeSnapshot(store: KVStore): Uint8Array[] {
  const reader = store.snapshot();
  const chunks: Uint8Array[] = [];
  for (let chunk = reader.nextChunk(); chunk !== null; chunk = reader.nextChunk()) chunks.push(chunk);
  reader.close();
  return chunks;
}

/** A fresh store with another seed, filled in pieces of random lengths. */
function restored(chunks: readonly Uint8Array[], choice: SeededChoice): KVStore {
  const store = new KVStore({ seed: choice.below(2 ** 32), sessionLimits });
  const restorer = store.createRestorer();
  for (const chunk of chunks) {
    const cut = choice.below(chunk.length + 1);
    restorer.push(chunk.subarray(0, cut));
    restorer.push(chunk.subarray(cut));
  }
  restorer.finish();
  return store;
}

function joinedText(chunks: readonly Uint8Array[]): string {
  return chunks.map(textOf).join("");
}
