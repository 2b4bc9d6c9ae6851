import { expect, test } from "vitest";
import { checkRandomWatches } from "../testing/watch-steps.ts";

test("watchers see what they have to in many random worlds", () => {
  expect(() => checkRandomWatches(50_000)).not.toThrow();
});
