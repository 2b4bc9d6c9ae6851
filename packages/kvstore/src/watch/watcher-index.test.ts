import fc from "fast-check";
import { expect, test } from "vitest";
import { orderOfBytes } from "../byte-order.ts";
import { type KeySpan, keySpanOf } from "./key-span.ts";
import { Watcher, type WatchReceiver } from "./watcher.ts";
import type { WatcherCohort } from "./watcher-cohort.ts";
import { WatchedKeyHash, WatcherIndex } from "./watcher-index.ts";

const receiver: WatchReceiver = { isReady: true, deliver: () => {}, overtaken: () => {} };
const key = fc.array(fc.constantFrom(0x00, 0x61, 0xff), { minLength: 1, maxLength: 3 }).map((bytes) => Uint8Array.from(bytes));
const rangeEnd = fc.oneof(key, fc.constantFrom(new Uint8Array(0), Uint8Array.of(0)));

/** All keys have one of three hashes. */
class CollidingHash extends WatchedKeyHash {
  override of(bytes: Uint8Array): number {
    return Math.abs(super.of(bytes)) % 3;
  }
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
  const step = fc.record({ key, rangeEnd, removes: fc.boolean(), at: fc.nat() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.array(key, { minLength: 1, maxLength: 5 }), (steps, points) => {
      const index = new WatcherIndex(hash);
      const list: Watcher[] = [];
      for (const [at, taken] of steps.entries()) {
        const span = keySpanOf(taken.key, taken.rangeEnd);
        if (taken.removes) {
          const [gone] = list.splice(taken.at % (list.length + 1), 1);
          if (gone !== undefined) index.delete(gone);
        } else if (span !== null) {
          const watcher = new Watcher({ span, startRevision: 0, id: BigInt(at) }, receiver);
          list.push(watcher);
          index.add(watcher);
        }
        for (const point of points) {
          const found: WatcherCohort[] = [];
          index.collect(point, found);
          const watchers = found.flatMap((cohort) => [...cohort.watchers]);
          expect(watchers.sort(byId)).toEqual(list.filter((watcher) => holds(watcher.span, point)).sort(byId));
        }
      }
      expect(index.size).toBe(list.length);
      expect([...index.watchers()].sort(byId)).toEqual(list.sort(byId));
    }),
  );
});
