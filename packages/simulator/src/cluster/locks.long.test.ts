import { expect, test } from "vitest";
import { lockOrdeal } from "../testing/lock-ordeal.ts";

const seeds = Array.from({ length: 60 }, (_, at) => 2_000 + at);

test.each(seeds)("a lock in a cluster with faults never has two owners, seed %i", async (seed) => {
  const { overlaps, owners, faults } = await lockOrdeal(seed, 25);
  expect(overlaps, JSON.stringify(faults)).toEqual([]);
  expect(owners).toBeGreaterThan(3);
});
