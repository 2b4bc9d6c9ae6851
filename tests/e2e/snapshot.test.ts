import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { type ClusterMember, ProcessCluster } from "../support/process-cluster.ts";

const flags = ["--snapshot-count=500", "--log-level=info"];

let cluster: ProcessCluster | null = null;
afterEach(async () => {
  await cluster?.dispose();
  cluster = null;
});

/** The last index that a member has taken out of its log. */
function compactedTo({ process: { output } }: ClusterMember): number {
  return Math.max(0, ...Array.from(output.matchAll(/"compactedTo":(\d+)/g), ([, index]) => Number(index)));
}

test("a follower that was away while the log was compacted catches up by a snapshot", async () => {
  cluster = await ProcessCluster.start({ size: 3, flags });
  const [away, stayed] = await cluster.followers();
  if (away === undefined || stayed === undefined) throw new Error("Three members have two followers");
  const { commitIndex } = await away.endpoint.status();
  await away.kill();

  // More than the 16 MiB of the log that are kept for those who are behind. A snapshot is due by the size of the one before, which compactions
  // keep small.
  const leader = await cluster.leader();
  const padding = "x".repeat(4_000);
  for (let round = 0; round < 100; round++) {
    const puts = Array.from({ length: 100 }, (_, at) => eventually(() => leader.endpoint.put(`key-${at}`, `round-${round}${padding}`)));
    const revision = Math.max(...(await Promise.all(puts)));
    if (round % 10 === 9) await leader.endpoint.compact(revision);
  }
  // Any of the two may lead when it comes back. What it has was committed a moment before, or is on its way to be. A leader keeps in memory
  // what a follower lacks, but not for its next life.
  for (const member of [leader, stayed]) {
    await eventually(async () => expect(compactedTo(member)).toBeGreaterThan(commitIndex + 100));
    await member.kill();
  }
  for (const member of [leader, stayed, away]) member.start();
  await away.process.waitForOutput("restored from a snapshot of the leader");
  await eventually(async () => {
    const [own, leaders] = [await away.endpoint.all("serializable"), await leader.endpoint.all("serializable")];
    expect(own).toEqual(leaders);
    expect(own).toHaveLength(100);
  });

  // The snapshot has replaced its log for good: it starts from it, and follows on.
  await away.kill();
  away.start();
  await eventually(() => leader.endpoint.put("afterwards", "seen"));
  await eventually(async () => expect(await away.endpoint.get("afterwards")).toBe("seen"));
  expect((await readdir(join(away.dataDir, "snap"))).length).toBeGreaterThan(0);
});
