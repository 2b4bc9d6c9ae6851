import { beforeEach, describe, expect, test } from "vitest";
import type { EventView } from "../event-view.ts";
import { KVStore } from "../kv-store.ts";
import { keySpanOf } from "./key-span.ts";
import { WatchHub } from "./watch-hub.ts";
import type { Watcher, WatcherOptions, WatchReceiver } from "./watcher.ts";

const bytes = (characters: string): Uint8Array => Uint8Array.from(characters, (character) => character.charCodeAt(0));
const text = (characters: Uint8Array): string => new TextDecoder().decode(characters);
const allKeys = { key: bytes("\0"), rangeEnd: bytes("\0") };

/** Keeps what it is told. */
class Recorder implements WatchReceiver {
  isReady = true;
  readonly responses: { readonly watcher: Watcher; readonly revision: number; readonly events: string[] }[] = [];
  readonly compactRevisions: number[] = [];
  onDeliver: () => void = () => {};

  get events(): string[] {
    return this.responses.flatMap((response) => response.events);
  }

  deliver(watcher: Watcher, revision: number, events: readonly Uint8Array[]): void {
    this.responses.push({ watcher, revision, events: events.map(text) });
    this.onDeliver();
  }

  overtaken(_watcher: Watcher, compactRevision: number): void {
    this.compactRevisions.push(compactRevision);
  }
}

let store: KVStore;
let hub: WatchHub;
let encodedCount: number;
let receiver: Recorder;

beforeEach(() => {
  store = new KVStore();
  encodedCount = 0;
  const encodeEvent = ({ kind, revision, current }: EventView, withPrevious: boolean): Uint8Array => {
    encodedCount++;
    return bytes(`${kind} ${text(current.keyView())} ${revision}${withPrevious ? " with previous" : ""}`);
  };
  hub = new WatchHub({ store, encodeEvent });
  receiver = new Recorder();
});

function put(key: string, value = ""): void {
  store.set(bytes(key), bytes(value));
  hub.publish();
}

function watch({ key, rangeEnd }: { key: Uint8Array; rangeEnd: Uint8Array }, options: Partial<WatcherOptions> = {}): Watcher {
  const span = keySpanOf(key, rangeEnd);
  if (span === null) throw new Error("No key lies in the range");
  return hub.watch({ span, startRevision: 0, ...options }, receiver);
}

const one = (key: string) => ({ key: bytes(key), rangeEnd: bytes("") });

describe("a change", () => {
  test("reaches those whom its key concerns, at once", () => {
    watch(one("a"));
    watch({ key: bytes("a"), rangeEnd: bytes("b") });
    watch(one("b"));
    put("a");
    expect(receiver.responses.map(({ revision, events }) => ({ revision, events }))).toEqual([
      { revision: 2, events: ["put a 2"] },
      { revision: 2, events: ["put a 2"] },
    ]);
  });

  test("is encoded once for all watchers that want it in the same form", () => {
    put("a");
    for (let i = 0; i < 500; i++) watch(one("a"), { wantsPrevious: i % 2 === 0 });
    put("a");
    expect(receiver.responses).toHaveLength(500);
    expect(encodedCount).toBe(2);
    expect(hub.deliveredEvents).toBe(500);
  });

  test("is not looked at while nobody watches its key", () => {
    watch(one("b"));
    put("a");
    expect(encodedCount).toBe(0);
  });

  test("of several keys comes in one response", () => {
    watch(allKeys);
    store.atOneRevision(() => {
      store.set(bytes("b"), bytes("1"));
      store.set(bytes("a"), bytes("1"));
    });
    hub.publish();
    expect(receiver.responses.map(({ events }) => events)).toEqual([["put b 2", "put a 2"]]);
  });

  test("that ends a watcher spares it what was meant for it", () => {
    const watchers = [watch(one("a")), watch(one("a")), watch(one("a"))];
    receiver.onDeliver = () => {
      for (const watcher of watchers) hub.cancel(watcher);
    };
    put("a");
    expect(receiver.responses).toHaveLength(1);
    expect(hub.watcherCount).toBe(0);
  });
});

describe("a turn with too much to deliver at once", () => {
  const watcherCount = 1000;
  const changeCount = 20;

  beforeEach(() => {
    for (let i = 0; i < watcherCount; i++) watch(one("a"));
    for (let i = 0; i < changeCount; i++) put("a", "v".repeat(100));
  });

  test("leaves the rest to its end, where it takes few responses and each event is encoded once more", () => {
    const live = receiver.responses.length;
    expect(live).toBeLessThan(3 * watcherCount);
    expect(hub.slowCount).toBe(watcherCount);
    expect(hub.runTurn(() => true)).toBe(false);
    expect(receiver.responses.length).toBeLessThanOrEqual(live + watcherCount);
    expect(encodedCount).toBeLessThanOrEqual(changeCount + 3);
    expect(hub.deliveredEvents).toBe(watcherCount * changeCount);
    expect(hub.slowCount).toBe(0);
  });

  test("goes on in the next turn when its time is over", () => {
    const live = receiver.responses.length;
    expect(hub.runTurn(() => false)).toBe(true);
    expect(receiver.responses).toHaveLength(live);
    for (let turn = 0; hub.runTurn(() => false); turn++) if (turn < 5) put("b");
    expect(hub.deliveredEvents).toBe(watcherCount * changeCount);
  });

  test("is followed by one that delivers at once again", () => {
    hub.runTurn(() => true);
    const before = receiver.responses.length;
    put("a");
    expect(receiver.responses).toHaveLength(before + watcherCount);
  });
});

