import { SeededRandom } from "@raftkv/raft-core/testing";
import { afterEach, expect, test } from "vitest";
import { expectIntact, loadWhile } from "../support/disturbed-load.ts";
import { ProcessCluster } from "../support/process-cluster.ts";

/** Small snapshot counts, so that kills hit snapshots and compactions, too. */
const flags = ["--heartbeat-interval=20", "--election-timeout=200", "--snapshot-count=300", "--log-level=warn"];
const seed = 20;
const kills = 20;
const writesBetween = 50;
/** Of them, all three members at once. */
const wholeClusterEvery = 5;

let cluster: ProcessCluster | null = null;
afterEach(async () => {
  await cluster?.dispose();
  cluster = null;
});

test(`a cluster keeps every acknowledged write while its members are killed ${kills} times at random`, async () => {
  cluster = await ProcessCluster.start({ size: 3, flags });
  const running = cluster;
  const random = new SeededRandom(seed);
  let killed = 0;
  const history = await loadWhile(running, kills * writesBetween, async (acknowledged) => {
    for (let cycle = 1; cycle <= kills; cycle++) {
      while (acknowledged() < (cycle - 1) * writesBetween) await pause(2);
      await pause(random.below(60));
      const struck = cycle % wholeClusterEvery === 0 ? running.members : [running.members[random.below(3)]];
      await Promise.all(struck.map((member) => member?.kill()));
      await pause(random.below(120));
      for (const member of struck) member?.start();
      killed += struck.length;
    }
  });
  await expectIntact(running, history);
  console.info(`${killed} members killed, ${history.acknowledgedCount} writes acknowledged, ${history.unknownCount} unknown`);
  expect(killed).toBeGreaterThanOrEqual(kills);
});

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
