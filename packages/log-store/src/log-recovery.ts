import type { LostEntries } from "@raftkv/raft-node";
import type { LogRecord, OpenRecord } from "./frame.ts";
import type { FragmentLink, LogFragment, LogGap } from "./log-fragment.ts";
import type { LogReading } from "./log-reading.ts";
import { assert } from "./log-store-error.ts";
import type { ChainLink, FirstBatch } from "./log-writer.ts";
import type { MetaRecord } from "./meta-record.ts";
import { RecoveredEntries } from "./recovered-entries.ts";
import { logRows, matchingRows, snapshotRows } from "./recovery-decision.ts";
import type { ScannedBatch } from "./segment-scan.ts";
import type { SnapshotFile } from "./snapshot-file.ts";
import type { SnapshotSearch } from "./snapshot-search.ts";
import { markOf } from "./snapshot-store.ts";

/** What a store goes on with, and how its first segment begins. */
export interface Recovery {
  readonly entries: RecoveredEntries;
  readonly snapshot: SnapshotFile | null;
  /** Where the mark of the snapshot stands; 0 if there is none, or `first` says it again. */
  readonly markSegment: number;
  readonly commitIndex: number;
  /** Segments that stay, oldest first. */
  readonly chain: readonly ChainLink[];
  /** Numbers of segments that were on the chain and go, because `first` says again whatever they hold. */
  readonly retired: readonly number[];
  readonly tail: { readonly segment: number; readonly seq: number; readonly crc: number };
  readonly nextSeq: number;
  readonly first: FirstBatch;
  /** What damage took; null if everything is there that was ever acknowledged. */
  readonly lost: LostEntries | null;
  /** Damage that cost nothing, because a snapshot covers it or another copy is there. */
  readonly covered: readonly string[];
  /** The rows of the decision tables that matched, as in "L1 S1". */
  readonly decision: string;
}

/** Lost frames may have had any seq up to here above those that were seen: no frame written after a loss is taken for one of them. */
const LOST_FRAMES_MAX = 2 ** 32;

/**
 * Decides what a store goes on with: the newest snapshot that is sound, and the newest fragment of the log that goes on from it, or
 * that begins at index 1 if there is no snapshot. If that is not the newest fragment of all, or synced frames are gone at its end, the
 * store has lost something; what it keeps is then the longest beginning of its log that it can prove.
 */
export function recoverLog(reading: LogReading, search: SnapshotSearch, meta: MetaRecord): Recovery {
  const { fragments, end } = reading;
  const snapshot = search.usable;
  const fits = (fragment: LogFragment): boolean =>
    snapshot === null ? fragment.entries.base.index === 0 : fragment.entries.holds(snapshot.meta);
  const kept = fragments.find(fits) ?? null;
  const joins = kept === (fragments[0] ?? null) && (kept !== null || snapshot === null);
  const isLost = end.problem !== null || !joins;
  const log = kept === null ? restartAt(snapshot) : goOn(kept, search, reading.proven);
  const { rows, isRepair } = decide(reading, search, meta, { joins, hasUnproven: log.first.records.length > log.addedMarks });
  assert(isRepair === isLost, "The tables and the recovery agree on what is lost");
  const gap = fragments[0]?.gap ?? null;
  return {
    ...log,
    snapshot,
    nextSeq: 1 + reading.highestSeq + (isLost ? LOST_FRAMES_MAX : 0),
    lost: isLost ? describeLoss(reading, search, kept, meta) : null,
    covered: isLost ? [] : [...(gap === null || gap.kind === "missing" ? [] : [gap.what]), ...search.bad.map(({ what }) => what)],
    decision: rows.join(" "),
  };
}

/** The rows that match: of the place where the newest fragment breaks off, if it does, of the end of the log, and of the snapshots. */
function decide(
  { fragments, end }: LogReading,
  search: SnapshotSearch,
  meta: MetaRecord,
  { joins, hasUnproven }: { readonly joins: boolean; readonly hasUnproven: boolean },
): { readonly rows: readonly string[]; readonly isRepair: boolean } {
  const gap = fragments[0]?.gap ?? null;
  const findings = [
    ...(gap === null || (gap.kind === "missing" && (joins || isCompacted(fragments, 0, meta))) ? [] : [gapFinding(gap, joins)]),
    {
      segments: end.segments,
      after: end.after,
      provenFrames: end.provenFrames,
      unprovenFrames: hasUnproven ? "some" : "none",
      covered: "no",
    } as const,
  ];
  const other = search.newest !== "sound" && search.usable !== null ? "sound" : "none";
  const matches = [
    ...findings.flatMap((finding) => matchingRows(logRows, finding)),
    ...matchingRows(snapshotRows, { newest: search.newest, other, log: joins ? "joins" : "apart" }),
  ];
  assert(matches.length === findings.length + 1, "Exactly one row of each table matches");
  return { rows: matches.map(({ name }) => name), isRepair: matches.some(({ action }) => action === "repair") };
}

/** Whether the log begins there because a compaction removed what is older: nothing older is left, and a snapshot came in force that covers it. */
function isCompacted(fragments: readonly LogFragment[], at: number, meta: MetaRecord): boolean {
  const fragment = fragments[at];
  const inForce = Math.max(meta.snapshotIndex, fragments[0]?.marks.at(-1)?.mark.index ?? 0);
  return fragment?.gap?.kind === "missing" && at === fragments.length - 1 && fragment.entries.base.index <= inForce;
}

