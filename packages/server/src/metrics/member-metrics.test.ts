import { readFileSync } from "node:fs";
import type { NodeMetrics } from "@raftkv/raft-node";
import { Dispatcher, MethodCounters, RpcServer, StatusCode } from "@raftkv/raft-rpc";
import { expect, test } from "vitest";
import { PeerTraffic } from "../peer/peer-traffic.ts";
import { NodeClock } from "../ports/node-clock.ts";
import { ServiceCounts } from "../services/service-counts.ts";
import { ClassCounter } from "./class-counter.ts";
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

function seen(value: number): ClassCounter {
  const counter = new ClassCounter([0.01, 0.05, 16]);
  counter.observe(value);
  return counter;
}

const put = new MethodCounters();
put.started = 5;
put.received(40);
put.sent(20);
put.ended(StatusCode.OK);
put.ended(StatusCode.INVALID_ARGUMENT);
const watch = new MethodCounters();
watch.started = 3;
watch.ended(StatusCode.CANCELLED);
const range = new MethodCounters();
range.ended(StatusCode.OK);

const traffic = Object.assign(new PeerTraffic(), { sentBytes: 10, receivedBytes: 20, sendFailures: 1, receiveFailures: 3, disconnects: 2 });
traffic.roundTrips.observe(0.0003);
const { limits } = new RpcServer({ dispatcher: new Dispatcher(), clock: new NodeClock() }).counters;
limits.connections = 6;

const figures: MemberFigures = {
  memberId: 0xabcn,
  node,
  store: { revision: 12, compactRevision: 5, keyCount: 7, reservedBytes: 2_000, usedBytes: 1_000, quotaBytes: 2 ** 31 },
  activity: { puts: 2, deletes: 3, txns: 1, txnRanges: 4, leasesGranted: 6, leasesRevoked: 5, leaseTtls: seen(30) },
  reclaim: { versions: 44, sliceMs: seen(3), totalMs: seen(150) },
  leases: { renewed: 21, expired: 2 },
  services: new ServiceCounts(),
  slowCommands: 1,
  isRestoring: false,
  lateHeartbeats: 14,
  clientVersions: [{ version: "3.4", unary: 7, stream: 1 }],
  alarms: [{ memberId: 0xabcn, kind: 1 }],
  methods: [
    { service: "etcdserverpb.KV", method: "Put", type: "unary", counters: put, seconds: seen(0.02) },
    { service: "etcdserverpb.KV", method: "Range", type: "unary", counters: range, seconds: null },
    { service: "etcdserverpb.Watch", method: "Watch", type: "bidi_stream", counters: watch, seconds: null },
  ],
  watches: { watcherCount: 9, slowCount: 1, deliveredEvents: 99 },
  peers: [{ id: 0xdefn, isConnected: true, traffic }],
  connections: 4,
  limits,
  httpConnections: 3,
  health: { success: 8, failures: 1 },
  checks: [{ kind: "readyz", name: "non_learner", isSuccess: true, successes: 3, failures: 0 }],
};

let now = figures;
// One for all tests: the process is measured once.
const metrics = new MemberMetrics(() => now);

/** The samples by name and labels. */
async function scraped(change: Partial<MemberFigures> = {}): Promise<ReadonlyMap<string, string>> {
  now = { ...figures, ...change };
  const lines = (await metrics.scrape()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), line.slice(line.lastIndexOf(" ") + 1)]));
}

