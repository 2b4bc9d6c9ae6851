import { expect, test } from "vitest";
import { failureOf } from "./seeded-run.ts";

const batchSize = 50;
/** More than a million steps together. */
const batches = Array.from({ length: 21 }, (_, place) => 1000 + place * batchSize);

test.each(batches)("stores answer as the naive model does, through 1000 steps of each of 50 seeds from %i on", (firstSeed) => {
  for (let seed = firstSeed; seed < firstSeed + batchSize; seed++) expect(failureOf(seed)).toBeNull();
});
