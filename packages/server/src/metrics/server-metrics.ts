import { etcdClusterVersion, etcdVersion, raftkvVersion } from "../version.ts";
import type { ClassCounts } from "./class-counter.ts";
import type { MemberFigures } from "./member-figures.ts";
import { classes, type HistogramDefinition, type MetricDefinition, number } from "./metric-definition.ts";

const memberStates = ["sound", "repairing", "quarantined"] as const;

/** How the member takes part in its cluster. */
export const serverMetrics: readonly MetricDefinition[] = [
  number({
    name: "etcd_server_has_leader",
    type: "gauge",
    help: "1 if this member knows who leads, else 0.",
    valueOf: ({ node }) => Number(node.hasLeader),
  }),
  number({
    name: "etcd_server_is_leader",
    type: "gauge",
    help: "1 if this member leads, else 0.",
    valueOf: ({ node }) => Number(node.isLeader),
  }),
  number({
    name: "etcd_server_is_learner",
    type: "gauge",
    help: "1 if this member gets every entry but does not vote, else 0.",
    valueOf: ({ node }) => Number(node.isLearner),
  }),
  number({
    name: "etcd_server_leader_changes_seen_total",
    type: "counter",
    help: "How often this member saw somebody begin to lead.",
    valueOf: ({ node }) => node.leaderChanges,
  }),
  number({
    name: "etcd_server_proposals_committed_total",
    type: "gauge",
    help: "Index of the last log entry that this member knows to be committed. An entry may hold many writes.",
    valueOf: ({ node }) => node.commit,
  }),
  number({
    name: "etcd_server_proposals_applied_total",
    type: "gauge",
    help: "Index of the last log entry that this member applied.",
    valueOf: ({ node }) => node.applied,
  }),
  number({
    name: "etcd_server_proposals_pending",
    type: "gauge",
    help: "Writes through this member that wait to be applied.",
    valueOf: ({ node }) => node.proposalsPending,
  }),
  number({
    name: "etcd_server_proposals_failed_total",
    type: "counter",
    help: "Writes through this member that failed or ran out of time.",
    valueOf: ({ node }) => node.proposalsFailed,
  }),
  number({
    name: "etcd_server_slow_apply_total",
    type: "counter",
    help: "Commands that took more than 100 ms to apply.",
    valueOf: ({ slowCommands }) => slowCommands,
  }),
  number({
    name: "etcd_server_slow_read_indexes_total",
    type: "counter",
    help: "Linearizable reads through this member that ran out of time.",
    valueOf: ({ services }) => services.timedOutReads,
  }),
  number({
    name: "etcd_server_read_indexes_failed_total",
    type: "counter",
    help: "Linearizable reads through this member that failed for another reason.",
    valueOf: ({ services }) => services.failedReads,
  }),
  number({
    name: "etcd_server_heartbeat_send_failures_total",
    type: "counter",
    help: "Heartbeats that this member, while it led, sent later than two intervals after the one before.",
    valueOf: ({ lateHeartbeats }) => lateHeartbeats,
  }),
  number({
    name: "etcd_server_snapshot_apply_in_progress_total",
    type: "gauge",
    help: "1 while a snapshot of the leader replaces the store, else 0.",
    valueOf: ({ isRestoring }) => Number(isRestoring),
  }),
  {
    name: "etcd_server_client_requests_total",
    type: "counter",
    help: "Calls that were let in, by the version that the client names.",
    samplesOf: ({ clientVersions }) =>
      [...clientVersions].flatMap(({ version, unary, stream }) => [
        { labels: { type: "unary", client_api_version: version }, value: unary },
        { labels: { type: "stream", client_api_version: version }, value: stream },
      ]),
  },
  number({
    name: "etcd_server_health_success",
    type: "counter",
    help: "How often /health said yes.",
    valueOf: ({ health }) => health.success,
  }),
  number({
    name: "etcd_server_health_failures",
    type: "counter",
    help: "How often /health said no.",
    valueOf: ({ health }) => health.failures,
  }),
  {
    name: "etcd_server_healthcheck",
    type: "gauge",
    help: "1 if a check of /livez or /readyz succeeded the last time, else 0.",
    samplesOf: ({ checks }) => checks.map(({ kind, name, isSuccess }) => ({ labels: { type: kind, name }, value: Number(isSuccess) })),
  },
  {
    name: "etcd_server_healthchecks_total",
    type: "counter",
    help: "How often checks of /livez and /readyz ended in which way.",
    samplesOf: ({ checks }) =>
      checks.flatMap(({ kind, name, successes, failures }) => [
        { labels: { type: kind, name, status: "success" }, value: successes },
        { labels: { type: kind, name, status: "error" }, value: failures },
      ]),
  },
  {
    name: "etcd_server_id",
    type: "gauge",
    help: "1; the id of this member in hexadecimal.",
    samplesOf: ({ memberId }) => [{ labels: { server_id: memberId.toString(16) }, value: 1 }],
  },
  {
    name: "raftkv_member_state",
    type: "gauge",
    help: "1 for the state that this member is in. Repairing: it lost entries and gives no vote before it has them again. Quarantined: it only watches.",
    samplesOf: ({ node }) => memberStates.map((state) => ({ labels: { state }, value: Number(node.memberState === state) })),
  },
  number({
    name: "raftkv_repair_verified_index",
    type: "gauge",
    help: "Up to where the log of a member under repair equals the leader's; 0 for a sound member.",
    valueOf: ({ node }) => node.repair?.verified ?? 0,
  }),
  number({
    name: "raftkv_repair_target_index",
    type: "gauge",
    help: "Up to where it has to be equal before the member takes part again; 0 for a sound member, and while no leader has said.",
    valueOf: ({ node }) => node.repair?.target ?? 0,
  }),
  version("etcd_server_version", "server_version", etcdVersion, "Version of etcd whose API this member has."),
  version("etcd_cluster_version", "cluster_version", etcdClusterVersion.replace(/\.\d+$/, ""), "The same, of the cluster."),
  version("raftkv_version", "version", raftkvVersion, "Version of this member."),
];

export const serverHistograms: readonly HistogramDefinition[] = [
  classes({
    name: "etcd_disk_wal_fsync_duration_seconds",
    help: "How long durable writes to the log took.",
    classesOf: ({ node }) => inSeconds(node.log.writeMs),
  }),
];

function inSeconds({ boundsMs, counts, sumMs }: MemberFigures["node"]["log"]["writeMs"]): ClassCounts {
  return { bounds: boundsMs.map((ms) => ms / 1_000), counts, sum: sumMs / 1_000 };
}

function version(name: string, label: string, value: string, help: string): MetricDefinition {
  return { name, type: "gauge", help, samplesOf: () => [{ labels: { [label]: value }, value: 1 }] };
}
