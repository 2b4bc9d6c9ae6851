import type { KVStore } from "../kv-store.ts";
import { bytesOf, textOf } from "./bytes-as-text.ts";
import { type ModelState, newStore, type Step } from "./model-state.ts";
import type { NaiveSessions } from "./naive-sessions.ts";
import type { NaiveStore } from "./naive-store.ts";
import type { SeededChoice } from "./seeded-choice.ts";
import { expectedState, wholeState } from "./store-answers.ts";

/** What looks at the whole state, at once or while it changes. */
export const snapshotSteps = {
  openHash: { weight: 8, run: openHash },
  stepHash: { weight: 16, run: stepHash },
  openSnapshot: { weight: 8, run: openSnapshot },
  readSnapshot: { weight: 16, run: readSnapshot },
  closeSnapshot: { weight: 2, run: closeSnapshot },
  replaceStore: { weight: 4, run: replaceStore },
  compareAll: { weight: 8, run: (state) => compareStore(state, state.choice.of(state.stores)) },
} as const satisfies Readonly<Record<string, Step>>;

/** Compares all there is, reads to their ends what is open, and leaves nothing in the stores. */
export function finishSteps(state: ModelState): void {
  for (const store of state.stores) compareStore(state, store);
  expectSameSnapshots(state);
  while (state.hash !== null) stepHash(state);
  while (state.snapshot !== null) readSnapshot(state);
  for (const store of state.stores) {
    reclaimToTheEnd(store);
    compareStore(state, store);
    store.deleteRange(bytesOf("\0"), bytesOf("\0"));
    store.compact(store.revision);
    reclaimToTheEnd(store);
    store.verify();
    state.expect(store.payloadBytes, 0);
  }
}

/** Begins on one store what the other one does at once. */
function openHash(state: ModelState): void {
  const { revision, compactRevision } = state.model;
  const wanted = state.choice.onceIn(2) ? 0 : Math.max(compactRevision, revision - state.choice.below(10), 1);
  state.note(wanted);
  state.hash?.run.close();
  state.hash = { run: state.stores[0].startHash(wanted), expected: wholeHash(state.stores[1], wanted) };
}

function stepHash(state: ModelState): void {
  if (state.hash === null) return;
  const versionsMax = state.choice.of([1, 2, 5, 100]);
  state.note(versionsMax);
  const { run, expected } = state.hash;
  const hash = run.step(versionsMax);
  if (hash === null) return;
  run.close();
  state.hash = null;
  state.expect(hash, expected);
}

function openSnapshot(state: ModelState): void {
  if (state.snapshot !== null) return;
  const reader = state.choice.of(state.stores).snapshot();
  state.snapshot = { reader, chunks: [], model: state.model.copy(), sessions: state.sessions.copy() };
}

/** Reads on; at the end a restored store has to be what the model was. */
function readSnapshot(state: ModelState): void {
  if (state.snapshot === null) return;
  const { reader, chunks, model, sessions } = state.snapshot;
  const chunk = reader.nextChunk();
  if (chunk !== null) {
    chunks.push(chunk);
    return;
  }
  reader.close();
  state.snapshot = null;
  compareWith(state, restored(chunks, state.choice), model, sessions);
}

function closeSnapshot(state: ModelState): void {
  state.snapshot?.reader.close();
  state.snapshot = null;
}

/** Goes on with a store that was restored from the snapshot of the first one, now and then instead of it. */
function replaceStore(state: ModelState): void {
  expectSameSnapshots(state);
  const [first] = state.stores;
  const second = restored(wholeSnapshot(first), state.choice);
  const isNothingOpen = state.snapshot === null && state.hash === null;
  state.stores = isNothingOpen && state.choice.onceIn(2) ? [second, first] : [first, second];
}

function compareStore(state: ModelState, store: KVStore): void {
  compareWith(state, store, state.model, state.sessions);
}

/** With ranges at some of the revisions that can be read. */
function compareWith(state: ModelState, store: KVStore, model: NaiveStore, sessions: NaiveSessions): void {
  store.verify();
  const first = Math.max(model.compactRevision, 1);
  const revisions = [0, first, ...state.choice.list(6, () => first + state.choice.below(model.revision - first + 1))];
  state.expect(wholeState(store, revisions), expectedState(model, sessions, revisions));
}

function expectSameSnapshots({ stores }: ModelState): void {
  const [first, second] = stores.map((store) => wholeSnapshot(store).map(textOf).join(""));
  if (first !== second) throw new Error("Snapshots of the two stores differ");
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
  const store = newStore(choice.below(2 ** 32));
  const restorer = store.createRestorer();
  for (const chunk of chunks) {
    const cut = choice.below(chunk.length + 1);
    restorer.push(chunk.subarray(0, cut));
    restorer.push(chunk.subarray(cut));
  }
  restorer.finish();
  return store;
}
