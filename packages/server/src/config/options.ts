/** One setting of a member: a flag `--NAME value` and an environment variable `ETCD_NAME`, as etcd has them. */
export interface OptionDefinition {
  readonly flag: string;
  /** As help shows it. */
  readonly default: string;
  readonly help: string;
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
  { flag: "snapshot-count", default: "100000", help: "applied entries after which a snapshot is taken and the log compacted" },
  { flag: "log-level", default: "info", help: "debug, info, warn or error" },
  { flag: "max-request-bytes", default: "1572864", help: "largest request of a client, in bytes" },
] as const satisfies readonly OptionDefinition[];

export type OptionName = (typeof serverOptions)[number]["flag"];

/** The environment variable of an option. */
export function environmentName(flag: OptionName): string {
  return `ETCD_${flag.toUpperCase().replaceAll("-", "_")}`;
}