function gapFinding({ kind, after }: LogGap, joins: boolean) {
  return {
    segments: kind === "damaged" ? "present" : "missing",
    after,
    provenFrames: "some",
    unprovenFrames: "none",
    covered: joins ? "yes" : "no",
  } as const;
}

/** Names everything that is wrong, and the first index that may be gone. */
function describeLoss({ fragments, end }: LogReading, search: SnapshotSearch, kept: LogFragment | null, meta: MetaRecord): LostEntries {
  const from = 1 + certainIndex(kept, search.usable, meta);
  const newer = kept === null ? fragments : fragments.slice(0, fragments.indexOf(kept));
  const gaps = newer.flatMap(({ gap }, at) => (gap === null || isCompacted(fragments, at, meta) ? [] : [gap.what]));
  const problems = [...(end.problem === null ? [] : [end.problem]), ...gaps, ...search.bad.map(({ what }) => what)];
  if (problems.length === 0) problems.push("the log does not go on from its newest snapshot");
  return { from, description: `${problems.join("; ")}; entries from log index ${from} on may be lost` };
}

/**
 * Up to where a sound beginning of a log is certain to be what was acknowledged last. Lost frames may have replaced entries, but none
 * that was committed, and none of the term that the member is still in: those are the leader's of that term.
 */
function certainIndex(kept: LogFragment | null, snapshot: SnapshotFile | null, meta: MetaRecord): number {
  const snapshotIndex = snapshot?.meta.index ?? 0;
  if (kept === null) return snapshotIndex;
  const { last } = kept.entries;
  return last.term === meta.term ? last.index : Math.max(kept.commitIndex, snapshotIndex);
}

type RecoveredSegments = Pick<Recovery, "entries" | "markSegment" | "commitIndex" | "chain" | "retired" | "tail" | "first"> & {
  /** Marks in `first` that stood in no segment. */
  readonly addedMarks: number;
};

/** Nothing of the log is left that fits: it begins anew after the snapshot, or at the very beginning. */
function restartAt(snapshot: (SnapshotFile & { readonly kind: "own" | "installed" }) | null): RecoveredSegments {
  const base = { index: snapshot?.meta.index ?? 0, term: snapshot?.meta.term ?? 0 };
  const records = snapshot === null ? [] : [markOf(snapshot, snapshot.kind)];
  const first: FirstBatch = { reason: "repair", baseIndex: base.index, baseTerm: base.term, records };
  const tail = { segment: 0, seq: 0, crc: 0 };
  return {
    entries: new RecoveredEntries(base),
    markSegment: 0,
    commitIndex: base.index,
    chain: [],
    retired: [],
    tail,
    first,
    addedMarks: records.length,
  };
}

/**
 * A fragment is taken up at the last of its segments that holds anything, so that starts without writes do not leave a segment each. If
 * its last mark is not the snapshot's, `first` puts that one in force.
 */
function goOn(kept: LogFragment, { usable }: SnapshotSearch, proven: number): RecoveredSegments {
  const { entries, commitIndex, links, marks } = kept;
  const newest = marks.at(-1);
  const isMarked = newest?.mark.index === usable?.meta.index;
  const stayCount = 1 + links.findLastIndex(({ batches }) => holdsRecords(batches.filter(({ lastSeq }) => lastSeq <= proven)));
  const { tail, first } = takeOver(links, stayCount, proven);
  const added = usable === null || isMarked ? [] : [markOf(usable, usable.kind)];
  return {
    entries,
    commitIndex,
    markSegment: isMarked ? (newest?.segment ?? 0) : 0,
    chain: links.slice(0, stayCount).map(({ scan, open }) => ({ number: scan.header.number, baseIndex: open.baseIndex })),
    retired: links.slice(stayCount).map(({ scan }) => scan.header.number),
    tail,
    first: { ...first, records: [...first.records, ...added] },
    addedMarks: added.length,
  };
}

/** Whether batches hold more than the OPEN and the commit index that each start writes anew. */
export function holdsRecords(batches: readonly ScannedBatch[]): boolean {
  return batches.some(({ records }) => records.some(({ type }) => type !== "open"));
}

/** Where the chain is taken up, and what is written again from there: what is not proven, or not in the first `stayCount` links. */
function takeOver(links: readonly FragmentLink[], stayCount: number, proven: number): Pick<Recovery, "tail" | "first"> {
  const before = links[0];
  let tail = { segment: before?.open.previousSegment ?? 0, seq: before?.open.previousSeq ?? 0, crc: before?.scan.openPreviousCrc ?? 0 };
  let position = { index: before?.open.baseIndex ?? 0, term: before?.open.baseTerm ?? 0 };
  let records: Exclude<LogRecord, OpenRecord>[] = [];
  let restarted: "install" | "repair" | null = null;
  for (const [at, { scan, batches }] of links.entries()) {
    for (const batch of batches) {
      if (at < stayCount && batch.lastSeq <= proven) {
        tail = { segment: scan.header.number, seq: batch.lastSeq, crc: batch.lastCrc };
        position = { index: batch.index, term: batch.term };
        continue;
      }
      for (const record of batch.records) {
        if (record.type === "entries") {
          for (const entry of record.entries()) records.push({ type: "entry", entry });
        } else if (record.type !== "open") {
          records.push(record);
        } else if (record.reason === "install" || record.reason === "repair") {
          position = { index: record.baseIndex, term: record.baseTerm };
          records = [];
          restarted = record.reason;
        }
      }
    }
  }
  const reason = restarted ?? (tail.segment === 0 ? "first" : "restart");
  return { tail, first: { reason, baseIndex: position.index, baseTerm: position.term, records } };
}
