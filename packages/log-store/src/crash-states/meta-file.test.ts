import { expect, test } from "vitest";
import { MetaHistories } from "./meta-histories.ts";

/** One life or two of what meta-file.long.test.ts tries. */
test("a member that crashes in any write of its meta file, with a fault besides, keeps its vote", async () => {
  const histories = new MetaHistories();
  await histories.search(1);
  const { states, losses } = histories;
  console.info(`meta file: ${JSON.stringify({ states })}`);
  expect(losses).toEqual([]);
  expect(states).toBeGreaterThan(1_000);
});
