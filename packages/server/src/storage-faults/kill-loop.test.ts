import { expect, test } from "vitest";
import { added, runKillLoop } from "./kill-loop.ts";

const cyclesOfEach = 110;

test("a store whose process is killed at any moment holds what it acknowledged, and nothing by halves", async () => {
  // Two at once: a killed process and the check of what it left take turns waiting for the disk.
  const [one, other] = await Promise.all([1, 2].map((seed) => runKillLoop({ seed, cycles: cyclesOfEach })));
  if (one === undefined || other === undefined) throw new Error("Two loops ran");
  const counts = added(one, other);
  console.info(`storage killed: ${JSON.stringify(counts)}`);
  expect(counts.cycles).toBe(2 * cyclesOfEach);
  // A loop that never comes far shows nothing.
  for (const count of [counts.whileOpening, counts.underWay, counts.snapshots, counts.compactions]) expect(count).toBeGreaterThan(10);
  expect(counts.entries).toBeGreaterThan(5_000);
}, 120_000);
