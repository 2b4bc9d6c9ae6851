import type { NodeMetrics } from "@raftkv/raft-node";

/** What a member knows of itself when somebody asks. */
export interface MemberFigures {
  readonly node: NodeMetrics;
  /** Memory that the keys take, and what of it is in use. */
  readonly stateBytes: { readonly reserved: number; readonly used: number };
}

/** A number that a member shows under a name. */
export interface FigureDefinition {
  readonly name: string;
  /** A counter only grows while the process lives. What is a gauge in etcd, though it only grows, is one here. */
  readonly type: "counter" | "gauge";
  readonly help: string;
  readonly valueOf: (figures: MemberFigures) => number;
}

/** Everything without labels. Names that begin with `etcd_` mean what they mean in etcd, so that its dashboards and alerts work. */
export const figureDefinitions: readonly FigureDefinition[] = [
  {
    name: "etcd_server_has_leader",
    type: "gauge",
    help: "1 if this member knows who leads, else 0.",
    valueOf: ({ node }) => Number(node.hasLeader),
  },
  { name: "etcd_server_is_leader", type: "gauge", help: "1 if this member leads, else 0.", valueOf: ({ node }) => Number(node.isLeader) },
  {
    name: "etcd_server_is_learner",
    type: "gauge",
    help: "1 if this member gets every entry but does not vote, else 0.",
    valueOf: ({ node }) => Number(node.isLearner),
  },
  {
    name: "etcd_server_leader_changes_seen_total",
    type: "counter",
    help: "How often this member saw somebody begin to lead.",
    valueOf: ({ node }) => node.leaderChanges,
  },
  {
    name: "etcd_server_proposals_committed_total",
    type: "gauge",
    help: "Index of the last log entry that this member knows to be committed.",
    valueOf: ({ node }) => node.commit,
  },
  {
    name: "etcd_server_proposals_applied_total",
    type: "gauge",
    help: "Index of the last log entry that this member applied.",
    valueOf: ({ node }) => node.applied,
  },
  {
    name: "etcd_server_proposals_pending",
    type: "gauge",
    help: "Writes through this member that wait to be applied.",
    valueOf: ({ node }) => node.proposalsPending,
  },
  {
    name: "etcd_server_proposals_failed_total",
    type: "counter",
    help: "Writes through this member that failed or ran out of time.",
    valueOf: ({ node }) => node.proposalsFailed,
  },
  {
    name: "etcd_disk_wal_write_bytes_total",
    type: "gauge",
    help: "Bytes written to the log.",
    valueOf: ({ node }) => node.log.bytes,
  },
  {
    name: "etcd_mvcc_db_total_size_in_bytes",
    type: "gauge",
    help: "Memory that is reserved for the keys, in bytes.",
    valueOf: ({ stateBytes }) => stateBytes.reserved,
  },
  {
    name: "etcd_mvcc_db_total_size_in_use_in_bytes",
    type: "gauge",
    help: "Memory that the keys use, in bytes.",
    valueOf: ({ stateBytes }) => stateBytes.used,
  },
  {
    name: "raftkv_disk_write_age_seconds",
    type: "gauge",
    help: "Age of the durable write to the log that is under way, 0 if there is none.",
    valueOf: ({ node }) => node.log.writeAgeMs / 1_000,
  },
  {
    name: "raftkv_disk_written_entries_total",
    type: "counter",
    help: "Log entries in the durable writes to the log.",
    valueOf: ({ node }) => node.log.entries,
  },
  {
    name: "raftkv_repair_verified_index",
    type: "gauge",
    help: "Up to where the log of a member under repair equals the leader's; 0 for a sound member.",
    valueOf: ({ node }) => node.repair?.verified ?? 0,
  },
  {
    name: "raftkv_repair_target_index",
    type: "gauge",
    help: "Up to where it has to be equal before the member takes part again; 0 for a sound member, and while no leader has said.",
    valueOf: ({ node }) => node.repair?.target ?? 0,
  },
];
