import { afterAll, beforeAll, expect, test } from "vitest";
import { findDifference } from "../support/differential/differential-run.ts";
import { EtcdProcess, etcdProgram } from "../support/etcd-process.ts";
import { ProcessCluster } from "../support/process-cluster.ts";

if (etcdProgram === null) console.warn("etcd is not on the PATH (Debian package etcd-server): answers are not compared with etcd's");

let etcd: EtcdProcess | null = null;
let raftkv: ProcessCluster | null = null;

beforeAll(async () => {
  if (etcdProgram === null) return;
  [etcd, raftkv] = await Promise.all([EtcdProcess.start(), ProcessCluster.start({ size: 3, flags: ["--log-level=warn"] })]);
});
afterAll(async () => {
  await Promise.all([etcd?.dispose(), raftkv?.dispose()]);
});

// One after the other on the same servers: both stores have the same history when the next begins.
test.skipIf(etcdProgram === null).each(["a", "b", "c", "d"])(
  "a member of a cluster answers 5,000 random requests as etcd does, seed %s",
  { timeout: 300_000 },
  async (seed) => {
    const endpoint = raftkv?.endpoints.split(",")[seed.charCodeAt(0) % 3] ?? "";
    expect(await findDifference({ seed, count: 5_000, endpoints: [etcd?.endpoint ?? "", endpoint] })).toBe(null);
  },
);
