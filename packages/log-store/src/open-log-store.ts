import type { LogEntry } from "@raftkv/raft-core";
import type { Clock, DirectoryLock, Disk, Logger, LogStore, LostEntries, Random, RecoveredLog } from "@raftkv/raft-node";
import { type DamageCase, moveDamaged, readEarlierLoss, recordDamage } from "./damaged-files.ts";
import { DataDirectory, listIfThere, makeDirectories, removeTemps, snapshotPositionOf } from "./data-directory.ts";
import { type DirectoryContents, drawStoreId, readDirectory, readOrMakeMeta } from "./directory-contents.ts";
import { checkIdentity, readOwner } from "./directory-identity.ts";
import { DiskReserve } from "./disk-reserve.ts";
import { FileLogStore } from "./file-log-store.ts";
import { FRAMES_OFFSET, type Identity, PAGE_BYTES } from "./format.ts";
import { InertLogStore } from "./inert-log-store.ts";
import { findLeftovers, type LeftoverFiles } from "./leftover-files.ts";
import type { Recovery } from "./log-recovery.ts";
import { LogStoreError } from "./log-store-error.ts";
import { LogWriter } from "./log-writer.ts";
import { type FoundMeta, isMetaProblem, MetaFile } from "./meta-file.ts";
import type { MetaRecord } from "./meta-record.ts";
import { readQuarantine } from "./quarantine-file.ts";
import { readParts } from "./released-entries.ts";
import { SegmentSupply } from "./segment-supply.ts";
import { newestSoundSnapshot } from "./snapshot-search.ts";
import { type KeptSnapshot, SnapshotStore } from "./snapshot-store.ts";
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
  /** What `recovered.entries` may take in memory, roughly: what is committed before them is replayed. Default 128 MiB. */
  readonly recoveredBytesMax?: number;
  /** Size of a file that is given up when the disk is full at a start, so that the store opens all the same. Default two segments. */
  readonly reserveBytes?: number;
}

/** Recovered in front of the snapshot, for members that are a little behind. The log on the disk may begin much earlier. */
const ENTRIES_BEFORE_SNAPSHOT = 1_000;
const MEBIBYTE = 1024 * 1024;
const SEGMENT_BYTES_MIN = FRAMES_OFFSET + 4 * PAGE_BYTES;

/**
 * Opens the data directory of a member, and makes it at the first start. Throws a `LogStoreError` if the directory is in use, belongs to
 * another member, or was written by a newer version; it is then left as it was.
 *
 * - What can't have been acknowledged, a torn last batch, is cut and reported through the logger.
 * - If the log or a snapshot is damaged, the store goes on with the longest beginning that it can prove, and `recovered.lost` says what
 *   may be gone; that holds for every later start too, until `endRepair`.
 * - If the meta file is damaged, gone or older than the log, the store is inert: it changes nothing, `recovered.quarantine` says why, and
 *   whatever would write rejects.
 */
export async function openLogStore(options: LogStoreOptions): Promise<LogStore> {
  const { segmentBytes = 16 * MEBIBYTE, firstSegmentBytes = MEBIBYTE / 4 } = options;
  for (const [name, value] of Object.entries({ segmentBytes, firstSegmentBytes })) {
    if (!Number.isSafeInteger(value) || value % PAGE_BYTES !== 0 || value < SEGMENT_BYTES_MIN) {
      throw new RangeError(`${name} ${value} is not a multiple of ${PAGE_BYTES} from ${SEGMENT_BYTES_MIN} up`);
    }
  }
  const { disk, clock, logger, directory, reserveBytes = 2 * segmentBytes } = options;
  const reserve = new DiskReserve({ disk, clock, logger, directory, sizeBytes: reserveBytes });
  try {
    return await reserve.openWithin(() => openDirectory({ ...options, segmentBytes, firstSegmentBytes, reserve }));
  } catch (reason) {
    throw LogStoreError.from(reason, `open the data directory ${directory}`);
  }
}

