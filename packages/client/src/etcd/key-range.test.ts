import fc from "fast-check";
import { expect, test } from "vitest";
import { type KeyRange, keyAfter, toWireRange, type WireRange } from "./key-range.ts";

const key = fc.uint8Array({ minLength: 1, maxLength: 4 });
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

function compareKeys(left: Uint8Array, right: Uint8Array): number {
  return Buffer.compare(left, right);
}

/** etcd's rules for `key` and `range_end`. */
function holds({ key: from, rangeEnd }: WireRange, candidate: Uint8Array): boolean {
  if (rangeEnd.length === 0) return compareKeys(candidate, from) === 0;
  const isOpen = rangeEnd.length === 1 && rangeEnd[0] === 0;
  return compareKeys(candidate, from) >= 0 && (isOpen || compareKeys(candidate, rangeEnd) < 0);
}

test.each<[KeyRange, WireRange]>([
  ["a", { key: bytes(0x61), rangeEnd: bytes() }],
  [{ prefix: "a" }, { key: bytes(0x61), rangeEnd: bytes(0x62) }],
  [{ prefix: bytes(0x61, 0xff) }, { key: bytes(0x61, 0xff), rangeEnd: bytes(0x62) }],
  [{ prefix: bytes(0xff, 0xff) }, { key: bytes(0xff, 0xff), rangeEnd: bytes(0) }],
  [{ prefix: "" }, { key: bytes(0), rangeEnd: bytes(0) }],
  [{ from: "a" }, { key: bytes(0x61), rangeEnd: bytes(0) }],
  [{ from: "" }, { key: bytes(0), rangeEnd: bytes(0) }],
  [
    { from: "a", to: "c" },
    { key: bytes(0x61), rangeEnd: bytes(0x63) },
  ],
])("%j goes over the wire as etcd says it", (range, wire) => {
  expect(toWireRange(range)).toEqual(wire);
});

test("a prefix holds exactly the keys that begin with it", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3 }), key, (prefix, candidate) => {
      const begins = compareKeys(candidate.subarray(0, prefix.length), prefix) === 0 && candidate.length >= prefix.length;
      expect(holds(toWireRange({ prefix }), candidate)).toBe(begins);
    }),
    { numRuns: 2000 },
  );
});

test("from and to hold exactly the keys between them, whatever they are", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3 }), fc.uint8Array({ maxLength: 3 }), key, (from, to, candidate) => {
      const between = compareKeys(candidate, from) >= 0 && compareKeys(candidate, to) < 0;
      expect(holds(toWireRange({ from, to }), candidate)).toBe(between);
    }),
    { numRuns: 2000 },
  );
});

test("nothing is between a key and the one after it", () => {
  fc.assert(
    fc.property(key, key, (one, other) => {
      const next = keyAfter(one);
      expect(compareKeys(one, next)).toBeLessThan(0);
      expect(compareKeys(other, one) > 0 && compareKeys(other, next) < 0).toBe(false);
    }),
  );
});
