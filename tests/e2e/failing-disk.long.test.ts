import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RpcError } from "@raftkv/raft-rpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildDiskFaults, failedCall, faultEnvironment, noDiskFaults } from "../../packages/server/src/storage-faults/disk-fault.ts";
import { eventually } from "../support/eventually.ts";
import { type ClusterMember, ProcessCluster } from "../support/process-cluster.ts";

const flags = ["--heartbeat-interval=20", "--election-timeout=200", "--snapshot-count=100", "--log-level=warn"];
const exitStorageFailed = 3;
/** What each write or sync takes; nobody stands for election before two seconds without a leader. */
const slowMs = 400;
const slowForMs = 1_500;
const hangingMs = 8_000;
const slowFlags = ["--heartbeat-interval=200", "--election-timeout=2000", "--log-level=warn"];
/** Puts after which a member whose disk was to fail has written more often than that. */
const putsMax = 400;

let folder = "";
let library = "";

if (noDiskFaults !== null) console.warn(noDiskFaults);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "raftkv-faults-"));
  if (noDiskFaults === null) library = buildDiskFaults(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Puts one key after the other until the member has ended. Returns the keys that it acknowledged. */
async function putUntilItEnds(member: ClusterMember): Promise<readonly string[]> {
  const acknowledged: string[] = [];
  for (let count = 0; member.running && count < putsMax; count++) {
    await member.endpoint.put(`key-${count}`, `value-${count}`, 300).then(
      () => acknowledged.push(`key-${count}`),
      (error: unknown) => {
        if (!(error instanceof RpcError)) throw error;
      },
    );
  }
  return acknowledged;
}

describe.skipIf(noDiskFaults !== null)("a member whose disk", () => {
  test.each([11, 24, 39, 48, 75])(
    "fails at write or sync %d says so, ends with a status of its own, and has lost nothing",
    async (failingCall) => {
      const cluster = await ProcessCluster.create({ size: 1, flags });
      try {
        const [member] = cluster.members;
        if (member === undefined) throw new Error("There is one member");
        member.start(
          faultEnvironment(library, { directory: member.dataDir, failingCall, effect: failingCall % 2 === 0 ? "lost" : "kept" }),
        );
        const acknowledged = await putUntilItEnds(member);
        expect(member.running, `${failedCall(member.dataDir)} failed`).toBe(false);
        const { code, output } = await member.process.exit();
        expect(output).toMatch(/^raftkv: .*EIO/m);
        expect(code).toBe(exitStorageFailed);
        member.start();
        const pairs = await eventually(() => member.endpoint.all("linearizable"));
        const kept = new Set(pairs.map(({ key }) => key));
        expect(acknowledged.filter((key) => !kept.has(key))).toEqual([]);
      } finally {
        await cluster.dispose();
      }
    },
  );

  test("is slow keeps its office and its place, and hands leadership over once it is slower than an election", async () => {
    const cluster = await ProcessCluster.create({ size: 3, flags: slowFlags });
    try {
      for (const member of cluster.members) {
        member.start(faultEnvironment(library, { directory: member.dataDir, delayFile: delayFile(member) }));
      }
      const leader = await cluster.leader();
      const [follower] = await cluster.followers();
      if (follower === undefined) throw new Error("There are two followers");
      const before = await leader.endpoint.status();
      for (const slow of [leader, follower]) {
        writeFileSync(delayFile(slow), String(slowMs));
        const slowest = await putFor(slowForMs, slow);
        rmSync(delayFile(slow));
        // Who asks this member waits for its disk: it answers what it has applied, and applies what is durable.
        expect(slowest).toBeGreaterThan(slowMs / 2);
      }
      for (const member of cluster.members) {
        expect(await member.endpoint.status()).toMatchObject({ leader: before.leader, term: before.term });
      }

      writeFileSync(delayFile(leader), String(hangingMs));
      const load = putFor(slowForMs, follower);
      await eventually(async () => expect((await follower.endpoint.status()).leader).not.toBe(before.leader));
      await load;
      await follower.endpoint.put("key", "after the change");
      rmSync(delayFile(leader));
      expect(await leader.endpoint.get("key")).toBe("after the change");
    } finally {
      await cluster.dispose();
    }
  });
});

/** Exists while the disk of this member is slow. */
function delayFile(member: ClusterMember): string {
  return `${member.dataDir}.slow`;
}

/** Puts one after the other through this member. Resolves with how long the slowest took. */
async function putFor(durationMs: number, member: ClusterMember): Promise<number> {
  const endMs = performance.now() + durationMs;
  let slowestMs = 0;
  while (performance.now() < endMs) {
    const sentMs = performance.now();
    await member.endpoint.put("key", "value");
    slowestMs = Math.max(slowestMs, performance.now() - sentMs);
  }
  return slowestMs;
}
