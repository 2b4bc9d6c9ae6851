import { beforeEach, describe, expect, test } from "vitest";
import { KVStore } from "../kv-store.ts";
import { WatchHub } from "./watch-hub.ts";
import { type WatchCreation, type WatchNotice, WatchStream } from "./watch-stream.ts";

const bytes = (characters: string): Uint8Array => Uint8Array.from(characters, (character) => character.charCodeAt(0));
const text = (characters: Uint8Array): string => String.fromCharCode(...characters);
const limits = { streamWatchersMax: 4, watchersMax: 6 };

let store: KVStore;
let hub: WatchHub;
/** Notices, and events as "id: event event". */
let sent: (WatchNotice | string)[];
/** Responses that are taken before the stream has to wait. */
let room: number;
let stream: WatchStream;

beforeEach(() => {
  store = new KVStore();
  hub = new WatchHub({ store, encodeEvent: ({ revision, current }) => bytes(`${text(current.keyView())}@${revision}`) });
  sent = [];
  room = Number.POSITIVE_INFINITY;
  stream = openStream();
});

function openStream(): WatchStream {
  const take = (response: WatchNotice | string): boolean => {
    sent.push(response);
    return --room > 0;
  };
  return new WatchStream(hub, { notify: take, deliver: ({ id }, _, events) => take(`${id}: ${events.map(text).join(" ")}`) }, limits);
}

/** In a turn of its own. */
function put(key: string): void {
  store.set(bytes(key), bytes(""));
  endTurn();
}

/** A little after watchers were created. */
function begin(): void {
  stream.begin();
  hub.runTurn(() => true);
}

function endTurn(): void {
  hub.publish();
  hub.runTurn(() => true);
}

function create(key: string, options: Partial<WatchCreation> = {}): void {
  stream.create({ key: bytes(key), rangeEnd: bytes(""), ...options });
}

function taken(): (WatchNotice | string)[] {
  return sent.splice(0);
}

const created = (watchId: bigint, revision = 1): WatchNotice => ({ kind: "created", watchId, revision });
const cancelled = (watchId: bigint, revision = 1): WatchNotice => ({ kind: "cancelled", watchId, revision });
const progress = (watchId: bigint, revision: number): WatchNotice => ({ kind: "progress", watchId, revision });

describe("ids", () => {
  test("are counted from 0 and skip those that clients chose", () => {
    create("a");
    create("a", { watchId: 1n });
    create("a", { watchId: -5n });
    create("a");
    expect(taken()).toEqual([created(0n), created(1n), created(-5n), created(2n)]);
  });

  test("are not given out again when they become free, unless a client chooses them", () => {
    create("a");
    stream.cancel(0n);
    create("a");
    stream.cancel(1n);
    create("a", { watchId: 1n });
    expect(taken()).toEqual([created(0n), cancelled(0n), created(1n), cancelled(1n), created(1n)]);
  });

  test("in use are refused, and the watcher that has one goes on", () => {
    create("a", { watchId: 7n });
    create("b", { watchId: 7n });
    put("a");
    put("b");
    const reason = "mvcc: duplicate watch ID provided on the WatchStream";
    expect(taken()).toEqual([created(7n), { kind: "refused", reason, revision: 1 }, "7: a@2"]);
  });

  test("that are not known can't be cancelled", () => {
    stream.cancel(3n);
    expect(taken()).toEqual([]);
  });
});

test("a range that no key lies in is refused", () => {
  create("b", { rangeEnd: bytes("a") });
  expect(taken()).toEqual([{ kind: "refused", reason: "mvcc: watcher range is empty", revision: 1 }]);
});

test("a creation is answered before the events of its watcher, and a cancellation behind them", () => {
  put("a");
  create("a", { startRevision: 1 });
  begin();
  put("a");
  stream.cancel(0n);
  put("a");
  expect(taken()).toEqual([created(0n, 2), "0: a@2", "0: a@3", cancelled(0n, 3)]);
});

test("a watcher from a past revision on gets nothing before the stream lets it begin, and misses nothing", () => {
  for (let i = 0; i < 3; i++) put("a");
  create("a", { startRevision: 3 });
  create("a", { startRevision: 2, watchId: 7n });
  expect(stream.hasHeld).toBe(true);
  hub.runTurn(() => true);
  put("a");
  stream.cancel(7n);
  expect(taken()).toEqual([created(0n, 4), created(7n, 4), cancelled(7n, 5)]);
  begin();
  expect(taken()).toEqual(["0: a@3 a@4 a@5"]);
  expect(stream.hasHeld).toBe(false);
});

test("a watcher from a future revision on gets nothing earlier", () => {
  create("a", { startRevision: 4 });
  for (let i = 0; i < 4; i++) put("a");
  expect(taken()).toEqual([created(0n), "0: a@4", "0: a@5"]);
});

