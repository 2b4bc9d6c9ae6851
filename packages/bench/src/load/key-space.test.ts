import fc from "fast-check";
import { expect, test } from "vitest";
import { EachKeyOnce, LimitedKeys, RandomKeys } from "./key-source.ts";
import { KeySpace, keyBytes } from "./key-space.ts";
import { SeededRandom } from "./seeded-random.ts";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

test("keys are 32 bytes with the number in digits", () => {
  const keys = new KeySpace({ count: 3, valueBytes: 4, seed: 1 });
  expect(keyBytes).toBe(32);
  expect(text(keys.key(0))).toBe("raftkv-bench/0000000000000000000");
  expect(text(keys.key(99_999))).toBe("raftkv-bench/0000000000000099999");
});

test("the range holds every key", () => {
  const { range } = new KeySpace({ count: 3, valueBytes: 4, seed: 1 });
  expect(text(range.key)).toBe("raftkv-bench/");
  expect(text(range.rangeEnd)).toBe("raftkv-bench0");
});

test("values have their size, differ, and depend on the seed alone", () => {
  fc.assert(
    fc.property(fc.integer({ min: 8, max: 300 }), fc.integer({ min: 1, max: 0xffff_ffff }), (valueBytes, seed) => {
      const keys = new KeySpace({ count: 20, valueBytes, seed });
      const again = new KeySpace({ count: 20, valueBytes, seed });
      const values = Array.from({ length: 20 }, (_, key) => keys.value(key));
      for (const [key, value] of values.entries()) {
        expect(value.length).toBe(valueBytes);
        expect(again.value(key)).toEqual(value);
      }
      expect(new Set(values.map(text)).size).toBe(20);
    }),
    { numRuns: 30 },
  );
});

test("random keys are the same for the same seed, lie in the space, and reach all of it", () => {
  const draw = (seed: number): number[] => {
    const source = new RandomKeys(new SeededRandom(seed), 10);
    return Array.from({ length: 1000 }, () => source.next());
  };
  expect(draw(5)).toEqual(draw(5));
  expect(draw(5)).not.toEqual(draw(6));
  const drawn = draw(5);
  expect(drawn.every((key) => Number.isInteger(key) && key >= 0 && key < 10)).toBe(true);
  // 100 of each are expected; six standard deviations are 57.
  for (let key = 0; key < 10; key++) expect(Math.abs(drawn.filter((other) => other === key).length - 100)).toBeLessThan(57);
});

test("chance never reaches its limit", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), fc.integer({ min: 1, max: 2 ** 32 }), (seed, limit) => {
      const random = new SeededRandom(seed);
      for (let turn = 0; turn < 20; turn++) {
        const drawn = random.below(limit);
        expect(Number.isInteger(drawn) && drawn >= 0 && drawn < limit).toBe(true);
      }
    }),
  );
});

test("each key once, then no more", () => {
  const source = new EachKeyOnce(3);
  expect([source.next(), source.next(), source.next(), source.next(), source.next()]).toEqual([0, 1, 2, -1, -1]);
});

test("a limited source gives no more than its limit", () => {
  const source = new LimitedKeys(new RandomKeys(new SeededRandom(1), 1), 2);
  expect([source.next(), source.next(), source.next(), source.next()]).toEqual([0, 0, -1, -1]);
});
