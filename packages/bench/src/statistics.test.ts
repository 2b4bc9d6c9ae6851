import fc from "fast-check";
import { expect, test } from "vitest";
import { median, pairedRatios, percentile, spread } from "./statistics.ts";

test("the median of an odd number is the middle one, of an even number the mean of the middle two", () => {
  expect(median([5, 1, 9])).toBe(5);
  expect(median([4, 1, 9, 2])).toBe(3);
  expect(() => median([])).toThrow("There is no median of no values");
});

test("the median does not depend on the order, and half of the values lie on each side", () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
      const middle = median(values);
      expect(median(values.toReversed())).toBe(middle);
      expect(values.filter((value) => value <= middle).length).toBeGreaterThanOrEqual(values.length / 2);
      expect(values.filter((value) => value >= middle).length).toBeGreaterThanOrEqual(values.length / 2);
    }),
  );
});

test("a spread has the least and the greatest value", () => {
  expect(spread([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
});

test("ratios are taken per round, so a slow round of the machine does not change them", () => {
  expect(pairedRatios([30, 3, 33], [10, 1, 10])).toEqual({ median: 3, min: 3, max: 3.3 });
  expect(() => pairedRatios([1, 2], [1])).toThrow("2 values cannot be paired with 1");
});

test("a percentile is a value that was measured, by nearest rank", () => {
  const thirty = Array.from({ length: 30 }, (_, place) => 30 - place);
  expect([1, 50, 90, 99, 100].map((percent) => percentile(thirty, percent))).toEqual([1, 15, 27, 30, 30]);
  expect([1, 99].map((percent) => percentile([7], percent))).toEqual([7, 7]);
  expect(() => percentile([], 50)).toThrow("There is no percentile of no values");
});

test("as many values as the percentile says do not exceed it, and one value less would be too few", () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1 }), fc.integer({ min: 1, max: 100 }), (values, percent) => {
      const found = percentile(values, percent);
      const share = (count: number): number => (100 * count) / values.length;
      expect(values).toContain(found);
      expect(share(values.filter((value) => value <= found).length)).toBeGreaterThanOrEqual(percent);
      expect(share(values.filter((value) => value < found).length)).toBeLessThan(percent);
    }),
  );
});
