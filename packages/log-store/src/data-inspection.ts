import type { QuarantineEvidence } from "@raftkv/raft-core";
import { type Disk, DiskError } from "@raftkv/raft-node";
import { readEarlierLoss } from "./damaged-files.ts";
import { checkNoData, DataDirectory, isTempName, listIfThere, segmentNumberOf, snapshotPositionOf } from "./data-directory.ts";
import type { DataReport, FileKind, FileReport, LogReport, MetaReport } from "./data-report.ts";
import { type DirectoryContents, readDirectory } from "./directory-contents.ts";
import { readOwner } from "./directory-identity.ts";
import { RESERVE_NAME } from "./disk-reserve.ts";
import { hex16, type StoreIdentity } from "./format.ts";
import { LogStoreError } from "./log-store-error.ts";
import { isMetaProblem, META_NAME, readMeta } from "./meta-file.ts";
import type { MetaRecord } from "./meta-record.ts";
import { findQuarantine, QUARANTINE_NAME, readQuarantine } from "./quarantine-file.ts";
import { type FoundSegment, readSegment } from "./segment-reading.ts";
import { runsOf } from "./segment-scan.ts";
import { readSnapshotFile } from "./snapshot-search.ts";

/**
 * Reads every byte of a stopped member's directory, and changes nothing. Whatever is found is in the report; throws only
 * `ERR_DATA_DIR_LOCKED` while a member runs, and `ERR_STORAGE_FAILED` for a directory that is not there or can't be read.
 */
export async function inspectDataDirectory(disk: Disk, path: string): Promise<DataReport> {
  try {
    await disk.list(path);
    const lock = await disk.lock(path);
    try {
      return await inspect(disk, new DataDirectory(path));
    } finally {
      await lock.release();
    }
  } catch (reason) {
    throw LogStoreError.from(reason, `read the data directory ${path}`);
  }
}

type Finding = Omit<DataReport, "directory" | "files">;

async function inspect(disk: Disk, directory: DataDirectory): Promise<DataReport> {
  let meta: MetaRecord | null = null;
  let contents: DirectoryContents | null = null;
  let finding: Finding;
  try {
    meta = (await readMeta(disk, directory.root, null))?.record ?? null;
    if (meta === null) {
      await checkNoData(disk, directory);
      const summary = "Nothing of a member is in this directory, as far as it tells: one that lost all its files looks the same";
      finding = { ...nothing, outcome: "empty", summary };
    } else {
      contents = await readDirectory(disk, directory, meta, 0);
      finding = await judge(disk, directory, meta, contents);
    }
  } catch (reason) {
    if (!isFinding(reason)) throw reason;
    const error = LogStoreError.from(reason, `read the data directory ${directory.root}`);
    const outcome = isMetaProblem(error) ? "quarantine" : "refused";
    finding = { ...nothing, outcome, summary: error.message, errorCode: error.code, meta: meta === null ? null : metaReport(meta) };
  }
  return { directory: directory.root, ...finding, files: await inspectFiles(disk, directory, meta, contents) };
}

/** What a disk may do. Anything else is our mistake. */
function isFinding(reason: unknown): reason is LogStoreError | DiskError {
  return reason instanceof LogStoreError || reason instanceof DiskError;
}

const nothing = { errorCode: null, decision: null, meta: null, log: null, lost: null, covered: [] } as const;

async function judge(disk: Disk, directory: DataDirectory, meta: MetaRecord, { recovery }: DirectoryContents): Promise<Finding> {
  const { decision, covered } = recovery;
  const earlier =
    meta.repairFrom === 0 ? null : { from: meta.repairFrom, description: await readEarlierLoss(disk, directory, meta.repairFrom) };
  const lost = recovery.lost ?? earlier;
  const log = logReport(recovery);
  const found = { ...nothing, decision, covered, lost, log, meta: metaReport(meta) };
  const evidence = await readQuarantine(disk, directory.root);
  if (evidence !== null) return { ...found, outcome: "quarantine", summary: quarantineSummary(evidence) };
  if (lost !== null) return { ...found, outcome: "repair", summary: lost.description };
  const snapshot = log.snapshotIndex === 0 ? "no snapshot" : `a snapshot at log index ${log.snapshotIndex}`;
  const entries = log.lastIndex < log.firstIndex ? "no entries" : `entries ${log.firstIndex} to ${log.lastIndex}`;
  return { ...found, outcome: "sound", summary: `Nothing that was acknowledged is missing: ${snapshot}, ${entries}` };
}

