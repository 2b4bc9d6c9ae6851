import { expect, test } from "vitest";
import { checkRandomWatches } from "../testing/watch-steps.ts";

test("watchers see what they have to in many random worlds", { timeout: 300_000 }, () => {
  expect(() => checkRandomWatches(50_000)).not.toThrow();
});
