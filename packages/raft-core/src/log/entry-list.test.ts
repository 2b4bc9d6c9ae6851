import fc from "fast-check";
import { expect, test } from "vitest";
import type { LogEntry } from "../types.ts";
import { EntryList } from "./entry-list.ts";

function entry(index: number): LogEntry {
  return { index, term: 1, kind: "command", data: new Uint8Array(0) };
}

/** Lengths around the size of a chunk, 1024, are the interesting ones. */
const step = fc.oneof(
  fc.record({ kind: fc.constant("push" as const), amount: fc.integer({ min: 1, max: 2500 }) }),
  fc.record({ kind: fc.constantFrom("truncate", "dropBefore", "restart"), amount: fc.integer({ min: 0, max: 2500 }) }),
);

test("it behaves like an array that knows its first index", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), fc.array(step, { maxLength: 30 }), (first, steps) => {
      const list = new EntryList(first);
      let model: LogEntry[] = [];
      let origin = first;
      for (const { kind, amount } of steps) {
        const place = Math.min(amount, model.length);
        if (kind === "push") {
          for (let i = 0; i < amount; i++) {
            const added = entry(origin + model.length);
            model.push(added);
            list.push(added);
          }
        } else if (kind === "truncate") {
          list.truncate(origin + place);
          model.length = place;
        } else if (kind === "dropBefore") {
          list.dropBefore(origin + place);
          model = model.slice(place);
          origin += place;
        } else {
          origin += amount;
          model = [];
          list.restart(origin);
        }
        const tail = Math.min(place, model.length);
        expect(tail < model.length ? list.slice(origin + tail, list.end) : []).toEqual(model.slice(tail));
        expect([list.first, list.end]).toEqual([origin, origin + model.length]);
        const probes = [0, 1, place, 1023, 1024, model.length - 1].filter((probe) => probe >= 0 && probe < model.length);
        expect(probes.map((probe) => list.at(origin + probe))).toEqual(probes.map((probe) => model[probe]));
      }
    }),
    { numRuns: 150 },
  );
});

test("what is outside is an error, not undefined", () => {
  const list = new EntryList(5);
  list.push(entry(5));
  expect(() => list.at(4)).toThrow("Entry is in the list");
  expect(() => list.at(6)).toThrow("Entry is in the list");
  expect(() => list.push(entry(7))).toThrow("Entries leave no gap");
  expect(() => list.slice(5, 7)).toThrow("Slice is not empty and inside the list");
});
