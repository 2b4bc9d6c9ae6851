import type { HardState } from "@raftkv/raft-core";
import { type Clock, type DirectoryLock, type Disk, DiskError, type Logger, type LogStore, type Random } from "@raftkv/raft-node";
import {
  checkNoData,
  DataDirectory,
  isSnapshotName,
  listIfThere,
  makeDirectories,
  removeTemps,
  segmentNumberOf,
  snapshotName,
} from "./data-directory.ts";
import { FileLogStore } from "./file-log-store.ts";
import { FRAMES_OFFSET, hex16, type Identity, PAGE_BYTES, viewOf } from "./format.ts";
import type { SnapshotMark } from "./frame.ts";
import { type RecoveredSegments, recoverSegments } from "./log-recovery.ts";
import { LogStoreError } from "./log-store-error.ts";
import { LogWriter } from "./log-writer.ts";
import { createMeta, type FoundMeta, META_NAME, META_TEMP_NAME, MetaFile, readMeta } from "./meta-file.ts";
import { firstMetaRecord } from "./meta-record.ts";
import { readQuarantine } from "./quarantine-file.ts";
import { readSegments } from "./segment-reading.ts";
import { SegmentSupply } from "./segment-supply.ts";
import { type SnapshotFile, verifySnapshotFile } from "./snapshot-file.ts";
import { SnapshotStore } from "./snapshot-store.ts";
import { TermRuns } from "./term-runs.ts";

export interface LogStoreOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Made if it does not exist. One process at a time. */
  readonly directory: string;
  /** Who the member is. A directory of another member is refused. */
  readonly identity: Identity;
  /** Size of a full-grown segment; a whole number of 4,096-byte pages. Default 16 MiB. */
  readonly segmentBytes?: number;
  /** Size of the first segment of each start, at most `segmentBytes`; small, so that a restart is cheap. Default 256 KiB. */
  readonly firstSegmentBytes?: number;
  /** What is written and synced at once; a larger append makes a batch of its own. Default 4 MiB. */
  readonly batchBytesMax?: number;
  /** What may wait for the disk; more fails the store. Default 256 MiB. */
  readonly queueBytesMax?: number;
  /** A log that stands still for so long is sealed, so that damage to its last batch can't pass for a torn write. Default 20 ms. */
  readonly sealIdleMs?: number;
}

const MEBIBYTE = 1024 * 1024;
const SEGMENT_BYTES_MIN = FRAMES_OFFSET + 4 * PAGE_BYTES;

/**
 * Opens the data directory of a member, and makes it at the first start. Throws a `LogStoreError` if the directory is in use,
 * belongs to another member, or may have lost something that was acknowledged; it is then left as it was. What can't have been
 * acknowledged, a torn last batch, is cut and reported through the logger.
 */
export async function openLogStore(options: LogStoreOptions): Promise<LogStore> {
  const { segmentBytes = 16 * MEBIBYTE, firstSegmentBytes = MEBIBYTE / 4 } = options;
  for (const [name, value] of Object.entries({ segmentBytes, firstSegmentBytes })) {
    if (!Number.isSafeInteger(value) || value % PAGE_BYTES !== 0 || value < SEGMENT_BYTES_MIN) {
      throw new RangeError(`${name} ${value} is not a multiple of ${PAGE_BYTES} from ${SEGMENT_BYTES_MIN} up`);
    }
  }
  const { disk, directory } = options;
  let lock: DirectoryLock | null = null;
  try {
    await makeDirectories(disk, directory);
    lock = await disk.lock(directory);
    return await openLocked(options, { segmentBytes, firstSegmentBytes }, lock);
  } catch (reason) {
    await lock?.release();
    throw LogStoreError.from(reason, `open the data directory ${directory}`);
  }
}

async function openLocked(
  options: LogStoreOptions,
  sizes: { readonly segmentBytes: number; readonly firstSegmentBytes: number },
  lock: DirectoryLock,
): Promise<LogStore> {
  const { disk, clock, random, logger, identity } = options;
  const directory = new DataDirectory(options.directory);
  const foundMeta = await readOrMakeMeta(options, directory);
  const { record } = foundMeta;
  const found = await readSegments(disk, directory, identity);
  const log = recoverSegments(found, record, logger);
  const snapshot = await findSnapshot(disk, directory, identity, log, logger);
  const quarantine = await readQuarantine(disk, directory.root);

  // Only from here on is anything changed.
  await removeTemps(disk, directory);
  const names = await disk.list(directory.root);
  if (!names.includes("wal") || !names.includes("snap")) {
    await makeDirectories(disk, directory.wal);
    await makeDirectories(disk, directory.snap);
  }
  const meta = await MetaFile.open(disk, directory.root, foundMeta);
  const supply = new SegmentSupply({
    disk,
    clock,
    random,
    logger,
    directory,
    meta,
    identity,
    bootGeneration: record.bootGeneration + 1,
    firstNumber: 1 + Math.max(record.lastSegment, found.at(-1)?.number ?? 0),
    firstBytes: sizes.firstSegmentBytes,
    segmentBytes: sizes.segmentBytes,
  });
  const terms = new TermRuns(log.base.index, log.base.term);
  for (const entry of log.entries) terms.append(entry.index, entry.term);
  const commit = Math.max(log.commitIndex, snapshot?.meta.index ?? 0);
  const { batchBytesMax = 4 * MEBIBYTE, queueBytesMax = 256 * MEBIBYTE, sealIdleMs = 20 } = options;
  const writer = new LogWriter({
    clock,
    meta,
    supply,
    batchBytesMax,
    queueBytesMax,
    sealIdleMs,
    terms,
    commitIndex: commit,
    chain: log.chain,
    markSegment: log.markSegment,
    tail: log.tail,
    nextSeq: log.nextSeq,
  });
  try {
    await writer.begin(log.first);
    if (snapshot !== null && snapshot.meta.index > record.snapshotIndex) {
      await meta.update({ snapshotIndex: snapshot.meta.index, snapshotTerm: snapshot.meta.term });
    }
    await removeUnused(disk, directory, writer, snapshot);
  } catch (reason) {
    await writer.close();
    await meta.close();
    throw reason;
  }
  const hardState: HardState = { term: record.term, vote: record.vote, commit };
  const recovered = { hardState, snapshot: snapshot?.meta ?? null, entries: log.entries, quarantine, lost: null };
  const snapshots = new SnapshotStore({ disk, random, logger, directory, identity }, snapshot);
  return new FileLogStore({ disk, logger, directory, meta, writer, snapshots, lock, storeId: record.storeId, recovered });
}

