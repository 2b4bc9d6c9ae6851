import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { orderOfBytes } from "../byte-order.ts";
import { RangeTree } from "./range-tree.ts";

interface Range {
  readonly start: Uint8Array;
  readonly end: Uint8Array | null;
}

/** Few bytes, so that ranges touch, nest and are equal. */
const key = fc.array(fc.constantFrom(0x00, 0x61, 0x62, 0xff), { minLength: 1, maxLength: 3 }).map((bytes) => Uint8Array.from(bytes));
const range: fc.Arbitrary<Range> = fc
  .record({ start: key, end: fc.option(key, { freq: 4 }) })
  .filter(({ start, end }) => end === null || orderOfBytes(start, end) < 0);

const ascending = (a: number, b: number): number => a - b;

function holds({ start, end }: Range, point: Uint8Array): boolean {
  return orderOfBytes(start, point) <= 0 && (end === null || orderOfBytes(point, end) < 0);
}

describe("a tree of ranges", () => {
  test("finds what a list of all ranges finds, after every step", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("add" as const), range }),
      fc.record({ kind: fc.constant("delete" as const), at: fc.nat() }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.array(key, { minLength: 1, maxLength: 4 }), (steps, points) => {
        const tree = new RangeTree<number>();
        const list: (Range & { readonly item: number })[] = [];
        for (const [item, taken] of steps.entries()) {
          if (taken.kind === "add") {
            tree.add(taken.range.start, taken.range.end, item);
            list.push({ ...taken.range, item });
          } else {
            const [gone] = list.splice(taken.at % (list.length + 1), 1);
            if (gone !== undefined) tree.delete(gone.start, gone.end, gone.item);
          }
          tree.verify();
          for (const point of points) {
            const found: number[] = [];
            tree.collect(point, found);
            const expected = list.filter((entry) => holds(entry, point)).map((entry) => entry.item);
            expect(found.sort(ascending)).toEqual(expected.sort(ascending));
          }
        }
        for (const { start, end, item } of list) expect(tree.itemsOf(start, end)?.has(item)).toBe(true);
      }),
    );
  });

  test("stays balanced when ranges come in their order and go in it", () => {
    const tree = new RangeTree<number>();
    const keys = Array.from({ length: 1000 }, (_, at) => Uint8Array.of(at >> 8, at & 0xff));
    for (const [at, start] of keys.entries()) tree.add(start, keys[at + 1] ?? null, at);
    tree.verify();
    const found: number[] = [];
    tree.collect(Uint8Array.of(1, 7, 9), found);
    expect(found).toEqual([263]);
    for (const [at, start] of keys.entries()) {
      tree.delete(start, keys[at + 1] ?? null, at);
      if (at % 100 === 0) tree.verify();
    }
    tree.collect(Uint8Array.of(1, 7, 9), found);
    expect(found).toEqual([263]);
  });

  test("ignores a range or an item that is not there", () => {
    const tree = new RangeTree<string>();
    const [a, b, c] = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)];
    tree.add(a, b, "x");
    tree.delete(a, c, "x");
    tree.delete(a, b, "y");
    const found: string[] = [];
    tree.collect(a, found);
    expect(found).toEqual(["x"]);
    expect([tree.itemsOf(a, b), tree.itemsOf(a, c)]).toEqual([new Set(["x"]), null]);
  });
});
