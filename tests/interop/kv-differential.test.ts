import { afterAll, beforeAll, expect, test } from "vitest";
import { findDifference } from "../support/differential/differential-run.ts";
import { EtcdProcess, etcdProgram } from "../support/etcd-process.ts";
import { ProcessCluster } from "../support/process-cluster.ts";

if (etcdProgram === null) console.warn("etcd is not on the PATH (Debian package etcd-server): answers are not compared with etcd's");

let etcd: EtcdProcess | null = null;
let raftkv: ProcessCluster | null = null;

beforeAll(async () => {
  if (etcdProgram === null) return;
  [etcd, raftkv] = await Promise.all([EtcdProcess.start(), ProcessCluster.start({ size: 1, flags: ["--log-level=warn"] })]);
});
afterAll(async () => {
  await Promise.all([etcd?.dispose(), raftkv?.dispose()]);
});

test.skipIf(etcdProgram === null)("a member answers 3,000 random requests as etcd does", { timeout: 120_000 }, async () => {
  const endpoints = [etcd?.endpoint ?? "", raftkv?.endpoints ?? ""] as const;
  expect(await findDifference({ seed: "kv", count: 3_000, endpoints })).toBe(null);
});
