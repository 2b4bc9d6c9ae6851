import fc from "fast-check";
import { expect, test } from "vitest";
import { EventFragments } from "./event-fragments.ts";

function parts(events: readonly Uint8Array[], bytesMax: number, fixedBytes = 0): Uint8Array[][] {
  const fragments = new EventFragments({ watchId: 1n, revision: 2, events, bytesMax, fixedBytes });
  const taken: Uint8Array[][] = [];
  while (!fragments.isEmpty) taken.push([...fragments.take()]);
  return taken;
}

const bytesOf = (events: readonly Uint8Array[]): number => events.reduce((sum, event) => sum + event.length, 0);

test("the parts hold all events in their order, each as many as stay below the limit", () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 50 }), { minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 200 }), (lengths, bytesMax) => {
      const events = lengths.map((length, at) => new Uint8Array(length).fill(at));
      const taken = parts(events, bytesMax, 10);
      expect(taken.flat()).toEqual(events);
      for (const [at, part] of taken.entries()) {
        expect(part.length === 1 || bytesOf(part) + 10 < bytesMax).toBe(true);
        const next = taken[at + 1]?.[0];
        expect(next === undefined || bytesOf([...part, next]) + 10 >= bytesMax).toBe(true);
      }
    }),
  );
});

test("an event that is above the limit is a part of its own", () => {
  const [small, huge] = [new Uint8Array(1), new Uint8Array(100)];
  expect(parts([small, huge, small, small], 10)).toEqual([[small], [huge], [small, small]]);
});
