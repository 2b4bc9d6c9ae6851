import type { Disk } from "@raftkv/raft-node";
import { checkNoData, DataDirectory } from "./data-directory.ts";
import { hex16, type Identity, type StoreIdentity } from "./format.ts";
import { LogStoreError } from "./log-store-error.ts";
import { isMetaProblem, readMeta } from "./meta-file.ts";
import { readSegmentHeaders } from "./segment-reading.ts";
import { newestSnapshotHeader } from "./snapshot-search.ts";

/**
 * The member a directory belongs to, null if it is new or nothing in it says. Reads only; may be called while the directory is in use.
 * Throws what opening it would throw for its meta file, but not that this file is damaged or gone: then segments and snapshots tell.
 */
export async function readIdentity(disk: Disk, path: string): Promise<Identity | null> {
  const directory = new DataDirectory(path);
  try {
    const meta = await readMeta(disk, path, null);
    if (meta !== null) return { clusterId: meta.record.clusterId, memberId: meta.record.memberId };
    await checkNoData(disk, directory);
    return null;
  } catch (reason) {
    if (!isMetaProblem(reason)) throw reason;
    const owner = await readOwner(disk, directory);
    return owner === null ? null : { clusterId: owner.clusterId, memberId: owner.memberId };
  }
}

/** Whom the segments and snapshots of a directory name, whatever its meta file says; null if none is left that names anybody. */
export async function readOwner(disk: Disk, directory: DataDirectory): Promise<StoreIdentity | null> {
  const [segment] = await readSegmentHeaders(disk, directory);
  const named = segment ?? (await newestSnapshotHeader(disk, directory));
  return named === null ? null : { clusterId: named.clusterId, memberId: named.memberId, storeId: named.storeId };
}

/** Throws `ERR_IDENTITY` if `found`, which stands in `path`, is not who the member is. */
export function checkIdentity(path: string, found: Identity, identity: Identity): void {
  if (found.clusterId === identity.clusterId && found.memberId === identity.memberId) return;
  throw new LogStoreError(
    "ERR_IDENTITY",
    `${path} belongs to ${nameOf(found)}, not to ${nameOf(identity)}: give this member its own directory`,
  );
}

function nameOf({ clusterId, memberId }: Identity): string {
  return `member ${hex16(memberId)} of cluster ${hex16(clusterId)}`;
}
