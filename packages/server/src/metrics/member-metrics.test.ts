import { readFileSync } from "node:fs";
import type { NodeMetrics } from "@raftkv/raft-node";
import { afterAll, expect, test } from "vitest";
import type { MemberFigures } from "./member-figures.ts";
import { MemberMetrics } from "./member-metrics.ts";

const node: NodeMetrics = {
  memberState: "sound",
  repair: null,
  hasLeader: true,
  isLeader: false,
  isLearner: false,
  leaderChanges: 3,
  commit: 120,
  applied: 118,
  proposalsPending: 2,
  proposalsFailed: 1,
  log: { batches: 6, entries: 40, bytes: 4096, writeMs: { boundsMs: [1, 2, 4], counts: [3, 2, 0, 1], sumMs: 11_500 }, writeAgeMs: 2_500 },
};
const stateBytes = { reserved: 2_000, used: 1_000 };

let figures: MemberFigures | null = null;
// One for all tests: the process is measured once.
const metrics = new MemberMetrics(() => figures);

/** The samples by name and labels. */
async function scraped(now: MemberFigures | null): Promise<ReadonlyMap<string, string>> {
  figures = now;
  const lines = (await metrics.scrape()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), line.slice(line.lastIndexOf(" ") + 1)]));
}

afterAll(() => {
  figures = null;
});

test("the numbers are those of the moment of the scrape", async () => {
  expect(Object.fromEntries(await scraped({ node, stateBytes }))).toMatchObject({
    etcd_server_has_leader: "1",
    etcd_server_is_leader: "0",
    etcd_server_leader_changes_seen_total: "3",
    etcd_server_proposals_committed_total: "120",
    etcd_server_proposals_applied_total: "118",
    etcd_server_proposals_pending: "2",
    etcd_server_proposals_failed_total: "1",
    etcd_disk_wal_write_bytes_total: "4096",
    etcd_mvcc_db_total_size_in_bytes: "2000",
    etcd_mvcc_db_total_size_in_use_in_bytes: "1000",
    raftkv_disk_write_age_seconds: "2.5",
    raftkv_repair_target_index: "0",
    'raftkv_member_state{state="sound"}': "1",
    'raftkv_member_state{state="repairing"}': "0",
    'raftkv_member_state{state="quarantined"}': "0",
    'etcd_cluster_version{cluster_version="3.4"}': "1",
  });
  const later = await scraped({ node: { ...node, leaderChanges: 4, proposalsFailed: 1 }, stateBytes });
  expect([later.get("etcd_server_leader_changes_seen_total"), later.get("etcd_server_proposals_failed_total")]).toEqual(["4", "1"]);
});

test("a member under repair shows how far it has come", async () => {
  const repair = { from: 30, description: "", target: 120, verified: 40 };
  expect(Object.fromEntries(await scraped({ node: { ...node, memberState: "repairing", repair }, stateBytes }))).toMatchObject({
    'raftkv_member_state{state="sound"}': "0",
    'raftkv_member_state{state="repairing"}': "1",
    raftkv_repair_verified_index: "40",
    raftkv_repair_target_index: "120",
  });
});

test("durations of writes are a histogram in seconds, each class with those below it", async () => {
  await scraped({ node, stateBytes });
  const text = await metrics.scrape();
  const lines = text.split("\n").filter((line) => line.includes("etcd_disk_wal_fsync_duration_seconds") && !line.startsWith("# HELP"));
  expect(lines).toEqual([
    "# TYPE etcd_disk_wal_fsync_duration_seconds histogram",
    'etcd_disk_wal_fsync_duration_seconds_bucket{le="0.001"} 3',
    'etcd_disk_wal_fsync_duration_seconds_bucket{le="0.002"} 5',
    'etcd_disk_wal_fsync_duration_seconds_bucket{le="0.004"} 5',
    'etcd_disk_wal_fsync_duration_seconds_bucket{le="+Inf"} 6',
    "etcd_disk_wal_fsync_duration_seconds_sum 11.5",
    "etcd_disk_wal_fsync_duration_seconds_count 6",
  ]);
});

test("the process is there before the member runs", async () => {
  const samples = await scraped(null);
  expect(Number(samples.get("process_resident_memory_bytes"))).toBeGreaterThan(1e6);
  expect(samples.get("etcd_server_has_leader")).toBe("0");
  expect(metrics.contentType).toBe("text/plain; version=0.0.4; charset=utf-8");
});

test("every name that is ours is in docs/metrics.md, and no other", async () => {
  figures = { node, stateBytes };
  const served = [...(await metrics.scrape()).matchAll(/^# TYPE ((?:etcd|raftkv)_\w+) (\w+)$/gm)].map(
    ([, name, type]) => `${name} ${type}`,
  );
  const page = readFileSync(new URL("../../../../docs/metrics.md", import.meta.url), "utf8");
  const described = [...page.matchAll(/^\| `((?:etcd|raftkv)_\w+)[^|]*` \| (\w+) \|/gm)].map(([, name, type]) => `${name} ${type}`);
  expect(described.sort()).toEqual(served.sort());
});