test("events that a watcher does not want are left out", () => {
  create("a", { noPut: true });
  create("a", { noDelete: true });
  put("a");
  store.deleteRange(bytes("a"), bytes(""));
  endTurn();
  expect(taken()).toEqual([created(0n), created(1n), "1: a@2", "0: a@3"]);
});

test("a watcher whose start is compacted is told, and its id is taken until it is cancelled", () => {
  for (let i = 0; i < 4; i++) put("a");
  store.compact(4);
  create("a", { startRevision: 3 });
  begin();
  create("a", { watchId: 0n });
  stream.cancel(0n);
  expect(taken()).toEqual([created(0n, 5), { kind: "overtaken", watchId: 0n, compactRevision: 4 }, created(1n, 5), cancelled(0n, 5)]);
  expect(hub.watcherCount).toBe(1);
});

describe("limits", () => {
  test("of a stream are refused with a sentence, and count the ids in use", () => {
    for (let i = 0; i < 5; i++) create("a");
    expect(taken().at(-1)).toEqual({ kind: "refused", reason: "raftkv: a stream has at most 4 watchers, open another one", revision: 1 });
    stream.cancel(0n);
    create("a");
    expect(taken().at(-1)).toEqual(created(4n));
  });

  test("of the member hold for all streams together", () => {
    for (let i = 0; i < 4; i++) create("a");
    stream = openStream();
    for (let i = 0; i < 3; i++) create("a");
    expect(taken().at(-1)).toEqual({ kind: "refused", reason: "raftkv: a member has at most 6 watchers, ask another one", revision: 1 });
  });
});

describe("progress that is asked for", () => {
  test("is told of all watchers together", () => {
    put("b");
    create("a");
    create("b", { startRevision: 3 });
    taken();
    stream.requestProgress();
    expect(taken()).toEqual([progress(-1n, 2)]);
  });

  test("is not told without a watcher, or while one lacks something or waits for a later revision", () => {
    stream.requestProgress();
    put("a");
    create("a", { startRevision: 1 });
    taken();
    stream.requestProgress();
    expect(taken()).toEqual([]);
    begin();
    create("a", { startRevision: 9 });
    taken();
    stream.requestProgress();
    expect(taken()).toEqual([]);
    stream.cancel(1n);
    taken();
    stream.requestProgress();
    expect(taken()).toEqual([progress(-1n, 2)]);
  });
});

describe("progress at intervals", () => {
  test("is told of watchers that want it and got nothing in the interval", () => {
    create("a", { progressNotify: true });
    create("b", { progressNotify: true });
    create("c");
    taken();
    stream.notifyProgress();
    expect(taken()).toEqual([progress(0n, 1), progress(1n, 1)]);
    put("a");
    taken();
    stream.notifyProgress();
    expect(taken()).toEqual([progress(1n, 2)]);
    stream.notifyProgress();
    expect(taken()).toEqual([progress(0n, 2), progress(1n, 2)]);
  });

  test("is wanted while such a watcher lives", () => {
    expect(stream.wantsProgress).toBe(false);
    create("a", { progressNotify: true });
    create("b");
    expect(stream.wantsProgress).toBe(true);
    stream.cancel(0n);
    expect(stream.wantsProgress).toBe(false);
  });

  test("is not told of a watcher that lacks something, nor to a client that does not read", () => {
    put("a");
    create("a", { progressNotify: true, startRevision: 1 });
    taken();
    stream.notifyProgress();
    expect(taken()).toEqual([]);
    begin();
    taken();
    create("b", { progressNotify: true });
    room = 1;
    create("c", { progressNotify: true });
    taken();
    stream.notifyProgress();
    expect(taken()).toEqual([]);
    stream.drained();
    stream.notifyProgress();
    expect(taken()).toContainEqual(progress(1n, 2));
  });
});

test("a client that does not read gets nothing until it does, and then everything in order", () => {
  create("a");
  create("b");
  room = 2;
  put("a");
  put("b");
  put("a");
  put("c");
  put("b");
  hub.runTurn(() => true);
  expect(taken().slice(2)).toEqual(["0: a@2", "1: b@3"]);
  room = Number.POSITIVE_INFINITY;
  stream.drained();
  hub.runTurn(() => true);
  const rest = taken();
  expect(rest).toHaveLength(2);
  expect(rest).toEqual(expect.arrayContaining(["0: a@4", "1: b@6"]));
});

test("a stream that is closed sends nothing any more and keeps no watcher", () => {
  create("a", { progressNotify: true });
  create("b", { startRevision: 1 });
  taken();
  stream.close();
  put("a");
  hub.runTurn(() => true);
  stream.notifyProgress();
  stream.drained();
  expect(taken()).toEqual([]);
  expect(hub.watcherCount).toBe(0);
});