/** The meta file comes first: a directory with data but without it is damaged. */
async function readOrMakeMeta(options: LogStoreOptions, directory: DataDirectory): Promise<FoundMeta> {
  const { disk, random, logger, identity } = options;
  let found = await readMeta(disk, directory.root, logger);
  if (found === null) {
    await checkNoData(disk, directory);
    if ((await disk.list(directory.root)).includes(META_TEMP_NAME)) await disk.remove(`${directory.root}/${META_TEMP_NAME}`);
    found = { record: { ...firstMetaRecord(identity, drawStoreId(random)), generation: 1 }, weakerCopy: 0 };
    await createMeta(disk, directory.root, found.record);
  }
  const { record } = found;
  if (record.clusterId !== identity.clusterId || record.memberId !== identity.memberId) {
    throw new LogStoreError(
      "ERR_IDENTITY",
      `${directory.root}/${META_NAME} belongs to member ${hex16(record.memberId)} of cluster ${hex16(record.clusterId)}, not to member ${hex16(identity.memberId)} of cluster ${hex16(identity.clusterId)}: give this member its own directory`,
    );
  }
  return found;
}

/** A random u64 that is not 0. */
function drawStoreId(random: Random): bigint {
  const drawn = viewOf(random.bytes(8)).getBigUint64(0, true);
  return drawn === 0n ? 1n : drawn;
}

/** The snapshot in force, every byte checked. */
async function findSnapshot(
  disk: Disk,
  directory: DataDirectory,
  identity: Identity,
  log: RecoveredSegments,
  logger: Logger,
): Promise<SnapshotFile | null> {
  const { mark, gap } = log;
  if (mark === null) return null;
  // A missing segment is what a compaction leaves.
  if (gap?.kind === "damaged")
    logger.warn("a damaged log segment is not used, a snapshot covers it", { segment: gap.what, snapshotIndex: mark.index });
  return checkSnapshot(disk, directory.snapshot(mark.index, mark.term), identity, mark);
}

async function checkSnapshot(disk: Disk, path: string, identity: Identity, mark: SnapshotMark): Promise<SnapshotFile> {
  let file: Awaited<ReturnType<typeof verifySnapshotFile>>;
  try {
    file = await verifySnapshotFile(disk, path);
  } catch (reason) {
    const gone = reason instanceof DiskError && (reason.code === "not-found" || reason.code === "io");
    throw gone ? damaged(`Snapshot ${path} at log index ${mark.index} can't be read: ${reason.message}`) : reason;
  }
  if (file.clusterId !== identity.clusterId || file.memberId !== identity.memberId) {
    throw new LogStoreError(
      "ERR_FOREIGN_FILE",
      `${path} is a snapshot of member ${hex16(file.memberId)} of cluster ${hex16(file.clusterId)}, expected member ${hex16(identity.memberId)} of cluster ${hex16(identity.clusterId)}: take it out of the directory`,
    );
  }
  const same = file.sha256.every((byte, at) => byte === mark.sha256[at]) && file.fileBytes === mark.fileBytes;
  if (!same || file.meta.index !== mark.index || file.meta.term !== mark.term) {
    throw damaged(`Snapshot ${path} is not the file that the log names for log index ${mark.index}`);
  }
  return file;
}

/** Removes segments that nothing leads to any more and snapshots that never came in force. */
async function removeUnused(disk: Disk, directory: DataDirectory, writer: LogWriter, snapshot: SnapshotFile | null): Promise<void> {
  const kept = new Set(writer.chain.map((link) => link.number));
  for (const name of await disk.list(directory.wal)) {
    const number = segmentNumberOf(name);
    if (number !== null && !kept.has(number)) await disk.remove(`${directory.wal}/${name}`);
  }
  await disk.syncDirectory(directory.wal);
  const inForce = snapshot === null ? null : snapshotName(snapshot.meta.index, snapshot.meta.term);
  for (const name of await listIfThere(disk, directory.snap)) {
    if (isSnapshotName(name) && name !== inForce) await disk.remove(`${directory.snap}/${name}`);
  }
}

function damaged(what: string): LogStoreError {
  return new LogStoreError(
    "ERR_DATA_DAMAGED",
    `${what}. Nothing was changed. Remove this member from the cluster and add it again with an empty directory, or restore a backup`,
  );
}