interface SizedOptions extends LogStoreOptions {
  readonly segmentBytes: number;
  readonly firstSegmentBytes: number;
  readonly reserve: DiskReserve;
}

async function openDirectory(options: SizedOptions): Promise<LogStore> {
  const { disk, directory } = options;
  await makeDirectories(disk, directory);
  const lock = await disk.lock(directory);
  try {
    return await openLocked(options, lock);
  } catch (reason) {
    await lock.release();
    throw reason;
  }
}

async function openLocked(options: SizedOptions, lock: DirectoryLock): Promise<LogStore> {
  const { disk, logger, recoveredBytesMax = 128 * MEBIBYTE } = options;
  const directory = new DataDirectory(options.directory);
  try {
    const meta = await readOrMakeMeta(options, directory);
    const contents = await readDirectory(disk, directory, meta.record, recoveredBytesMax);
    report(contents, logger);
    return await begin(options, { directory, lock, foundMeta: meta, contents });
  } catch (reason) {
    if (!isMetaProblem(reason)) throw reason;
    return openInert(options, directory, lock, reason.message);
  }
}

/** One line for what was read, one for each thing that was wrong. */
function report({ segments, reading, recovery }: DirectoryContents, logger: Logger): void {
  const { entries, first, lost, decision, covered } = recovery;
  const firstIndex = (reading.fragments[0]?.entries.last.index ?? 0) + 1;
  for (const { path, stop } of reading.torn) {
    const { batchOffset, offset, what, entries: cut } = stop;
    logger.warn("a batch that never was acknowledged is cut off", { path, batchOffset, offset, what, entries: cut, firstIndex });
  }
  for (const what of covered) logger.warn("damage was found that cost nothing", { what });
  if (lost !== null) logger.error("the log is damaged, its longest sound beginning is kept", { from: lost.from, what: lost.description });
  logger.info("log read", {
    decision,
    segments: segments.length,
    accepted: reading.accepted,
    proven: reading.proven,
    firstIndex: entries.base.index + 1,
    lastIndex: entries.last.index,
    rewrittenRecords: first.records.length,
  });
}

interface Opening {
  readonly directory: DataDirectory;
  readonly lock: DirectoryLock;
  readonly foundMeta: FoundMeta;
  readonly contents: DirectoryContents;
}

/** Goes on in a new segment. The three steps keep their order: a crash between any two leaves what a later start gets right. */
async function begin(options: SizedOptions, { directory, lock, foundMeta, contents }: Opening): Promise<LogStore> {
  const { disk, random, logger, identity } = options;
  const { record } = foundMeta;
  const { recovery } = contents;
  const { snapshot } = recovery;
  const quarantine = await readQuarantine(disk, directory.root);
  const lost = await allLost(disk, directory, record, recovery.lost);
  const { replay, entries } = await divideEntries(options, directory, recovery, { isTrusted: quarantine === null && lost === null });
  const older = await olderSnapshot(disk, directory, recovery);
  const snapshotsKept = new Set([snapshot, older].flatMap((kept) => (kept === null ? [] : [kept.path])));
  const leftovers = await findLeftovers(disk, directory, contents, { snapshotsKept, isUnderRepair: lost !== null });
  const damage = damageCase(record, recovery, lost, leftovers);
  const meta = await MetaFile.open(disk, directory.root, foundMeta);
  const writer = makeWriter(options, directory, meta, contents);
  try {
    await recordLoss(options, directory, { meta, lost, damage });
    await goOn(disk, directory, { meta, writer, recovery });
    await clearAway(options, directory, { useless: leftovers.useless, damage });
  } catch (reason) {
    await writer.close();
    await meta.close();
    throw reason;
  }
  const hardState = { term: record.term, vote: record.vote, commit: commitOf(recovery) };
  const recovered = { hardState, snapshot: snapshot?.meta ?? null, replay, entries, logBytes: logBytesBehind(contents), quarantine, lost };
  const snapshots = new SnapshotStore(
    { disk, random, logger, directory, identity: { ...identity, storeId: record.storeId } },
    { inForce: snapshot, older },
  );
  options.reserve.opened();
  return new FileLogStore({ ...options, directory, meta, writer, snapshots, lock, storeId: record.storeId }, recovered);
}