function quarantineSummary(evidence: QuarantineEvidence): string {
  if (evidence.kind === "storage") return evidence.description;
  return `The member recorded that it lost what it acknowledged: ${evidence.kind}`;
}

function logReport({ entries, snapshot }: DirectoryContents["recovery"]): LogReport {
  const { base, last } = entries;
  return { snapshotIndex: snapshot?.meta.index ?? 0, firstIndex: base.index + 1, lastIndex: last.index, lastTerm: last.term };
}

function metaReport(meta: MetaRecord): MetaReport {
  const { term, bootGeneration, lastSegment, snapshotIndex, repairFrom } = meta;
  const ids = { clusterId: hex16(meta.clusterId), memberId: hex16(meta.memberId), storeId: hex16(meta.storeId) };
  return { ...ids, term, vote: voteOf(meta), bootGeneration, lastSegment, snapshotIndex, repairFrom };
}

function voteOf({ vote }: MetaRecord): string | null {
  return vote === 0 ? null : hex16(vote);
}

/** Every file that is there; directories are looked into, and named only if that fails. */
async function inspectFiles(
  disk: Disk,
  directory: DataDirectory,
  meta: MetaRecord | null,
  contents: DirectoryContents | null,
): Promise<readonly FileReport[]> {
  const owner = meta ?? (await ownerOf(disk, directory));
  const files: FileReport[] = [];
  const context = { disk, directory, owner, contents };
  const inspectFolder = async (folder: string, inspectFile: (name: string) => Promise<FileReport>): Promise<void> => {
    const names = await namesIn(disk, `${directory.root}/${folder}`);
    if (typeof names === "string") files.push({ path: folder, kind: "other", sizeBytes: 0, verdict: "damaged", detail: names });
    else for (const name of names) files.push(await inspectFile(name));
  };
  const inRoot = (await disk.list(directory.root)).filter((name) => !["wal", "snap", "damaged"].includes(name));
  for (const name of inRoot) files.push(await inspectRootFile(disk, directory, name));
  await inspectFolder("wal", (name) => inspectSegment(context, name));
  await inspectFolder("snap", (name) => inspectSnapshot(context, name));
  await inspectFolder("damaged", (name) =>
    fileReport(disk, directory, `damaged/${name}`, "damaged", async () => ["unused", "taken out of service"]),
  );
  return files;
}

/** Null also if a file that might tell can't be read, which its own report says. */
async function ownerOf(disk: Disk, directory: DataDirectory): Promise<StoreIdentity | null> {
  try {
    return await readOwner(disk, directory);
  } catch (reason) {
    if (!isFinding(reason)) throw reason;
    return null;
  }
}

/** What is in a directory, if it is there; the error's message if it can't be listed. */
async function namesIn(disk: Disk, path: string): Promise<readonly string[] | string> {
  try {
    return await listIfThere(disk, path);
  } catch (reason) {
    if (!isFinding(reason)) throw reason;
    return reason.message;
  }
}

type Judgement = readonly [FileReport["verdict"], string];

/** Asks `judgeFile`, whose errors are verdicts too. */
async function fileReport(
  disk: Disk,
  directory: DataDirectory,
  path: string,
  kind: FileKind,
  judgeFile: () => Promise<Judgement>,
): Promise<FileReport> {
  let sizeBytes = 0;
  try {
    const file = await disk.open(`${directory.root}/${path}`, "read");
    try {
      sizeBytes = await file.sizeBytes();
    } finally {
      await file.close();
    }
    const [verdict, detail] = await judgeFile();
    return { path, kind, sizeBytes, verdict, detail };
  } catch (reason) {
    if (!isFinding(reason)) throw reason;
    const verdict = reason.code === "ERR_FORMAT_TOO_NEW" ? "too new" : reason.code === "ERR_FOREIGN_FILE" ? "foreign" : "damaged";
    return { path, kind, sizeBytes, verdict, detail: reason.message };
  }
}

