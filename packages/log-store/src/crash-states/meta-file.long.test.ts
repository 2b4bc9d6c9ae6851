import { expect, test } from "vitest";
import { CRASH_TIMEOUT_MS } from "./crash-tally.ts";
import { MetaHistories } from "./meta-histories.ts";

test("a member that crashes again and again, with a fault between any two starts, keeps its vote", {
  timeout: CRASH_TIMEOUT_MS,
}, async () => {
  const histories = new MetaHistories();
  await histories.search(2);
  const { states, losses } = histories;
  console.info(`meta file: ${JSON.stringify({ states })}`);
  expect(losses).toEqual([]);
  expect(states).toBeGreaterThan(20_000);
});
