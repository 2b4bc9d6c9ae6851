import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ExpirySpread } from "./expiry-spread.ts";

function placedBySecond(placed: readonly number[]): readonly number[] {
  const counts = new Map<number, number>();
  for (const atMs of placed) counts.set(Math.floor(atMs / 1_000), (counts.get(Math.floor(atMs / 1_000)) ?? 0) + 1);
  return [...counts.values()];
}

describe("the spread of expiries", () => {
  test("never makes one earlier, and never lets more than the limit fall into one second", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 20_000, noNaN: true }), { maxLength: 300 }),
        fc.integer({ min: 1, max: 9 }),
        (asked, max) => {
          const spread = new ExpirySpread(max);
          const placed = asked.map((atMs) => spread.place(atMs));
          for (const [at, atMs] of placed.entries()) expect(atMs).toBeGreaterThanOrEqual(asked[at] ?? 0);
          expect(Math.max(0, ...placedBySecond(placed))).toBeLessThanOrEqual(max);
        },
      ),
    );
  });

  test("leaves moments alone whose second has room", () => {
    const spread = new ExpirySpread(2);
    expect([5_100, 5_900, 7_000].map((atMs) => spread.place(atMs))).toEqual([5_100, 5_900, 7_000]);
  });

  test("makes a hundred thousand leases of one moment last as many seconds as the rate needs", () => {
    const spread = new ExpirySpread(750);
    const placed = Array.from({ length: 100_000 }, () => spread.place(60_000));
    expect(Math.max(...placedBySecond(placed))).toBe(750);
    expect(placed.at(-1)).toBeLessThan(60_000 + 1_000 * Math.ceil(100_000 / 750));
  });
});
