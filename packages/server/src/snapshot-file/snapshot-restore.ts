import { openLogStore, readIdentity } from "@raftkv/log-store";
import { bootstrapLog, type Ports } from "@raftkv/raft-node";
import { founders, foundingConfiguration } from "../cluster/founding.ts";
import { foundCluster } from "../cluster/identity.ts";
import { ConfigError } from "../config/config-error.ts";
import type { MemberConfig } from "../config/member-config.ts";
import { readSnapshotFile, type SnapshotFileSummary } from "./snapshot-file-reader.ts";

export interface SnapshotRestoreOptions {
  /** Who the member is, and with whom it founds the cluster. */
  readonly config: Pick<MemberConfig, "name" | "dataDir" | "initialCluster" | "initialClusterToken">;
  readonly ports: Pick<Ports, "disk" | "clock" | "random" | "logger">;
  /** The file in pieces of any size. */
  readonly file: AsyncIterable<Uint8Array>;
}

/**
 * Makes the data directory of a founding member of a new cluster that begins with what a snapshot file holds: its keys, revisions and
 * leases. Every founder has to be made of the same file. Members and alarms of the old cluster are left behind. Throws SnapshotFileError,
 * ConfigError or LogStoreError; before the whole file was read nothing is written.
 */
export async function restoreSnapshot({ config, ports, file }: SnapshotRestoreOptions): Promise<SnapshotFileSummary> {
  const { name, dataDir } = config;
  const cluster = foundCluster(config.initialCluster, config.initialClusterToken);
  const memberId = cluster.members.find((member) => member.name === name)?.id;
  if (memberId === undefined) throw new ConfigError(`--initial-cluster does not name this member "${name}"`);
  if ((await readIdentity(ports.disk, dataDir)) !== null) {
    throw new ConfigError(`data directory ${dataDir} holds a member already, give another --data-dir`);
  }
  const { summary, state } = await readSnapshotFile(file);
  state.directory.replace(founders(cluster));
  state.alarms.replace([]);
  const logStore = await openLogStore({ ...ports, directory: dataDir, identity: { clusterId: cluster.clusterId, memberId } });
  try {
    await bootstrapLog(logStore, foundingConfiguration(cluster), state);
  } finally {
    await logStore.close();
  }
  return summary;
}