/**
 * What is committed and was released while the log was read is replayed; the rest is brought into memory, wherever it is. In a store that
 * can't be trusted that is everything behind the snapshot: its commit index need not speak of what is left.
 */
async function divideEntries(
  { disk, identity }: SizedOptions,
  directory: DataDirectory,
  recovery: Recovery,
  { isTrusted }: { readonly isTrusted: boolean },
): Promise<Pick<RecoveredLog, "replay" | "entries">> {
  const { entries, snapshot } = recovery;
  const snapshotIndex = snapshot?.meta.index ?? 0;
  const replayedTo = isTrusted && snapshot !== null ? Math.min(entries.lastReleased, commitOf(recovery)) : 0;
  const read = (from: number, to: number) => readParts(disk, directory, identity, entries.parts(from, to));
  const held: LogEntry[] = [];
  // One by one: what was appended at once may be more entries than a call takes arguments.
  for await (const part of read(Math.max(replayedTo, snapshotIndex - ENTRIES_BEFORE_SNAPSHOT), entries.last.index)) {
    for (const entry of part) held.push(entry);
  }
  if (replayedTo <= snapshotIndex) return { replay: null, entries: held };
  const last = { index: replayedTo, term: entries.termAt(replayedTo) };
  return { replay: { last, entries: () => read(snapshotIndex, replayedTo) }, entries: held };
}

/** What the batches take that stay and hold anything behind the snapshot. Those that are not proven are written again, and count then. */
function logBytesBehind({ segments, reading, recovery }: DirectoryContents): number {
  const onChain = new Set(recovery.chain.map(({ number }) => number));
  const snapshotIndex = recovery.snapshot?.meta.index ?? 0;
  let bytes = 0;
  for (const segment of segments) {
    if (!("scan" in segment) || !onChain.has(segment.number)) continue;
    const { batches, stop } = segment.scan;
    const first = batches.find(({ index }) => index > snapshotIndex);
    const unproven = batches.find(({ lastSeq }) => lastSeq > reading.proven);
    if (first !== undefined) bytes += Math.max((unproven?.offset ?? stop.batchOffset) - first.offset, 0);
  }
  return bytes;
}

/** First step of a salvage. Whatever happens from here on, no later start is without it. */
async function recordLoss(
  { disk, logger }: SizedOptions,
  directory: DataDirectory,
  { meta, lost, damage }: { readonly meta: MetaFile; readonly lost: LostEntries | null; readonly damage: DamageCase | null },
): Promise<void> {
  if (lost !== null && lost.from !== meta.durable.repairFrom) await meta.update({ repairFrom: lost.from });
  if (damage !== null) await recordDamage(disk, directory, logger, damage);
}

/** Second step: the first segment of this life leads to what is kept, and the meta file follows it. */
async function goOn(
  disk: Disk,
  directory: DataDirectory,
  { meta, writer, recovery }: { readonly meta: MetaFile; readonly writer: LogWriter; readonly recovery: Recovery },
): Promise<void> {
  await removeTemps(disk, directory);
  const names = await disk.list(directory.root);
  if (!names.includes("wal") || !names.includes("snap")) {
    await makeDirectories(disk, directory.wal);
    await makeDirectories(disk, directory.snap);
  }
  await writer.begin(recovery.first);
  const { index: snapshotIndex, term: snapshotTerm } = recovery.snapshot?.meta ?? { index: 0, term: 0 };
  if (snapshotIndex !== meta.durable.snapshotIndex) await meta.update({ snapshotIndex, snapshotTerm });
}

/** What this start takes out of service, and why; null if it found no damage. */
function damageCase(record: MetaRecord, recovery: Recovery, lost: LostEntries | null, { damaged }: LeftoverFiles): DamageCase | null {
  if (damaged.length === 0 && recovery.lost === null) return null;
  const { decision, covered } = recovery;
  const description = lost?.description ?? covered.join("; ");
  return { start: record.bootGeneration + 1, description, decision, lostFrom: recovery.lost?.from ?? null, files: damaged };
}

