/** One setting of a member: a flag `--NAME value` and an environment variable `ETCD_NAME`, as etcd has them. */
export interface OptionDefinition {
  readonly flag: string;
  /** As help shows it. */
  readonly default: string;
  readonly help: string;
  /** May stand alone, and is true then. */
  readonly isSwitch?: true;
  /** Its name in etcd 3.4 and 3.5, which is taken too. */
  readonly formerName?: string;
}

/** Every option that `raftkv server` takes. Help and documentation are made from this table. */
export const serverOptions = [
  { flag: "name", default: "default", help: "name of this member, unique in the cluster" },
  { flag: "data-dir", default: "${name}.etcd", help: "directory of the log, the snapshots and the identity of this member" },
  { flag: "listen-client-urls", default: "http://localhost:2379", help: "comma-separated URLs to serve clients on" },
  {
    flag: "advertise-client-urls",
    default: "http://localhost:2379",
    help: "comma-separated client URLs to tell other members and clients",
  },
  { flag: "listen-peer-urls", default: "http://localhost:2380", help: "comma-separated URLs to serve other members on" },
  { flag: "initial-advertise-peer-urls", default: "http://localhost:2380", help: "comma-separated peer URLs to tell other members" },
  { flag: "initial-cluster", default: "${name}=${initial-advertise-peer-urls}", help: "the founding members: name=url,name=url" },
  { flag: "initial-cluster-token", default: "etcd-cluster", help: "sets clusters apart that were founded on the same URLs" },
  { flag: "initial-cluster-state", default: "new", help: '"new", or "existing" to start only from a data directory that is there' },
  { flag: "heartbeat-interval", default: "100", help: "milliseconds between heartbeats of the leader" },
  { flag: "election-timeout", default: "1000", help: "milliseconds without a leader before an election, at least 5 heartbeats" },
  {
    flag: "snapshot-count",
    default: "100000",
    help: "applied writes after which a snapshot is taken and the log compacted, once the log is large beside the last snapshot",
  },
  { flag: "log-level", default: "info", help: "debug, info, warn or error" },
  { flag: "max-request-bytes", default: "1572864", help: "largest request of a client, in bytes" },
  { flag: "max-txn-ops", default: "128", help: "operations that a transaction may have in its longest list" },
  {
    flag: "quota-backend-bytes",
    default: "0",
    help: "bytes that the store may take before writes are refused, 0 for 2 GiB, below 0 for no limit",
  },
  { flag: "auto-compaction-mode", default: "periodic", help: '"periodic" keeps the history of a time, "revision" a number of revisions' },
  {
    flag: "auto-compaction-retention",
    default: "0",
    help: "how much history is kept: a duration such as 30m, or plain hours, or revisions; 0 keeps all",
  },
  {
    flag: "watch-progress-notify-interval",
    default: "10m",
    help: "a watcher that asks for it and sees no event is told this often how far it is",
    formerName: "experimental-watch-progress-notify-interval",
  },
  { flag: "max-watchers-per-stream", default: "50000", help: "watchers that a client may have in one stream" },
  { flag: "max-watchers", default: "250000", help: "watchers of all clients of this member" },
  { flag: "max-leases", default: "1000000", help: "leases that the cluster may have; no more are granted through this member" },
  {
    flag: "max-concurrent-streams",
    default: "1000",
    help: "calls that may run at once on a connection, and through the JSON gateway in all",
  },
  { flag: "max-connections", default: "10000", help: "connections of clients in all" },
  { flag: "max-connections-per-address", default: "10000", help: "of these from one address; behind a load balancer all have its own" },
  {
    flag: "max-connection-faults",
    default: "50",
    help: "connections of an address that may end by a fault of the client, or before a call, before new ones from there wait, 0 for any number",
  },
  { flag: "max-connection-faults-per-second", default: "5", help: "how many of these are forgiven each second" },
  { flag: "max-connection-delay", default: "1s", help: "how long each of those that wait does so at most, from 1ms to 1m" },
  { flag: "max-connection-idle", default: "0s", help: "after this long without calls a connection is told to go, 0 for never" },
  { flag: "max-connection-age", default: "0s", help: "at this age a connection is told to go, so that clients spread again, 0 for never" },
  { flag: "grpc-keepalive-min-time", default: "5s", help: "shortest time between pings of a client" },
  { flag: "grpc-keepalive-interval", default: "2h", help: "a client that was silent for this long is pinged, 0 for never" },
  { flag: "grpc-keepalive-timeout", default: "20s", help: "a client that does not answer a ping for this long is gone, 0 for no pings" },
  { flag: "listen-metrics-urls", default: "", help: "comma-separated URLs to serve health pages and metrics on, besides the client URLs" },
  { flag: "metrics", default: "basic", help: '"extensive" measures how long calls take, by method, besides what "basic" shows' },
  { flag: "enable-grpc-gateway", default: "true", help: "serve the API as JSON over HTTP, too", isSwitch: true },
  { flag: "cors", default: "*", help: "comma-separated origins whose pages a browser lets call the JSON gateway" },
  { flag: "host-whitelist", default: "*", help: "comma-separated host names by which HTTP requests may name this member" },
] as const satisfies readonly OptionDefinition[];

export type OptionName = (typeof serverOptions)[number]["flag"];

/** The environment variable of an option, by its name. */
export function environmentName(flag: string): string {
  return `ETCD_${flag.toUpperCase().replaceAll("-", "_")}`;
}
