import { expect, test } from "vitest";
import { checkRandomWatches } from "../testing/watch-steps.ts";

test("every watcher sees each event once, in order and with all others of its revision, whoever is slow and whatever is compacted", () => {
  expect(() => checkRandomWatches(500)).not.toThrow();
});
