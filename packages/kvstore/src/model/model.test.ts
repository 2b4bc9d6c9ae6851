import { expect, test } from "vitest";
import { failureOf } from "./seeded-run.ts";

const onlySeed = process.env["KVSTORE_MODEL_SEED"];
const seeds = onlySeed === undefined ? [1, 2, 3, 4, 5, 6] : [Number(onlySeed)];

test.each(seeds)("a store answers as the naive model does, through 1000 steps of seed %i", (seed) => {
  expect(failureOf(seed)).toBeNull();
});
