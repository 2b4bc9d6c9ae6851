import type { OpenRecord, SnapshotMark } from "./frame.ts";
import { RecoveredEntries } from "./recovered-entries.ts";
import type { FoundSegment } from "./segment-reading.ts";
import type { ScannedBatch, ScanStop, SegmentScan } from "./segment-scan.ts";

/** A segment of a fragment, with those of its batches that count. */
export interface FragmentLink {
  readonly scan: SegmentScan;
  readonly open: OpenRecord;
  readonly batches: readonly ScannedBatch[];
}

/** Why a fragment begins where it does. A compaction leaves a `missing` segment too. */
export interface LogGap {
  /** `missing`: no file. `unusable`: a file, but not a segment that can be read. `damaged`: frames that were synced are wrong. */
  readonly kind: "missing" | "unusable" | "damaged";
  /** What stands where the frames of a damaged segment break off. */
  readonly after: ScanStop["kind"];
  readonly what: string;
}

/**
 * Segments that lead to each other without a gap, and the log as it was at their end. A log without damage is one fragment; each
 * damaged place begins another one, which is sound in itself but hangs in the air unless a snapshot stands within it.
 */
export interface LogFragment {
  /** Oldest first, at least one. */
  readonly links: readonly FragmentLink[];
  /** Null if the log begins here. */
  readonly gap: LogGap | null;
  readonly entries: RecoveredEntries;
  /** Snapshots that came in force, in order. */
  readonly marks: readonly PlacedMark[];
  readonly commitIndex: number;
}

export interface PlacedMark {
  readonly mark: SnapshotMark;
  readonly segment: number;
}

/** All fragments, the newest first. Each begins in an older segment than the one before. */
export function findFragments(found: readonly FoundSegment[]): readonly LogFragment[] {
  const fragments: LogFragment[] = [];
  let end = endBelow(found, Infinity, Infinity);
  while (end !== null) {
    const { links, gap, previousSegment, previousSeq } = followChain(found, end);
    fragments.push({ links, gap, ...replay(links) });
    end = gap === null ? null : endBelow(found, previousSegment, previousSeq);
  }
  return fragments;
}

/** The newest segment up to `number` that has something to offer; of the segment `number` itself only what is not above `seq`. */
function endBelow(found: readonly FoundSegment[], number: number, seq: number): FragmentLink | null {
  for (const segment of found.toReversed()) {
    if (segment.number > number || !("scan" in segment)) continue;
    const { scan } = segment;
    const batches = segment.number === number ? scan.batches.filter((batch) => batch.lastSeq <= seq) : scan.batches;
    if (batches.length > 0 && scan.open !== null) return { scan, open: scan.open, batches };
  }
  return null;
}

interface Chain {
  readonly links: readonly FragmentLink[];
  readonly gap: LogGap | null;
  /** What the oldest link follows. */
  readonly previousSegment: number;
  readonly previousSeq: number;
}

/** `end` and its predecessors, as far as they are sound. */
function followChain(found: readonly FoundSegment[], end: FragmentLink): Chain {
  const links = [end];
  for (let link = end; ; ) {
    const { previousSegment, previousSeq } = link.open;
    if (previousSegment === 0) return { links, gap: null, previousSegment, previousSeq };
    const previous = predecessorOf(found, link);
    if ("gap" in previous) return { links, gap: previous.gap, previousSegment, previousSeq };
    links.unshift(previous.link);
    link = previous.link;
  }
}

function predecessorOf(
  found: readonly FoundSegment[],
  { scan, open }: FragmentLink,
): { readonly link: FragmentLink } | { readonly gap: LogGap } {
  const previous = found.find((segment) => segment.number === open.previousSegment);
  if (previous === undefined) return { gap: { kind: "missing", after: "zero", what: `segment ${open.previousSegment} is missing` } };
  if ("problem" in previous) return { gap: { kind: "unusable", after: "zero", what: `${previous.path} ${previous.problem}` } };
  const batches = previous.scan.batches.filter((batch) => batch.lastSeq <= open.previousSeq);
  const last = batches.at(-1);
  const joined = last?.lastSeq === open.previousSeq && last.lastCrc === scan.openPreviousCrc;
  const continues = open.reason === "install" || (last?.index === open.baseIndex && last.term === open.baseTerm);
  if (previous.scan.open !== null && joined && continues) return { link: { scan: previous.scan, open: previous.scan.open, batches } };
  const { stop } = previous.scan;
  const what = `${previous.path} at offset ${stop.offset}: ${stop.what}; frames up to ${open.previousSeq} were synced`;
  return { gap: { kind: "damaged", after: stop.kind, what } };
}

/** Plays the records in order. */
function replay(links: readonly FragmentLink[]): Pick<LogFragment, "entries" | "marks" | "commitIndex"> {
  const first = links[0]?.open;
  let entries = new RecoveredEntries({ index: first?.baseIndex ?? 0, term: first?.baseTerm ?? 0 });
  const marks: PlacedMark[] = [];
  let commitIndex = 0;
  for (const { scan, batches } of links) {
    for (const batch of batches) {
      commitIndex = Math.max(commitIndex, batch.commitIndex);
      for (const record of batch.records) {
        if (record.type === "entries") {
          entries.append(record);
        } else if (record.type === "truncate") {
          entries.truncate({ index: record.index, term: record.term });
        } else if (record.type === "mark") {
          marks.push({ mark: record, segment: scan.header.number });
        } else if (record.reason === "install" || record.reason === "repair") {
          entries = new RecoveredEntries({ index: record.baseIndex, term: record.baseTerm });
        }
      }
    }
  }
  return { entries, marks, commitIndex: Math.min(commitIndex, entries.last.index) };
}
