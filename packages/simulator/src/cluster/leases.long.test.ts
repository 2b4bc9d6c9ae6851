import { expect, test } from "vitest";
import { leaseOrdeal } from "../testing/lease-ordeal.ts";

const seeds = Array.from({ length: 100 }, (_, at) => 1_000 + at);

test.each(seeds)("leases in a cluster with faults never end early and end at last, seed %i", async (seed) => {
  const { early, faults, left, renewals, leases } = await leaseOrdeal(seed, 25);
  expect(early, JSON.stringify(faults)).toEqual([]);
  expect(left).toEqual([0, 0, 0]);
  expect(renewals).toBeGreaterThan(5);
  expect(leases).toBeGreaterThan(2);
});
