import { expect, test } from "vitest";
import { childSeed, SeededRandom } from "./seeded-random.ts";

test("a seed gives these numbers, on every machine and version", () => {
  const random = new SeededRandom("42");
  expect(Array.from({ length: 4 }, () => random.u32())).toEqual([177457260, 3438937964, 3167591234, 3973686391]);
});

test("a child draws the same whatever its parent has drawn, and no two children draw alike", () => {
  const parent = new SeededRandom("1");
  const early = parent.child("network/link/1-2").u32();
  parent.u32();
  expect(parent.child("network/link/1-2").u32()).toBe(early);
  expect(new SeededRandom(childSeed("1", "network/link/1-2")).u32()).toBe(early);
  const labels = Array.from({ length: 2_000 }, (_, position) => `link/${position}`);
  expect(new Set(labels.map((label) => parent.child(label).u32())).size).toBeGreaterThan(1_998);
});

test("below is uniform, also where 2^32 is no multiple of the limit", () => {
  const random = new SeededRandom("uniform");
  const counts = new Array<number>(7).fill(0);
  for (let i = 0; i < 70_000; i++) {
    const drawn = random.below(7);
    counts[drawn] = (counts[drawn] ?? 0) + 1;
  }
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
  expect(random.below(1)).toBe(0);
  expect(random.below(2 ** 32)).toBeLessThan(2 ** 32);
  for (const limit of [0, -1, 1.5, 2 ** 32 + 1, Number.NaN]) expect(() => random.below(limit)).toThrow(RangeError);
});

test("single bits of successive draws are even", () => {
  const random = new SeededRandom("bits");
  const ones = new Array<number>(32).fill(0);
  for (let i = 0; i < 20_000; i++) {
    const drawn = random.u32();
    for (let bit = 0; bit < 32; bit++) ones[bit] = (ones[bit] ?? 0) + ((drawn >>> bit) & 1);
  }
  for (const count of ones) expect(Math.abs(count - 10_000)).toBeLessThan(400);
});

test("exponential draws have the mean asked for and a long tail", () => {
  const random = new SeededRandom("exponential");
  const drawn = Array.from({ length: 100_000 }, () => random.exponential(1_000));
  const mean = drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
  expect(Math.abs(mean - 1_000)).toBeLessThan(15);
  expect(Math.min(...drawn.slice(0, 50_000))).toBeLessThan(5);
  const above = drawn.filter((value) => value > 4_000).length / drawn.length;
  expect(above).toBeGreaterThan(0.01);
  expect(above).toBeLessThan(0.03);
});