function inspectRootFile(disk: Disk, directory: DataDirectory, name: string): Promise<FileReport> {
  if (name === META_NAME) {
    return fileReport(disk, directory, name, "meta", async () => {
      const found = await readMeta(disk, directory.root, null);
      if (found === null) return ["damaged", "it is gone"];
      if (found.damagedCopies > 0) return ["damaged", `${found.damagedCopies} of its 4 copies; the others are used`];
      return ["sound", `term ${found.record.term}, vote ${voteOf(found.record) ?? "for nobody"}`];
    });
  }
  if (name === QUARANTINE_NAME) {
    return fileReport(disk, directory, name, "quarantine", async () => {
      const found = await findQuarantine(disk, directory.root);
      if (found === null) return ["damaged", "it is gone"];
      return found.problem === null ? ["sound", quarantineSummary(found.evidence)] : ["damaged", found.problem];
    });
  }
  if (name === RESERVE_NAME) return fileReport(disk, directory, name, "reserve", async () => ["sound", "space for a start on a full disk"]);
  if (isTempName(name)) return fileReport(disk, directory, name, "temporary", leftBehind);
  return fileReport(disk, directory, name, "other", async () => ["unused", "not a file of RaftKV"]);
}

async function leftBehind(): Promise<Judgement> {
  return ["unused", "left behind by a crash"];
}

interface FileContext {
  readonly disk: Disk;
  readonly directory: DataDirectory;
  /** Null if nothing in the directory says whose it is. */
  readonly owner: StoreIdentity | null;
  readonly contents: DirectoryContents | null;
}

function inspectSegment({ disk, directory, owner, contents }: FileContext, name: string): Promise<FileReport> {
  const path = `wal/${name}`;
  const number = segmentNumberOf(name);
  if (isTempName(name)) return fileReport(disk, directory, path, "temporary", leftBehind);
  if (number === null) return fileReport(disk, directory, path, "other", async () => ["unused", "not a file of RaftKV"]);
  return fileReport(disk, directory, path, "segment", async () => {
    if (owner === null) return ["damaged", "nothing says whose it is"];
    const found = contents?.segments.find((segment) => segment.number === number) ?? (await readSegment(disk, directory, owner, number));
    return judgeSegmentFile(found, contents);
  });
}

/** What a segment is worth among the others; by itself if these could not be read. */
function judgeSegmentFile(found: FoundSegment, contents: DirectoryContents | null): Judgement {
  if ("problem" in found) return ["damaged", found.problem];
  const { stop, batches, highestSeq } = found.scan;
  const newest = contents?.reading.fragments[0] ?? null;
  const runs = runsOf(batches);
  const entries = runs.reduce((sum, { count }) => sum + count, 0);
  const held = `${entries} entries in ${batches.length} batches, up to log index ${batches.at(-1)?.index ?? 0}`;
  const isLast = newest === null || found.number >= (newest.links.at(-1)?.scan.header.number ?? 0);
  // What comes after the part that its successor goes on from is superseded.
  if (!isLast && newest.links.some(({ scan }) => scan.header.number === found.number)) return ["sound", held];
  const wrong = `at offset ${stop.offset}: ${stop.what}; before it ${held}`;
  if (stop.kind === "whole" || (!isLast && stop.kind === "torn")) return ["damaged", wrong];
  const isGone = contents !== null && contents.reading.end.provenFrames === "some" && found.scan.evidenceSeq > contents.reading.accepted;
  if (isLast && isGone) return ["damaged", wrong];
  if (stop.kind === "torn") return ["torn", wrong];
  if (highestSeq === 0) return ["unused", "prepared, holds nothing yet"];
  return isLast ? ["sound", held] : ["unused", held];
}

function inspectSnapshot({ disk, directory, owner, contents }: FileContext, name: string): Promise<FileReport> {
  const path = `snap/${name}`;
  const position = snapshotPositionOf(name);
  if (isTempName(name)) return fileReport(disk, directory, path, "temporary", leftBehind);
  if (position === null) return fileReport(disk, directory, path, "other", async () => ["unused", "not a file of RaftKV"]);
  return fileReport(disk, directory, path, "snapshot", async () => {
    if (owner === null) return ["damaged", "nothing says whose it is"];
    const bad = contents?.search.bad.find((candidate) => candidate.path === `${directory.root}/${path}`);
    if (bad !== undefined) return ["damaged", bad.what];
    const result = await readSnapshotFile(disk, directory, owner, { position, mark: null });
    if ("bad" in result) return ["damaged", result.bad.what];
    const used = contents?.recovery.snapshot?.meta.index ?? Infinity;
    if (position.index > used) return ["unused", "it never came in force"];
    return ["sound", `log index ${position.index} of term ${position.term}, ${result.sound.payloadBytes} bytes of state`];
  });
}