test("the numbers are those of the moment of the scrape", async () => {
  expect(Object.fromEntries(await scraped())).toMatchObject({
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
  const later = await scraped({ node: { ...node, leaderChanges: 4, proposalsFailed: 1 } });
  expect([later.get("etcd_server_leader_changes_seen_total"), later.get("etcd_server_proposals_failed_total")]).toEqual(["4", "1"]);
});

test("a member under repair shows how far it has come", async () => {
  const repair = { from: 30, description: "", target: 120, verified: 40 };
  expect(Object.fromEntries(await scraped({ node: { ...node, memberState: "repairing", repair } }))).toMatchObject({
    'raftkv_member_state{state="sound"}': "0",
    'raftkv_member_state{state="repairing"}': "1",
    raftkv_repair_verified_index: "40",
    raftkv_repair_target_index: "120",
  });
});

test("durations of writes are a histogram in seconds, each class with those below it", async () => {
  await scraped();
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

test("methods have all their series, used or not", async () => {
  const samples = await scraped();
  const labels = 'grpc_method="Put",grpc_service="etcdserverpb.KV",grpc_type="unary"';
  expect(Object.fromEntries(samples)).toMatchObject({
    [`grpc_server_started_total{${labels}}`]: "5",
    [`grpc_server_handled_total{grpc_code="OK",${labels}}`]: "1",
    [`grpc_server_handled_total{grpc_code="InvalidArgument",${labels}}`]: "1",
    [`grpc_server_handled_total{grpc_code="DataLoss",${labels}}`]: "0",
    [`grpc_server_msg_received_total{${labels}}`]: "1",
    [`grpc_server_msg_sent_total{${labels}}`]: "1",
    'grpc_server_handled_total{grpc_code="Canceled",grpc_method="Watch",grpc_service="etcdserverpb.Watch",grpc_type="bidi_stream"}': "1",
    etcd_network_client_grpc_received_bytes_total: "40",
    etcd_network_client_grpc_sent_bytes_total: "20",
  });
  expect([...samples.keys()].filter((name) => name.startsWith("grpc_server_handled_total"))).toHaveLength(3 * 17);
});

test("store, watches, peers and pages are shown with etcd's names and labels", async () => {
  expect(Object.fromEntries(await scraped())).toMatchObject({
    etcd_mvcc_put_total: "2",
    etcd_mvcc_delete_total: "3",
    etcd_mvcc_txn_total: "1",
    etcd_mvcc_range_total: "5",
    etcd_server_quota_backend_bytes: "2147483648",
    etcd_debugging_mvcc_keys_total: "7",
    etcd_debugging_mvcc_current_revision: "12",
    etcd_debugging_mvcc_compact_revision: "5",
    etcd_debugging_mvcc_watcher_total: "9",
    etcd_debugging_mvcc_watch_stream_total: "2",
    'etcd_debugging_server_alarms{server_id="abc",alarm_type="NOSPACE"}': "1",
    'etcd_network_peer_sent_bytes_total{To="def"}': "10",
    'etcd_network_peer_received_bytes_total{From="def"}': "20",
    'etcd_network_active_peers{Local="abc",Remote="def"}': "1",
    etcd_server_health_success: "8",
    'etcd_server_healthcheck{type="readyz",name="non_learner"}': "1",
    'etcd_server_healthchecks_total{type="readyz",name="non_learner",status="success"}': "3",
    'etcd_server_id{server_id="abc"}': "1",
    raftkv_client_http_connections: "3",
    'raftkv_client_limit_refusals_total{limit="connections"}': "6",
  });
  expect(
    (await scraped({ store: { ...figures.store, quotaBytes: Number.POSITIVE_INFINITY } })).get("etcd_server_quota_backend_bytes"),
  ).toBe("+Inf");
});

test("signs of overload, leases, compactions and versions of clients are shown with etcd's names and labels", async () => {
  expect(Object.fromEntries(await scraped())).toMatchObject({
    etcd_server_slow_apply_total: "1",
    etcd_server_slow_read_indexes_total: "0",
    etcd_server_read_indexes_failed_total: "0",
    etcd_server_heartbeat_send_failures_total: "14",
    etcd_server_snapshot_apply_in_progress_total: "0",
    'etcd_server_client_requests_total{type="unary",client_api_version="3.4"}': "7",
    'etcd_server_client_requests_total{type="stream",client_api_version="3.4"}': "1",
    etcd_debugging_lease_renewed_total: "21",
    etcd_debugging_server_lease_expired_total: "2",
    'etcd_debugging_lease_ttl_total_bucket{le="16"}': "0",
    'etcd_debugging_lease_ttl_total_bucket{le="+Inf"}': "1",
    etcd_debugging_mvcc_db_compaction_keys_total: "44",
    etcd_debugging_mvcc_db_compaction_total_duration_milliseconds_sum: "150",
    etcd_debugging_mvcc_put_total: "2",
    'etcd_network_peer_received_failures_total{From="def"}': "3",
    'etcd_network_peer_round_trip_time_seconds_bucket{le="0.0002",To="def"}': "0",
    'etcd_network_peer_round_trip_time_seconds_bucket{le="0.0004",To="def"}': "1",
    'etcd_network_peer_round_trip_time_seconds_count{To="def"}': "1",
  });
});

test("durations of calls are shown for methods whose calls are measured", async () => {
  const names = [...(await scraped()).keys()].filter((name) => name.startsWith("grpc_server_handling_seconds_count"));
  expect(names).toEqual(['grpc_server_handling_seconds_count{grpc_method="Put",grpc_service="etcdserverpb.KV",grpc_type="unary"}']);
});

test("open files have etcd's names, too", async () => {
  const samples = await scraped();
  expect(samples.get("os_fd_limit")).toBe(samples.get("process_max_fds"));
  expect(Number(samples.get("os_fd_used"))).toBeGreaterThan(3);
});

test("the process is there, too", async () => {
  expect(Number((await scraped()).get("process_resident_memory_bytes"))).toBeGreaterThan(1e6);
  expect(metrics.contentType).toBe("text/plain; version=0.0.4; charset=utf-8");
});

test("every name that is ours is in docs/metrics.md, and no other", async () => {
  await scraped();
  const served = [...(await metrics.scrape()).matchAll(/^# TYPE ((?:etcd|raftkv|grpc|os)_\w+) (\w+)$/gm)].map(
    ([, name, type]) => `${name} ${type}`,
  );
  const page = readFileSync(new URL("../../../../docs/metrics.md", import.meta.url), "utf8");
  const described = [...page.matchAll(/^\| `((?:etcd|raftkv|grpc|os)_\w+)[^|]*` \| (\w+) \|/gm)].map(([, name, type]) => `${name} ${type}`);
  expect(described.sort()).toEqual(served.sort());
});
