import type { Disk, Logger, Random } from "@raftkv/raft-node";
import { checkNoData, type DataDirectory } from "./data-directory.ts";
import { checkIdentity } from "./directory-identity.ts";
import { type Identity, viewOf } from "./format.ts";
import { type LogReading, readLog } from "./log-reading.ts";
import { type Recovery, recoverLog } from "./log-recovery.ts";
import { createMeta, type FoundMeta, META_NAME, META_TEMP_NAME, readMeta } from "./meta-file.ts";
import { firstMetaRecord, type MetaRecord } from "./meta-record.ts";
import { type FoundSegment, readSegments } from "./segment-reading.ts";
import { type SnapshotSearch, searchSnapshots } from "./snapshot-search.ts";

/** What was found in `wal/` and `snap/`, and what follows from it. */
export interface DirectoryContents {
  /** Ascending. */
  readonly segments: readonly FoundSegment[];
  readonly reading: LogReading;
  readonly search: SnapshotSearch;
  readonly recovery: Recovery;
}

/**
 * Reads log and snapshots, and changes nothing. Of the entries about `entryBytesMax` stay in memory, the newest. Throws what refuses the
 * directory, and `ERR_META_STALE`.
 */
export async function readDirectory(
  disk: Disk,
  directory: DataDirectory,
  meta: MetaRecord,
  entryBytesMax: number,
): Promise<DirectoryContents> {
  const segments = await readSegments(disk, directory, meta, entryBytesMax);
  const reading = readLog(segments, meta);
  const search = await searchSnapshots(disk, directory, meta, reading, meta);
  return { segments, reading, search, recovery: recoverLog(reading, search, meta) };
}

export interface MetaPorts {
  readonly disk: Disk;
  readonly random: Random;
  readonly logger: Logger;
  readonly identity: Identity;
}

/** The meta file comes first: a directory with data but without it is damaged. Throws `ERR_IDENTITY` and what `readMeta` throws. */
export async function readOrMakeMeta({ disk, random, logger, identity }: MetaPorts, directory: DataDirectory): Promise<FoundMeta> {
  let found = await readMeta(disk, directory.root, logger);
  if (found === null) {
    await checkNoData(disk, directory);
    if ((await disk.list(directory.root)).includes(META_TEMP_NAME)) await disk.remove(`${directory.root}/${META_TEMP_NAME}`);
    found = await createMeta(disk, directory.root, firstMetaRecord(identity, drawStoreId(random)));
  }
  checkIdentity(`${directory.root}/${META_NAME}`, found.record, identity);
  return found;
}

/** A random u64 that is not 0. */
export function drawStoreId(random: Random): bigint {
  const drawn = viewOf(random.bytes(8)).getBigUint64(0, true);
  return drawn === 0n ? 1n : drawn;
}
