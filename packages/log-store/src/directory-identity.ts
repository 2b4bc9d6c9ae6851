import type { Disk } from "@raftkv/raft-node";
import { checkNoData, DataDirectory } from "./data-directory.ts";
import { hex16, type Identity } from "./format.ts";
import { LogStoreError } from "./log-store-error.ts";
import { isMetaProblem, readMeta } from "./meta-file.ts";
import { readSegmentHeaders } from "./segment-reading.ts";
import { newestSnapshotHeader } from "./snapshot-search.ts";

/** Whom a directory belongs to, by what is left of it. */
export interface DirectoryOwner {
  readonly identity: Identity;
  /** Null if only snapshots are left, which do not name it. */
  readonly storeId: bigint | null;
}

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
    return (await readOwner(disk, directory))?.identity ?? null;
  }
}

/** Whom the segments and snapshots of a directory name, whatever its meta file says; null if none is left that names anybody. */
export async function readOwner(disk: Disk, directory: DataDirectory): Promise<DirectoryOwner | null> {
  const [segment] = await readSegmentHeaders(disk, directory);
  if (segment !== undefined) {
    const { clusterId, memberId, storeId } = segment;
    return { identity: { clusterId, memberId }, storeId };
  }
  const snapshot = await newestSnapshotHeader(disk, directory);
  return snapshot === null ? null : { identity: { clusterId: snapshot.clusterId, memberId: snapshot.memberId }, storeId: null };
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