describe("history", () => {
  test("comes with a thousand revisions in a response, those included whose events are left out", () => {
    for (let i = 0; i < 2500; i++) {
      store.set(bytes("other"), bytes(""));
      if (i % 2 === 0) store.set(bytes("a"), bytes(""));
      else store.deleteRange(bytes("a"), bytes(""));
    }
    hub.publish();
    watch(one("a"), { startRevision: 1 });
    hub.runTurn(() => true);
    expect(receiver.responses.map(({ events }) => events.length)).toEqual([1000, 1000, 500]);
    expect(receiver.responses.map(({ revision }) => revision)).toEqual(receiver.responses.map(() => store.revision));

    receiver.responses.length = 0;
    watch(one("a"), { startRevision: 1, skipsDeletes: true });
    hub.runTurn(() => true);
    expect(receiver.responses.map(({ events }) => events.length)).toEqual([500, 500, 250]);
  });

  test("is gone through once by all who lack it, wherever they begin", () => {
    for (let i = 0; i < 300; i++) put(`k${i % 7}`);
    for (let i = 0; i < 100; i++) watch(allKeys, { startRevision: 1 + i });
    hub.runTurn(() => true);
    expect(encodedCount).toBe(300);
    expect(hub.deliveredEvents).toBe(Array.from({ length: 100 }, (_, i) => 300 - Math.max(0, i - 1)).reduce((sum, count) => sum + count));
  });

  test("of large events is delivered before it takes much memory", () => {
    for (let i = 0; i < 40; i++) put("a", "v".repeat(100));
    const large = new WatchHub({ store, encodeEvent: () => new Uint8Array(1024 * 1024) });
    const span = keySpanOf(bytes("a"), bytes(""));
    if (span === null) throw new Error("No key lies in the range");
    large.watch({ span, startRevision: 1 }, receiver);
    large.runTurn(() => true);
    expect(receiver.responses.map(({ events }) => events.length)).toEqual([16, 16, 8]);
  });

  test("that is compacted ends a watcher, also if a first part was on its way", () => {
    for (let i = 0; i < 20; i++) put("a", "v".repeat(100));
    const watcher = watch(one("a"), { startRevision: 5 });
    store.compact(5);
    hub.runTurn(() => true);
    expect(receiver.events).toHaveLength(17);
    const late = watch(one("a"), { startRevision: 4 });
    hub.runTurn(() => true);
    expect([watcher.state, late.state]).toEqual(["live", "overtaken"]);
    expect(receiver.compactRevisions).toEqual([5]);
  });

  test("begins with the next change for a start of 0, and in a store that was never compacted for one of -1", () => {
    put("a");
    watch(one("a"), { startRevision: -1 });
    expect(hub.runTurn(() => true)).toBe(false);
    expect(receiver.events).toEqual([]);
    watch(one("a"), { startRevision: -2 });
    hub.runTurn(() => true);
    expect(receiver.compactRevisions).toEqual([-1]);
    store.compact(2);
    watch(one("a"), { startRevision: -1 });
    hub.runTurn(() => true);
    expect(receiver.compactRevisions).toEqual([-1, 2]);
    put("a");
    expect(receiver.events).toEqual(["put a 3"]);
  });
});

describe("a receiver that is not ready", () => {
  test("gets later what it was spared, all at once", () => {
    watch(one("a"));
    receiver.isReady = false;
    for (let i = 0; i < 5; i++) put("a");
    expect(receiver.responses).toEqual([]);
    expect(hub.slowCount).toBe(1);
    receiver.isReady = true;
    hub.resume(receiver);
    hub.runTurn(() => true);
    expect(receiver.responses.map(({ events }) => events.length)).toEqual([5]);
    expect(hub.slowCount).toBe(0);
  });

  test("costs nothing while it is not, and is told when compaction has overtaken it", () => {
    watch(one("a"));
    receiver.isReady = false;
    for (let i = 0; i < 5; i++) put("a");
    expect(encodedCount).toBeLessThanOrEqual(1);
    store.compact(store.revision);
    expect(hub.runTurn(() => true)).toBe(false);
    receiver.isReady = true;
    hub.resume(receiver);
    hub.runTurn(() => true);
    expect([receiver.responses, receiver.compactRevisions]).toEqual([[], [6]]);
    expect(hub.watcherCount).toBe(0);
  });
});

test("work is announced once, until it is done", () => {
  let announced = 0;
  hub.onWork = () => announced++;
  put("a");
  watch(one("a"));
  expect(announced).toBe(0);
  put("a");
  put("a");
  watch(one("a"), { startRevision: 1 });
  expect(announced).toBe(1);
  hub.runTurn(() => true);
  put("b");
  expect(announced).toBe(1);
  put("a");
  expect(announced).toBe(2);
});

test("watchers and the bytes of their keys are counted until they end", () => {
  const watchers = [watch(one("abc")), watch({ key: bytes("a"), rangeEnd: bytes("bb") }), watch(one("x"), { startRevision: 900 })];
  expect([hub.watcherCount, hub.spanBytes]).toEqual([3, 7]);
  for (const watcher of watchers) {
    hub.cancel(watcher);
    hub.cancel(watcher);
  }
  expect([hub.watcherCount, hub.spanBytes]).toEqual([0, 0]);
});
