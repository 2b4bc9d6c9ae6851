import { beforeEach, describe, expect, test } from "vitest";
import type { EventView } from "../event-view.ts";
import { KVStore } from "../kv-store.ts";
import { type KeySpan, keySpanOf } from "./key-span.ts";
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

/** In a turn of its own. */
function put(key: string, value = ""): void {
  change(key, value);
  hub.runTurn(() => true);
}

/** Whose turn goes on. */
function change(key: string, value = ""): void {
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
  test("reaches those whom its key concerns, at the end of the turn", () => {
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
    hub.runTurn(() => true);
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

describe("the changes of a turn", () => {
  test("go to each watcher together, each encoded once for all of them", () => {
    for (let i = 0; i < 100; i++) watch(one("a"));
    for (let i = 0; i < 20; i++) change("a");
    expect(receiver.responses.length).toBe(0);
    hub.runTurn(() => true);
    expect(receiver.responses.length).toBe(100);
    expect(receiver.responses.map(({ events, revision }) => [events.length, revision])).toEqual(Array(100).fill([20, 21]));
    expect(encodedCount).toBe(20);
  });

  test("go to a watcher that came in between from there on", () => {
    const early = watch(one("a"));
    change("a");
    const late = watch(one("a"));
    const later = watch(one("a"), { startRevision: 4 });
    change("a");
    change("a");
    hub.runTurn(() => true);
    const eventsOf = (watcher: Watcher) =>
      receiver.responses.filter((response) => response.watcher === watcher).flatMap(({ events }) => events);
    expect([early, late, later].map(eventsOf)).toEqual([["put a 2", "put a 3", "put a 4"], ["put a 3", "put a 4"], ["put a 4"]]);
  });

  test("are a thousand in a response", () => {
    watch(one("a"));
    for (let i = 0; i < 2500; i++) change("a");
    hub.runTurn(() => true);
    expect(receiver.responses.map(({ events, revision }) => [events.length, revision])).toEqual([
      [1000, 1001],
      [1000, 2001],
      [500, 2501],
    ]);
  });
});

test("a change that is still to be delivered when a later state takes the place of the store is, before its watcher is overtaken", () => {
  const later = new KVStore();
  for (let i = 0; i < 5; i++) later.set(bytes("a"), bytes(""));
  later.compact(5);
  watch(one("a"));
  change("a");
  const snapshot = later.snapshot();
  const restorer = store.createRestorer();
  for (let chunk = snapshot.nextChunk(); chunk !== null; chunk = snapshot.nextChunk()) restorer.push(chunk);
  snapshot.close();
  restorer.finish();
  hub.restored();
  hub.runTurn(() => true);
  expect(receiver.events).toEqual(["put a 2"]);
  expect(receiver.compactRevisions).toEqual([5]);
});

describe("more than a turn has time for", () => {
  const watcherCount = 100_000;

  /** Runs turns of one step each until nothing is left to do. Returns how many, and what the largest did. */
  function runShortTurns(done: () => number, between: () => void = () => {}): { turns: number; largest: number } {
    let [turns, largest, before] = [1, 0, done()];
    for (; hub.runTurn(() => false); turns++) {
      largest = Math.max(largest, done() - before);
      before = done();
      between();
    }
    return { turns, largest };
  }

  test("is a change that very many want: it goes on in the next turns", () => {
    for (let i = 0; i < watcherCount; i++) watch(one("a"));
    change("a");
    const { turns, largest } = runShortTurns(() => hub.deliveredEvents);
    expect(hub.deliveredEvents).toBe(watcherCount);
    expect(largest).toBeLessThanOrEqual(256);
    expect(turns).toBeGreaterThan(watcherCount / 256);
  });

  test("and what happens meanwhile follows, in order and together", () => {
    for (let i = 0; i < 2000; i++) watch(one("a"));
    let more = 3;
    change("a");
    runShortTurns(
      () => hub.deliveredEvents,
      () => {
        if (more-- > 0) change("a");
      },
    );
    const seen = new Map<Watcher, string[]>();
    for (const { watcher, events } of receiver.responses) seen.set(watcher, [...(seen.get(watcher) ?? []), ...events]);
    expect(seen.size).toBe(2000);
    for (const events of seen.values()) expect(events).toEqual([2, 3, 4, 5].map((revision) => `put a ${revision}`));
    expect(receiver.responses.length).toBe(2 * 2000);
    expect(encodedCount).toBe(4);
  });

  test("is the end of very many watchers together", () => {
    const watchers = Array.from({ length: 50_000 }, (_, i) => watch(one(`k${i % 1000}`)));
    receiver.isReady = false;
    hub.abandon(watchers);
    const { largest } = runShortTurns(() => -hub.watcherCount);
    expect(largest).toBeLessThanOrEqual(256);
    expect([hub.watcherCount, hub.spanBytes]).toEqual([0, 0]);
  });

  test("is what a receiver with very many watchers lacks", () => {
    for (let i = 0; i < 50_000; i++) watch(one("a"));
    receiver.isReady = false;
    put("a");
    expect(hub.slowCount).toBe(50_000);
    receiver.isReady = true;
    hub.resume(receiver);
    const { turns, largest } = runShortTurns(() => hub.deliveredEvents);
    expect(hub.deliveredEvents).toBe(50_000);
    expect(largest).toBeLessThanOrEqual(256);
    expect(turns).toBeGreaterThan(2 * (50_000 / 256));
    expect(hub.slowCount).toBe(0);
  });

  /** Forty changes of a MiB each, none of them delivered, to a watcher of everything from "a" on. */
  function hubWithMuchToDeliver(): { large: WatchHub; span: KeySpan } {
    const large = new WatchHub({ store, encodeEvent: () => new Uint8Array(1024 * 1024) });
    const span = keySpanOf(bytes("a"), bytes(""));
    if (span === null) throw new Error("No key lies in the range");
    large.watch({ span, startRevision: 0 }, receiver);
    for (let i = 0; i < 40; i++) {
      store.set(bytes("a"), bytes(""));
      large.publish();
    }
    return { large, span };
  }

  test("is kept within bounds: what can't be gathered is taken from the history later", () => {
    const { large, span } = hubWithMuchToDeliver();
    expect(large.isDelivered).toBe(false);
    large.watch({ span, startRevision: 30 }, receiver);
    large.runTurn(() => true);
    expect(large.isDelivered).toBe(true);
    expect(receiver.responses.map(({ revision, events }) => [revision, events.length])).toEqual([
      [17, 16],
      [33, 16],
      [33, 4],
      [41, 8],
      [41, 8],
    ]);
  });

  test("is told as compacted if it is before its turn comes", () => {
    const { large, span } = hubWithMuchToDeliver();
    large.watch({ span, startRevision: 25 }, receiver);
    large.watch({ span, startRevision: 41 }, receiver);
    store.compact(30);
    large.runTurn(() => true);
    expect(receiver.responses.map(({ events }) => events.length)).toEqual([16, 1]);
    expect(receiver.compactRevisions).toEqual([30, 30]);
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
  change("a");
  watch(one("a"));
  expect(announced).toBe(0);
  change("a");
  change("a");
  watch(one("a"), { startRevision: 1 });
  expect(announced).toBe(1);
  hub.runTurn(() => true);
  change("b");
  expect(announced).toBe(1);
  change("a");
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
