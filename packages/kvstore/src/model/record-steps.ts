import { textOf } from "./bytes-as-text.ts";
import type { ModelState, Step } from "./model-state.ts";
import { transactNaively } from "./naive-txn.ts";
import { eventsOf, expectedEvents, expectedRange, rangeOf } from "./store-answers.ts";

/** What reads and writes keys, and what gives up old versions. */
export const recordSteps = {
  set: { weight: 160, run: set },
  operate: { weight: 80, run: operate },
  get: { weight: 20, run: get },
  deleteRange: { weight: 40, run: deleteRange },
  transact: { weight: 240, run: transact },
  range: { weight: 140, run: range },
  rangeInParts: { weight: 20, run: rangeInParts },
  events: { weight: 40, run: events },
  compact: { weight: 25, run: compact },
  reclaim: { weight: 60, run: reclaim },
} as const satisfies Readonly<Record<string, Step>>;

function set(state: ModelState): void {
  const { model, generator } = state;
  const [key, value, lease, wantPrevious] = [generator.key(), generator.value(), generator.leaseForPut(), state.choice.onceIn(2)];
  state.note(key, value, lease, wantPrevious);
  const previous = wantPrevious ? model.find(textOf(key)) : null;
  model.write(() => model.put(textOf(key), textOf(value), lease));
  state.expectBoth((store) => store.set(key, value, { lease, wantPrevious }), { revision: model.revision, previous });
}

/** One of the writes of RaftKV's own four operations. */
function operate(state: ModelState): void {
  const { model, generator } = state;
  const [kind, key, value] = [state.choice.of(["put", "update", "remove"] as const), generator.key(), generator.value()];
  state.note(kind, key, value);
  const isThere = model.find(textOf(key)) !== null;
  if (kind === "put" && isThere) return state.expectBoth((store) => store.put(key, value), { outcome: "already-exists" });
  if (kind === "remove") {
    model.write(() => model.deleteRange(textOf(key), ""));
    const expected = isThere ? { outcome: "removed", revision: model.revision } : { outcome: "not-found" };
    return state.expectBoth((store) => store.remove(key), expected);
  }
  model.write(() => model.put(textOf(key), textOf(value), 0n));
  const expected = { outcome: isThere ? "updated" : "created", revision: model.revision };
  state.expectBoth((store) => (kind === "put" ? store.put(key, value) : store.update(key, value)), expected);
}

function get(state: ModelState): void {
  const key = state.generator.key();
  state.note(key);
  const record = state.model.find(textOf(key));
  state.expectBoth((store) => store.find(key), record);
  state.expectBoth((store) => store.get(key), record === null ? { outcome: "not-found" } : { outcome: "found", record });
}

function deleteRange(state: ModelState): void {
  const { model } = state;
  const { key, rangeEnd, prevKv } = state.generator.deleteRangeRequest();
  state.note(key, rangeEnd, prevKv);
  const deleted = model.write(() => model.deleteRange(textOf(key), textOf(rangeEnd)));
  const expected = { revision: model.revision, deleted: deleted.length, previous: prevKv ? deleted : [] };
  state.expectBoth((store) => store.deleteRange(key, rangeEnd, { wantPrevious: prevKv }), expected);
}

function transact(state: ModelState): void {
  const request = state.generator.txnRequest(3);
  state.note(request);
  const expected = transactNaively(state.model, request);
  state.expectBoth((store) => store.transact(request), expected);
}

function range(state: ModelState): void {
  const key = state.generator.key();
  const [rangeEnd, query] = [state.generator.rangeEnd(key), state.generator.query()];
  state.note(key, rangeEnd, query);
  const store = state.choice.of(state.stores);
  state.expect(rangeOf(store, key, rangeEnd, query), expectedRange(state.model, textOf(key), textOf(rangeEnd), query));
}

/** Reads a range some records at a time, each part from where the last one ended, at a revision that stays. */
function rangeInParts(state: ModelState): void {
  const { model, choice } = state;
  const [start, limit] = [state.generator.key(), 1 + choice.below(5)];
  const rangeEnd = state.generator.rangeEnd(start);
  const revision = Math.max(model.compactRevision, model.revision - choice.below(20), 1);
  state.note(start, rangeEnd, limit, revision);
  const store = choice.of(state.stores);
  let key = start;
  for (let left = model.range(textOf(start), textOf(rangeEnd), { revision }).records; ; left = left.slice(limit)) {
    const part = store.range(key, rangeEnd, { revision, limit });
    state.expect(part, { records: left.slice(0, limit), count: left.length, more: left.length > limit });
    const last = part.records.at(-1);
    if (!part.more || last === undefined) return;
    key = Uint8Array.from([...last.key, 0]);
  }
}

function events(state: ModelState): void {
  const [from, revisionsMax] = [state.generator.revision(), state.choice.of([1, 2, 10, 1000])];
  state.note(from, revisionsMax);
  state.expect(eventsOf(state.choice.of(state.stores), from, revisionsMax), expectedEvents(state.model, from, revisionsMax));
}

function compact(state: ModelState): void {
  const { model } = state;
  const wanted = state.choice.onceIn(3) ? state.generator.revision() : model.revision - state.choice.below(12);
  state.note(wanted);
  const reason = wanted <= model.compactRevision ? "compacted" : wanted > model.revision ? "future" : null;
  if (reason === null) model.compact(wanted);
  const expected = reason === null ? { outcome: "compacted" } : { outcome: "refused", reason };
  state.expectBoth((store) => store.compact(wanted), expected);
}

/** On one store only: it must not be seen. */
function reclaim(state: ModelState): void {
  const eventsMax = state.choice.of([1, 3, 10, 1000]);
  state.note(eventsMax);
  state.choice.of(state.stores).reclaim(eventsMax);
}
