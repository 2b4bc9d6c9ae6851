import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesOf, textOf } from "../model/bytes-as-text.ts";
import { haveCommonKey, type KeyInterval, sortedIntervals, touch, unionOfIntervals, unionOfKeys } from "./key-intervals.ts";

/** Places 0 to 99 as keys of two digits. */
const key = (place: number): Uint8Array => bytesOf(String(place).padStart(2, "0"));
const placesOf = (keys: readonly Uint8Array[]): number[] => keys.map((each) => Number(textOf(each)));

const places = fc.uniqueArray(fc.nat({ max: 99 }), { maxLength: 90 }).map((each) => each.toSorted((a, b) => a - b));
const interval = fc.tuple(fc.nat({ max: 98 }), fc.integer({ min: 1, max: 6 })).map(([begin, length]) => {
  return { begin: key(begin), end: key(Math.min(begin + length, 99)) };
});
/** Few or many, so that both ways of joining are met. */
const intervals = fc.oneof(fc.array(interval, { maxLength: 5 }), fc.array(interval, { minLength: 60, maxLength: 80, size: "max" }));

function covers(all: readonly KeyInterval[], place: number): boolean {
  return all.some(({ begin, end }) => Number(textOf(begin)) <= place && place < Number(textOf(end)));
}

const allPlaces = Array.from({ length: 100 }, (_, place) => place);

test("the union of keys has each key once, in order", () => {
  fc.assert(
    fc.property(places, places, (a, b) => {
      const expected = [...new Set([...a, ...b])].sort((one, other) => one - other);
      expect(placesOf(unionOfKeys(a.map(key), b.map(key)))).toEqual(expected);
    }),
  );
});

test("a common key is found wherever it is", () => {
  fc.assert(
    fc.property(places, places, (a, b) => {
      expect(haveCommonKey(a.map(key), b.map(key))).toBe(a.some((place) => b.includes(place)));
    }),
  );
});

describe("sorted intervals", () => {
  test("cover what the intervals did, and don't touch each other", () => {
    fc.assert(
      fc.property(intervals, intervals, (a, b) => {
        const union = unionOfIntervals(sortedIntervals(a), sortedIntervals(b));
        for (const place of allPlaces) expect(covers(union, place)).toBe(covers(a, place) || covers(b, place));
        for (const [at, next] of union.slice(1).entries()) {
          expect(Number(textOf(union[at]?.end ?? key(99)))).toBeLessThan(Number(textOf(next.begin)));
        }
      }),
    );
  });

  test("touch keys that lie in one of them", () => {
    fc.assert(
      fc.property(places, intervals, (keys, all) => {
        expect(touch(keys.map(key), sortedIntervals(all))).toBe(keys.some((place) => covers(all, place)));
      }),
    );
  });
});