/** Third step: nothing leads to these files any more. */
async function clearAway(
  { disk, logger }: SizedOptions,
  directory: DataDirectory,
  { useless, damage }: { readonly useless: readonly string[]; readonly damage: DamageCase | null },
): Promise<void> {
  for (const path of useless) await disk.remove(path);
  await disk.syncDirectory(directory.wal);
  if (damage !== null) await moveDamaged(disk, directory, logger, damage);
}

function makeWriter(options: SizedOptions, directory: DataDirectory, meta: MetaFile, { segments, recovery }: DirectoryContents): LogWriter {
  const { disk, clock, random, logger, identity, reserve } = options;
  const { bootGeneration, lastSegment } = meta.durable;
  const supply = new SegmentSupply({
    disk,
    clock,
    random,
    logger,
    directory,
    meta,
    reserve,
    identity,
    bootGeneration: bootGeneration + 1,
    firstNumber: 1 + Math.max(lastSegment, segments.at(-1)?.number ?? 0),
    firstBytes: options.firstSegmentBytes,
    segmentBytes: options.segmentBytes,
  });
  const { base } = recovery.entries;
  const terms = new TermRuns(base.index, base.term);
  for (const { index, term } of recovery.entries.positions()) terms.append(index, term);
  const { chain, markSegment, tail, nextSeq } = recovery;
  const { batchBytesMax = 4 * MEBIBYTE, queueBytesMax = 256 * MEBIBYTE, sealIdleMs = 20 } = options;
  const commitIndex = commitOf(recovery);
  return new LogWriter({
    clock,
    meta,
    supply,
    batchBytesMax,
    queueBytesMax,
    sealIdleMs,
    terms,
    commitIndex,
    chain,
    markSegment,
    tail,
    nextSeq,
  });
}

function commitOf({ commitIndex, snapshot }: Recovery): number {
  return Math.max(commitIndex, snapshot?.meta.index ?? 0);
}

/** What this and earlier starts found to be lost, as long as the repair has not ended. */
async function allLost(disk: Disk, directory: DataDirectory, record: MetaRecord, found: LostEntries | null): Promise<LostEntries | null> {
  const { repairFrom } = record;
  if (found !== null) return repairFrom === 0 ? found : { ...found, from: Math.min(repairFrom, found.from) };
  if (repairFrom === 0) return null;
  return { from: repairFrom, description: await readEarlierLoss(disk, directory, repairFrom) };
}

/** The newest snapshot before the one in force, if the log goes on from it too: it costs nothing then if the newest is damaged later. */
async function olderSnapshot(disk: Disk, directory: DataDirectory, { entries, snapshot }: Recovery): Promise<KeptSnapshot | null> {
  if (snapshot === null) return null;
  const older = (await listIfThere(disk, directory.snap))
    .flatMap((name) => snapshotPositionOf(name) ?? [])
    .findLast(({ index, term }) => index < snapshot.meta.index && entries.holds({ index, term }));
  return older === undefined ? null : { path: directory.snapshot(older.index, older.term), index: older.index };
}

/** Term and vote are lost: the directory is left as it is. */
async function openInert(options: SizedOptions, directory: DataDirectory, lock: DirectoryLock, problem: string): Promise<LogStore> {
  const { disk, random, logger, identity } = options;
  const owner = await readOwner(disk, directory);
  if (owner !== null) checkIdentity(directory.root, owner, identity);
  const description = `${problem}. Nothing in ${directory.root} was changed`;
  logger.error("the term and vote of this member are lost, it takes no part any more", { what: description });
  const store = owner ?? { ...identity, storeId: drawStoreId(random) };
  const inForce = await newestSoundSnapshot(disk, directory, store);
  const snapshots = new SnapshotStore({ disk, random, logger, directory, identity: store }, { inForce, older: null });
  return new InertLogStore({ storeId: store.storeId, snapshots, lock, description });
}
