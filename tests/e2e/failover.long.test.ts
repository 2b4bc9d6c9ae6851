import { afterEach, describe, expect, test } from "vitest";
import { expectIntact, loadWhile } from "../support/disturbed-load.ts";
import { ProcessCluster } from "../support/process-cluster.ts";

const flags = ["--snapshot-count=5000", "--log-level=warn"];

let cluster: ProcessCluster | null = null;
afterEach(async () => {
  await cluster?.dispose();
  cluster = null;
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe("a cluster of real processes", () => {
  test("takes writes and linearizable reads at every member", async () => {
    cluster = await ProcessCluster.start({ size: 3, flags });
    const running = cluster;
    let revision = 0;
    for (const [at, member] of running.members.entries()) {
      const next = await member.endpoint.put("key", `by ${member.name}`);
      expect(next).toBeGreaterThan(revision);
      revision = next;
      const other = running.members[(at + 1) % running.members.length];
      expect(await other?.endpoint.get("key")).toBe(`by ${member.name}`);
    }
  });

  test("keeps every acknowledged one of 20,000 writes while its leader is killed three times", async () => {
    cluster = await ProcessCluster.start({ size: 3, flags });
    const running = cluster;
    const history = await loadWhile(running, 20_000, async (acknowledged) => {
      for (const threshold of [3_000, 8_000, 13_000]) {
        await until(() => acknowledged() >= threshold);
        const leader = await running.leader();
        await leader.kill();
        await until(() => acknowledged() >= threshold + 1_500);
        leader.start();
      }
    });
    await expectIntact(running, history);
    console.info(`${history.acknowledgedCount} writes acknowledged, ${history.unknownCount} unknown, ${history.readCount} reads checked`);
  });

  test("loses nothing when all members are killed at once, and again", async () => {
    cluster = await ProcessCluster.start({ size: 3, flags });
    const running = cluster;
    const history = await loadWhile(running, 4_000, async (acknowledged) => {
      for (const threshold of [1_000, 2_500]) {
        await until(() => acknowledged() >= threshold);
        await Promise.all(running.members.map((member) => member.kill()));
        for (const member of running.members) member.start();
      }
    });
    await expectIntact(running, history);
  });

  test("of nine members goes on when four of them are gone", async () => {
    cluster = await ProcessCluster.start({ size: 9, flags });
    const running = cluster;
    const history = await loadWhile(running, 2_000, async (acknowledged) => {
      await until(() => acknowledged() >= 500);
      const leader = await running.leader();
      const others = running.members.filter((member) => member !== leader).slice(0, 3);
      await Promise.all([leader, ...others].map((member) => member.kill()));
      await until(() => acknowledged() >= 1_500);
      for (const member of [leader, ...others]) member.start();
    });
    await expectIntact(running, history);
  });
});
