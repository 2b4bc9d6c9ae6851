import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { expect, test } from "vitest";
import { PendingWindow } from "./pending-window.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as (options?: { readonly type: "minor" }) => void;

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("add" as const) }) },
  fc.record({ kind: fc.constant("deleteOldest" as const) }),
  fc.record({ kind: fc.constant("delete" as const), place: fc.nat() }),
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("clear" as const, "nothing" as const) }) },
);

test("it finds what a Map would, in the same order, also where numbers begin again", () => {
  fc.assert(
    fc.property(fc.nat(500), fc.array(step, { maxLength: 500, size: "max" }), (before, steps) => {
      const window = new PendingWindow<string>();
      const model = new Map<number, string>();
      const first = 2 ** 32 - before;
      let next = first >>> 0;
      for (const one of steps) {
        const numbers = [...model.keys()];
        if (one.kind === "add") {
          window.add(next, `item ${next}`);
          model.set(next, `item ${next}`);
          next = (next + 1) >>> 0;
        } else if (one.kind === "clear") {
          window.clear();
          model.clear();
        } else if (one.kind !== "nothing") {
          const number = numbers[one.kind === "delete" ? one.place % (numbers.length + 1) : 0] ?? next;
          window.delete(number);
          model.delete(number);
        }
        expect(window.size).toBe(model.size);
        expect(window.oldest()).toBe([...model.values()][0]);
      }
      expect(window.entries()).toEqual([...model]);
      for (let number = first - 2; number < first + steps.length + 2; number++) {
        expect(window.get(number >>> 0)).toBe(model.get(number >>> 0));
      }
    }),
  );
});

test("what ended is collected with what is young, also after a collection of everything", () => {
  const window = new PendingWindow<readonly number[]>();
  let next = 0;
  const begin = (count: number): void => {
    for (let left = count; left > 0; left--) {
      window.add(next++, new Array<number>(128).fill(next));
      if (window.size > 10) window.delete(next - 11);
    }
  };
  begin(1000);
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  // 8 MB, of which a Map would keep more than the half.
  begin(8000);
  collectGarbage({ type: "minor" });
  collectGarbage({ type: "minor" });
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(2_000_000);
});
