import { type Disk, DiskError } from "@raftkv/raft-node";
import { type DataDirectory, listIfThere, snapshotPositionOf } from "./data-directory.ts";
import { hex16, type LogPosition, type StoreIdentity } from "./format.ts";
import type { SnapshotMark } from "./frame.ts";
import type { LogReading } from "./log-reading.ts";
import { LogStoreError } from "./log-store-error.ts";
import type { MetaRecord } from "./meta-record.ts";
import type { SnapshotFinding } from "./recovery-decision.ts";
import { readSmallFile } from "./small-file.ts";
import { decodeSnapshotHeader, SNAPSHOT_HEADER_BYTES, type SnapshotHeader } from "./snapshot-codec.ts";
import { type SnapshotFile, verifySnapshotFile } from "./snapshot-file.ts";

/** A snapshot file of which every byte was checked. */
export type SoundSnapshot = SnapshotFile & SnapshotHeader;

export interface BadSnapshot {
  readonly path: string;
  /** File, offset and what is wrong with it. */
  readonly what: string;
}

export interface SnapshotSearch {
  readonly newest: SnapshotFinding["newest"];
  /** The newest that is sound. Whether it came in force or not: a snapshot holds only what was committed. */
  readonly usable: SoundSnapshot | null;
  readonly bad: readonly BadSnapshot[];
}

/** What a directory without snapshots gives. */
export const noSnapshots: SnapshotSearch = { newest: "none", usable: null, bad: [] };

/**
 * Looks for the snapshot to go on with, and checks every byte of it. Beside a sound log that is the one in force; the others are read
 * only if it is bad, or if the log is damaged. Throws `ERR_FOREIGN_FILE`, `ERR_FORMAT_TOO_NEW`.
 */
export async function searchSnapshots(
  disk: Disk,
  directory: DataDirectory,
  identity: StoreIdentity,
  reading: LogReading,
  meta: MetaRecord,
): Promise<SnapshotSearch> {
  const inForce = positionInForce(reading, meta);
  const isIntact = reading.end.problem === null;
  if (isIntact && inForce === null) return noSnapshots;
  const marks = reading.fragments.toReversed().flatMap((fragment) => fragment.marks.map(({ mark }) => mark));
  const bad: BadSnapshot[] = [];
  for (const position of await candidates(disk, directory, isIntact ? inForce : null)) {
    const mark = marks.findLast(({ index, term }) => index === position.index && term === position.term) ?? null;
    const result = await readSnapshotFile(disk, directory, identity, { position, mark });
    if ("sound" in result) {
      return { newest: result.sound.meta.index >= (inForce?.index ?? 0) ? "sound" : "bad", usable: result.sound, bad };
    }
    bad.push(result.bad);
  }
  if (inForce === null) return { ...noSnapshots, bad };
  return { newest: "bad", usable: null, bad: bad.length > 0 ? bad : [notThere(directory, inForce)] };
}

/** The newest file in `snap/` that is sound, whatever stands in the log. */
export async function newestSoundSnapshot(disk: Disk, directory: DataDirectory, identity: StoreIdentity): Promise<SoundSnapshot | null> {
  for (const position of await candidates(disk, directory, null)) {
    const result = await readSnapshotFile(disk, directory, identity, { position, mark: null });
    if ("sound" in result) return result.sound;
  }
  return null;
}

/** What the newest file says that it is, if its header is sound; nothing else of it is checked. */
export async function newestSnapshotHeader(disk: Disk, directory: DataDirectory): Promise<SnapshotHeader | null> {
  for (const { index, term } of await candidates(disk, directory, null)) {
    try {
      const result = decodeSnapshotHeader(await readSmallFile(disk, directory.snapshot(index, term), SNAPSHOT_HEADER_BYTES));
      if (result.kind === "valid") return result.header;
    } catch (reason) {
      if (!(reason instanceof DiskError)) throw reason;
    }
  }
  return null;
}

/** What the log, or the meta file if it is further, says is in force. */
function positionInForce({ fragments }: LogReading, meta: MetaRecord): LogPosition | null {
  const mark = fragments[0]?.marks.at(-1)?.mark;
  if (mark !== undefined && mark.index >= meta.snapshotIndex) return { index: mark.index, term: mark.term };
  return meta.snapshotIndex === 0 ? null : { index: meta.snapshotIndex, term: meta.snapshotTerm };
}

/** All files, the newest first; before them `preferred`, whether it is there or not. */
async function candidates(disk: Disk, directory: DataDirectory, preferred: LogPosition | null): Promise<readonly LogPosition[]> {
  const positions = (await listIfThere(disk, directory.snap)).flatMap((name) => snapshotPositionOf(name) ?? []);
  positions.sort((a, b) => b.index - a.index || b.term - a.term);
  if (preferred === null) return positions;
  return [preferred, ...positions.filter(({ index, term }) => index !== preferred.index || term !== preferred.term)];
}

type SnapshotReading = { readonly sound: SoundSnapshot } | { readonly bad: BadSnapshot };

/** Reads a file that must be `mark`'s, if there is a mark. Throws `ERR_FOREIGN_FILE`, `ERR_FORMAT_TOO_NEW`. */
export async function readSnapshotFile(
  disk: Disk,
  directory: DataDirectory,
  identity: StoreIdentity,
  { position, mark }: { readonly position: LogPosition; readonly mark: SnapshotMark | null },
): Promise<SnapshotReading> {
  const path = directory.snapshot(position.index, position.term);
  let file: SoundSnapshot;
  try {
    file = await verifySnapshotFile(disk, path);
  } catch (reason) {
    if (reason instanceof LogStoreError && reason.code === "ERR_DATA_DAMAGED") return { bad: { path, what: reason.message } };
    if (!(reason instanceof DiskError) || (reason.code !== "not-found" && reason.code !== "io")) throw reason;
    if (reason.code === "not-found") return { bad: notThere(directory, position) };
    return { bad: { path, what: `Snapshot ${path} at log index ${position.index} can't be read: ${reason.message}` } };
  }
  if (file.clusterId !== identity.clusterId || file.memberId !== identity.memberId) {
    throw new LogStoreError(
      "ERR_FOREIGN_FILE",
      `${path} is a snapshot of member ${hex16(file.memberId)} of cluster ${hex16(file.clusterId)}, expected member ${hex16(identity.memberId)} of cluster ${hex16(identity.clusterId)}: take it out of the directory`,
    );
  }
  if (file.storeId !== identity.storeId) {
    throw new LogStoreError("ERR_FOREIGN_FILE", `${path} belongs to an earlier store of this member: take it out of the directory`);
  }
  const isNamed = file.meta.index === position.index && file.meta.term === position.term;
  const isMarked = mark === null || (file.sha256.every((byte, at) => byte === mark.sha256[at]) && file.fileBytes === mark.fileBytes);
  if (isNamed && isMarked) return { sound: file };
  return { bad: { path, what: `Snapshot ${path} is not the file that the log names for log index ${position.index}` } };
}

function notThere(directory: DataDirectory, { index, term }: LogPosition): BadSnapshot {
  const path = directory.snapshot(index, term);
  return { path, what: `Snapshot ${path} at log index ${index} can't be read: it is not there` };
}
