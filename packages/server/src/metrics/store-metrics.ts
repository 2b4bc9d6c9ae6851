import { StatusCode } from "@raftkv/raft-rpc";
import { alarmName } from "../state/alarm-name.ts";
import type { MemberFigures } from "./member-figures.ts";
import { classes, type HistogramDefinition, type MetricDefinition, number } from "./metric-definition.ts";

/** The log, keys, watchers, leases and alarms. */
export const storeMetrics: readonly MetricDefinition[] = [
  number({
    name: "etcd_disk_wal_write_bytes_total",
    type: "gauge",
    help: "Bytes written to the log.",
    valueOf: ({ node }) => node.log.bytes,
  }),
  number({
    name: "raftkv_disk_write_age_seconds",
    type: "gauge",
    help: "Age of the durable write to the log that is under way, 0 if there is none.",
    valueOf: ({ node }) => node.log.writeAgeMs / 1_000,
  }),
  number({
    name: "raftkv_disk_written_entries_total",
    type: "counter",
    help: "Log entries in the durable writes to the log.",
    valueOf: ({ node }) => node.log.entries,
  }),
  number({
    name: "etcd_server_quota_backend_bytes",
    type: "gauge",
    help: "Memory that the keys may use before writes are refused, in bytes; +Inf for no limit.",
    valueOf: ({ store }) => store.quotaBytes,
  }),
  ...underBothNames({
    name: "db_total_size_in_bytes",
    type: "gauge",
    help: "Memory that is reserved for the keys, in bytes.",
    valueOf: ({ store }) => store.reservedBytes,
  }),
  number({
    name: "etcd_mvcc_db_total_size_in_use_in_bytes",
    type: "gauge",
    help: "Memory that the keys use, in bytes.",
    valueOf: ({ store }) => store.usedBytes,
  }),
  ...underBothNames({ name: "put_total", type: "counter", help: "Keys that were put.", valueOf: ({ activity }) => activity.puts }),
  ...underBothNames({
    name: "delete_total",
    type: "counter",
    help: "Keys that were deleted.",
    valueOf: ({ activity }) => activity.deletes,
  }),
  ...underBothNames({
    name: "txn_total",
    type: "counter",
    help: "Transactions of more than one operation.",
    valueOf: ({ activity }) => activity.txns,
  }),
  ...underBothNames({ name: "range_total", type: "counter", help: "Ranges, those in transactions with them.", valueOf: rangeCount }),
  number({
    name: "etcd_debugging_mvcc_keys_total",
    type: "gauge",
    help: "Keys that are there now.",
    valueOf: ({ store }) => store.keyCount,
  }),
  number({
    name: "etcd_debugging_mvcc_current_revision",
    type: "gauge",
    help: "Revision of the last change.",
    valueOf: ({ store }) => store.revision,
  }),
  number({
    name: "etcd_debugging_mvcc_compact_revision",
    type: "gauge",
    help: "Revision below which nothing can be read, -1 if there is none.",
    valueOf: ({ store }) => store.compactRevision,
  }),
  number({
    name: "etcd_debugging_mvcc_db_compaction_keys_total",
    type: "counter",
    help: "Versions of keys whose memory was given back after compactions.",
    valueOf: ({ reclaim }) => reclaim.versions,
  }),
  number({
    name: "etcd_debugging_mvcc_watcher_total",
    type: "gauge",
    help: "Watchers of this member's clients.",
    valueOf: ({ watches }) => watches.watcherCount,
  }),
  number({
    name: "etcd_debugging_mvcc_slow_watcher_total",
    type: "gauge",
    help: "Watchers that have not got everything yet.",
    valueOf: ({ watches }) => watches.slowCount,
  }),
  number({
    name: "etcd_debugging_mvcc_events_total",
    type: "counter",
    help: "Events that watchers got.",
    valueOf: ({ watches }) => watches.deliveredEvents,
  }),
  number({
    name: "etcd_debugging_lease_granted_total",
    type: "counter",
    help: "Leases that were granted.",
    valueOf: ({ activity }) => activity.leasesGranted,
  }),
  number({
    name: "etcd_debugging_lease_renewed_total",
    type: "counter",
    help: "Renewals of leases while this member led.",
    valueOf: ({ leases }) => leases.renewed,
  }),
  number({
    name: "etcd_debugging_server_lease_expired_total",
    type: "counter",
    help: "Leases that this member ended while it led, because their time was over.",
    valueOf: ({ leases }) => leases.expired,
  }),
  number({
    name: "etcd_debugging_lease_revoked_total",
    type: "counter",
    help: "Leases that were revoked or expired.",
    valueOf: ({ activity }) => activity.leasesRevoked,
  }),
  {
    name: "etcd_debugging_server_alarms",
    type: "gauge",
    help: "1 for each alarm that is active.",
    samplesOf: ({ alarms }) =>
      alarms.map(({ memberId, kind }) => ({
        labels: { server_id: memberId.toString(16), alarm_type: alarmName(kind) ?? "UNKNOWN" },
        value: 1,
      })),
  },
];

export const storeHistograms: readonly HistogramDefinition[] = [
  classes({
    name: "etcd_debugging_lease_ttl_total",
    help: "Seconds of the leases that were granted.",
    classesOf: ({ activity }) => activity.leaseTtls,
  }),
  classes({
    name: "etcd_debugging_mvcc_db_compaction_pause_duration_milliseconds",
    help: "How long the member did nothing but give memory of compacted versions back, each time.",
    classesOf: ({ reclaim }) => reclaim.sliceMs,
  }),
  classes({
    name: "etcd_debugging_mvcc_db_compaction_total_duration_milliseconds",
    help: "How long it took after a compaction until all memory was given back.",
    classesOf: ({ reclaim }) => reclaim.totalMs,
  }),
  classes({
    name: "etcd_mvcc_hash_duration_seconds",
    help: "How long hashes of the store took.",
    classesOf: ({ services }) => services.hashes,
  }),
  classes({
    name: "etcd_mvcc_hash_rev_duration_seconds",
    help: "How long hashes up to a revision took.",
    classesOf: ({ services }) => services.revisionHashes,
  }),
  classes({
    name: "etcd_disk_backend_snapshot_duration_seconds",
    help: "How long snapshots took on their way to clients.",
    classesOf: ({ services }) => services.snapshots,
  }),
];

/** Dashboards of etcd 3.4 and before know these by the second name. */
function underBothNames(definition: Parameters<typeof number>[0]): readonly MetricDefinition[] {
  return ["etcd_mvcc_", "etcd_debugging_mvcc_"].map((prefix) => number({ ...definition, name: `${prefix}${definition.name}` }));
}

/** Ranges of their own are the calls that were answered. */
function rangeCount({ methods, activity }: MemberFigures): number {
  const range = methods.find(({ service, method }) => service === "etcdserverpb.KV" && method === "Range");
  return (range?.counters.handled[StatusCode.OK] ?? 0) + activity.txnRanges;
}
