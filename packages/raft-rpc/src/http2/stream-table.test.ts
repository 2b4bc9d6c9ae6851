import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { expect, test } from "vitest";
import { StreamTable } from "./stream-table.ts";

interface Named {
  readonly id: number;
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as (options?: { readonly type: "minor" }) => void;

const step = fc.oneof(
  fc.record({ kind: fc.constant("add" as const), gap: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ kind: fc.constant("delete" as const), place: fc.nat() }),
  fc.record({ kind: fc.constant("deleteOldest" as const) }),
  fc.record({ kind: fc.constant("deleteNewest" as const) }),
);

test("it finds what a Map would, and gives it in the same order", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: "max" }), (steps) => {
      const table = new StreamTable<Named>();
      const model = new Map<number, Named>();
      let lastId = 0;
      for (const one of steps) {
        const ids = [...model.keys()];
        if (one.kind === "add") {
          lastId += one.gap;
          table.add({ id: lastId });
          model.set(lastId, { id: lastId });
        } else {
          const place = one.kind === "delete" ? one.place % (ids.length + 1) : one.kind === "deleteOldest" ? 0 : ids.length - 1;
          const id = ids[place] ?? lastId + 1;
          table.delete(id);
          model.delete(id);
        }
        expect(table.size).toBe(model.size);
        expect([...table.values()]).toEqual([...model.values()]);
      }
      for (let id = 0; id <= lastId + 1; id++) expect(table.get(id)).toEqual(model.get(id));
    }),
  );
});

test("streams may end and begin while it is gone through: no other is left out or comes twice", () => {
  const table = new StreamTable<Named>();
  for (let id = 1; id < 200; id += 2) table.add({ id });
  const seen: number[] = [];
  for (const { id } of table.values()) {
    seen.push(id);
    table.delete(id);
    if (id === 99) table.add({ id: 201 });
  }
  expect(seen).toEqual(Array.from({ length: 101 }, (_, place) => 2 * place + 1));
  expect(table.size).toBe(0);
});

test("an id that is not above all before is refused", () => {
  const table = new StreamTable<Named>();
  table.add({ id: 3 });
  expect(() => table.add({ id: 3 })).toThrow("in the order of their ids");
});

test("streams that ended are collected with what is young, also after a collection of everything", () => {
  const table = new StreamTable<Named & { readonly message: readonly number[] }>();
  let lastId = 0;
  const begin = (count: number): void => {
    for (let left = count; left > 0; left--) {
      table.add({ id: ++lastId, message: new Array<number>(128).fill(lastId) });
      if (table.size > 10) table.delete(lastId - 10);
    }
  };
  begin(1000);
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  // 8 MB of messages, of which a Map would keep more than the half.
  begin(8000);
  collectGarbage({ type: "minor" });
  collectGarbage({ type: "minor" });
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(2_000_000);
});
