import { findFragments, type LogFragment } from "./log-fragment.ts";
import { LogStoreError } from "./log-store-error.ts";
import type { MetaRecord } from "./meta-record.ts";
import type { FoundSegment } from "./segment-reading.ts";
import type { ScanStop, SegmentScan } from "./segment-scan.ts";

/** What the segments of a directory say, before any snapshot is looked at. */
export interface LogReading {
  /** Newest first; none for a log that was never written to, or is gone. */
  readonly fragments: readonly LogFragment[];
  /** Highest seq that is known to have been synced, by any sound header of any segment. */
  readonly proven: number;
  /** Highest seq that was read without a gap, up to the end of the log. */
  readonly accepted: number;
  /** Highest seq of any sound header. */
  readonly highestSeq: number;
  readonly end: LogEnd;
  /** Batches that were never acknowledged, and are left out. */
  readonly torn: readonly TornBatch[];
}

/** What comes after the newest batch that is sound. */
export interface LogEnd {
  readonly segments: "present" | "missing";
  readonly after: ScanStop["kind"];
  readonly provenFrames: "all" | "some";
  /** Why something that was acknowledged may have stood there, null if not. */
  readonly problem: string | null;
}

export interface TornBatch {
  readonly path: string;
  readonly stop: ScanStop;
}

/**
 * Reads what the segments of a directory mean.
 *
 * The newest segment with a whole batch is the head; OPEN frames lead from it back to the oldest. `accepted` is the last seq that
 * was read without a gap, `proven` the highest durableSeq in any sound header of any segment:
 *
 * - accepted < proven: frames that were synced are gone. Damaged.
 * - a batch after the head that is wrong without a sector of zeros: no lost write explains it. Damaged.
 * - a batch after the head with a sector of zeros: torn, never acknowledged. Cut, and reported.
 * - batches above proven: sound, but perhaps only in the cache after a failed sync. Written again before they count.
 *
 * Throws `ERR_META_STALE`, and `ERR_FOREIGN_FILE` for a segment of another store.
 */
export function readLog(found: readonly FoundSegment[], meta: MetaRecord): LogReading {
  const scans = found.flatMap((segment) => ("scan" in segment ? [segment.scan] : []));
  checkMeta(scans, meta);
  const fragments = findFragments(found);
  const head = fragments[0]?.links.at(-1)?.scan ?? null;
  const after = found.filter((segment) => segment.number > (head?.header.number ?? 0));
  const accepted = head?.batches.at(-1)?.lastSeq ?? 0;
  const proven = scans.reduce((highest, scan) => Math.max(highest, scan.evidenceSeq), 0);
  const highestSeq = scans.reduce((highest, scan) => Math.max(highest, scan.highestSeq), Math.max(proven, accepted));
  const ends = [...(head === null ? [] : [head]), ...after.flatMap((segment) => ("scan" in segment ? [segment.scan] : []))];
  const torn = ends.flatMap(({ path, stop }) => (stop.kind === "torn" ? [{ path, stop }] : []));
  return { fragments, proven, accepted, highestSeq, end: judgeEnd({ head, after, ends, accepted, proven, meta }), torn };
}

interface EndEvidence {
  readonly head: SegmentScan | null;
  /** Segments after the head. */
  readonly after: readonly FoundSegment[];
  /** The head and the segments after it that can be read. */
  readonly ends: readonly SegmentScan[];
  readonly accepted: number;
  readonly proven: number;
  readonly meta: MetaRecord;
}

function judgeEnd({ head, after, ends, accepted, proven, meta }: EndEvidence): LogEnd {
  const whole = ends.find(({ stop }) => stop.kind === "whole");
  const stopKind = whole !== undefined ? "whole" : ends.some(({ stop }) => stop.kind === "torn") ? "torn" : "zero";
  // The evidence stands after the gap: in the segment that has it, or in a later one.
  const witness = accepted >= proven ? undefined : (ends.find(({ evidenceSeq }) => evidenceSeq > accepted) ?? head ?? undefined);
  const place = whole ?? witness;
  const missing = missingSegment(head, after, meta) ?? (head === null && place === undefined ? lostHead(after) : null);
  const problems = [
    ...(place === undefined ? [] : [`${place.path} at offset ${place.stop.offset}: ${place.stop.what}`]),
    ...(missing === null ? [] : [missing]),
    ...(accepted >= proven ? [] : [`frames up to ${proven} were synced, only those up to ${accepted} are sound`]),
  ];
  return {
    segments: missing === null ? "present" : "missing",
    after: stopKind,
    provenFrames: accepted >= proven ? "all" : "some",
    problem: problems.length === 0 ? null : problems.join("; "),
  };
}

/**
 * Segments that were put in place after the head are there, or something that was written to them may be lost. Without a head, those
 * before the oldest that is there may have been removed by a compaction.
 */
function missingSegment(head: SegmentScan | null, after: readonly FoundSegment[], meta: MetaRecord): string | null {
  const known = after.filter(({ number }) => number <= meta.lastSegment);
  const oldest = head === null ? known[0]?.number : head.header.number + 1;
  if (oldest === undefined) return meta.lastSegment === 0 ? null : `no segment is left of the ${meta.lastSegment} that were put in place`;
  const unusable = known.flatMap((segment) => ("problem" in segment ? [`${segment.path} ${segment.problem}`] : []));
  const present = new Set(known.map((segment) => segment.number));
  let number = oldest;
  while (present.has(number)) number += 1;
  return unusable[0] ?? (number > meta.lastSegment ? null : `segment ${number} is missing, the meta file knows ${meta.lastSegment}`);
}

/** Only a log that goes on elsewhere is compacted, so a segment after the first one is never the oldest before anything is in it. */
function lostHead(segments: readonly FoundSegment[]): string | null {
  const [oldest] = segments;
  return oldest === undefined || oldest.number === 1
    ? null
    : `${oldest.path} and what comes after it hold nothing, but older segments are gone`;
}

/** The meta file is replaced before any file that it must know of, so it is never older than the log. */
function checkMeta(scans: readonly SegmentScan[], meta: MetaRecord): void {
  for (const { path, header, batches, highestSeq } of scans) {
    if (header.storeId !== meta.storeId) {
      throw new LogStoreError("ERR_FOREIGN_FILE", `${path} belongs to an earlier store of this member: take it out of the directory`);
    }
    const used = batches.length > 0 || highestSeq > 0;
    if (header.number > meta.lastSegment ? used : header.bootGeneration > meta.bootGeneration) {
      throw stale(
        `${path} is segment ${header.number} of start ${header.bootGeneration}, the meta file knows ${meta.lastSegment} of start ${meta.bootGeneration}`,
      );
    }
    const batch = batches.find((candidate) => candidate.term > meta.term);
    if (batch !== undefined) throw stale(`${path} has term ${batch.term} at offset ${batch.offset}, the meta file knows ${meta.term}`);
  }
}

function stale(what: string): LogStoreError {
  return new LogStoreError("ERR_META_STALE", `${what}: the meta file is older than the log`);
}
