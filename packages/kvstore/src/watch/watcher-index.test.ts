import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { orderOfBytes } from "../byte-order.ts";
import { SearchKey } from "../search-key.ts";
import type { EncodedEvent } from "./event-encoding.ts";
import { type KeySpan, keySpanOf } from "./key-span.ts";
import { Watcher, type WatcherOptions, type WatchReceiver } from "./watcher.ts";
import type { WatcherCohort } from "./watcher-cohort.ts";
import { type ChangedKey, WatchedKeyHash, WatcherIndex } from "./watcher-index.ts";

const receiver: WatchReceiver = { isReady: true, deliver: () => {}, overtaken: () => {} };
/** Of one word, or of several that begin alike. */
const key = fc
  .tuple(fc.constantFrom([], [1, 2, 3, 4], [1, 2, 3, 4, 5]), fc.array(fc.constantFrom(0x00, 0x61, 0xff), { minLength: 1, maxLength: 3 }))
  .map(([start, rest]) => Uint8Array.from([...start, ...rest]));
const rangeEnd = fc.oneof(key, fc.constant(Uint8Array.of(0)), fc.constant(new Uint8Array(0)));

/** All keys have one of three hashes. */
class CollidingHash extends WatchedKeyHash {
  override load(key: Uint8Array): number {
    return Math.abs(super.load(key)) % 3;
  }

  override ofChanged(changed: ChangedKey): number {
    return Math.abs(super.ofChanged(changed)) % 3;
  }
}

function changedKey(bytes: Uint8Array): ChangedKey {
  const search = new SearchKey();
  search.load(bytes);
  return {
    keyHash: (hash) => hash.of(search.words, 0, bytes.length),
    hasKey: (words, length) => length === bytes.length && words.every((word, at) => word === search.words[at]),
    current: { keyView: () => bytes },
  };
}

function holds(span: KeySpan, point: Uint8Array): boolean {
  if (span.kind === "key") return orderOfBytes(span.key, point) === 0;
  return orderOfBytes(span.start, point) <= 0 && (span.end === null || orderOfBytes(point, span.end) < 0);
}

const byId = (a: Watcher, b: Watcher): number => Number(a.id - b.id);

test.each([
  ["the hash of the store", new WatchedKeyHash(7)],
  ["one that collides", new CollidingHash(7)],
])("an index finds the watchers of a key as a list does, with %s", (_, hash) => {
  const step = fc.record({ key, rangeEnd, wantsPrevious: fc.boolean(), removes: fc.boolean(), at: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), fc.array(key, { minLength: 1, maxLength: 5 }), (steps, points) => {
      const index = new WatcherIndex(hash);
      const list: Watcher[] = [];
      for (const [at, taken] of steps.entries()) {
        const span = keySpanOf(taken.key, taken.rangeEnd);
        if (taken.removes) {
          const [gone] = list.splice(taken.at % (list.length + 1), 1);
          if (gone !== undefined) index.delete(gone);
        } else if (span !== null) {
          const watcher = new Watcher({ span, startRevision: 0, id: BigInt(at), wantsPrevious: taken.wantsPrevious }, receiver);
          list.push(watcher);
          index.add(watcher);
        }
        for (const point of [...points, ...list.flatMap(({ span }) => (span.kind === "key" ? [span.key] : []))]) {
          const found: WatcherCohort[] = [];
          index.collect(changedKey(point), found);
          const watchers = found.flatMap((cohort) => [...cohort.watchers]);
          expect(watchers.sort(byId)).toEqual(list.filter((watcher) => holds(watcher.span, point)).sort(byId));
        }
      }
      expect(index.size).toBe(list.length);
      expect([...index.watchers()].sort(byId)).toEqual(list.sort(byId));
    }),
  );
});

describe("cohorts", () => {
  const hash = new WatchedKeyHash(3);
  const a = Uint8Array.of(0x61);
  const event: EncodedEvent = [Uint8Array.of(1, 2, 3)];

  function watcherOf(rangeEnd: Uint8Array, more: Partial<WatcherOptions> = {}): Watcher {
    const span = keySpanOf(a, rangeEnd);
    if (span === null) throw new Error("No key lies in the range");
    return new Watcher({ span, startRevision: 0, ...more }, receiver);
  }

  function cohortsOf(index: WatcherIndex): WatcherCohort[] {
    const found: WatcherCohort[] = [];
    index.collect(changedKey(a), found);
    return found;
  }

  test.each([
    ["a key", new Uint8Array(0)],
    ["a range", Uint8Array.of(0x62)],
  ])("hold the watchers of %s that want the same", (_, rangeEnd) => {
    const index = new WatcherIndex(hash);
    for (let i = 0; i < 3; i++) index.add(watcherOf(rangeEnd));
    for (let i = 0; i < 2; i++) index.add(watcherOf(rangeEnd, { wantsPrevious: true }));
    index.add(watcherOf(rangeEnd, { skipsPuts: true }));
    index.add(watcherOf(rangeEnd, { skipsDeletes: true }));
    expect(cohortsOf(index).map(({ watchers }) => watchers.size)).toEqual([3, 2, 1, 1]);
  });

  test("list those that are in them, in lists that stay as they are", () => {
    const index = new WatcherIndex(hash);
    const [first, second] = [watcherOf(new Uint8Array(0)), watcherOf(new Uint8Array(0))];
    index.add(first);
    const [cohort] = cohortsOf(index);
    const before = cohort?.listed;
    index.add(second);
    const both = cohort?.listed;
    index.delete(first);
    expect(before).toEqual([first]);
    expect(both).toEqual([first, second]);
    expect(cohort?.listed).toEqual([second]);
  });

  test("take nobody while something is gathered that is not for everybody, and go together when it is delivered", () => {
    const index = new WatcherIndex(hash);
    index.add(watcherOf(new Uint8Array(0)));
    const [first] = cohortsOf(index);
    first?.gather(5, event);
    index.add(watcherOf(new Uint8Array(0)));
    expect(cohortsOf(index).map(({ watchers, events }) => [watchers.size, events.length])).toEqual([
      [1, 1],
      [1, 0],
    ]);
    first?.clear();
    if (first !== undefined) index.settle(first);
    expect(cohortsOf(index).map(({ watchers }) => watchers.size)).toEqual([2]);
    expect(index.size).toBe(2);
  });

  test("of another index come with what was gathered for them", () => {
    const [index, other] = [new WatcherIndex(hash), new WatcherIndex(hash)];
    const watchers = Array.from({ length: 4 }, () => watcherOf(new Uint8Array(0)));
    for (const [at, watcher] of watchers.entries()) (at < 2 ? index : other).add(watcher);
    cohortsOf(other)[0]?.gather(5, event);
    index.adopt(other);
    expect(cohortsOf(index).map(({ watchers: { size }, events }) => [size, events.length])).toEqual([
      [2, 0],
      [2, 1],
    ]);
    for (const watcher of watchers) index.delete(watcher);
    expect([index.size, cohortsOf(index)]).toEqual([0, []]);
  });
});
