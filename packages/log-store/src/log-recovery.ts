import type { LogEntry } from "@raftkv/raft-core";
import type { Logger } from "@raftkv/raft-node";
import type { LogRecord, OpenRecord, SnapshotMark } from "./frame.ts";
import { LogStoreError } from "./log-store-error.ts";
import type { ChainLink, FirstBatch } from "./log-writer.ts";
import type { MetaRecord } from "./meta-record.ts";
import type { ScannedBatch, SegmentScan } from "./segment-scan.ts";

/** A segment file as it was found: read, or unusable for a reason. */
export type FoundSegment =
  | { readonly number: number; readonly path: string; readonly scan: SegmentScan }
  | { readonly number: number; readonly path: string; readonly problem: string };

/** The log as the segments tell it. */
export interface RecoveredSegments {
  /** Last position before the oldest entry. */
  readonly base: { readonly index: number; readonly term: number };
  readonly entries: readonly LogEntry[];
  /** Newest snapshot in force. */
  readonly mark: SnapshotMark | null;
  /** Where the mark stands, 0 for none. */
  readonly markSegment: number;
  readonly commitIndex: number;
  /** Segments that stay, oldest first. */
  readonly chain: readonly ChainLink[];
  readonly tail: { readonly segment: number; readonly seq: number; readonly crc: number };
  readonly nextSeq: number;
  /** How the first segment of this life begins. */
  readonly first: FirstBatch;
  /** Why older segments can't be read; sound only if a snapshot covers `base`. Null if the log reaches back to its beginning. */
  readonly gap: LogGap | null;
}

/** `missing` is what a compaction leaves; both need a snapshot. */
export interface LogGap {
  readonly kind: "missing" | "damaged";
  readonly what: string;
}

interface Link {
  readonly scan: SegmentScan;
  readonly open: OpenRecord;
  readonly batches: readonly ScannedBatch[];
}

/**
 * Decides what the segments of a directory mean.
 *
 * The newest segment with a whole batch is the head; OPEN frames lead from it back to the oldest. `accepted` is the last seq that
 * was read without a gap, `proven` the highest durableSeq in any sound header of any segment:
 *
 * - accepted < proven: frames that were synced are gone. Damaged.
 * - a batch after the head that is wrong without a sector of zeros: no lost write explains it. Damaged.
 * - a batch after the head with a sector of zeros: torn, never acknowledged. Cut, and reported.
 * - batches above proven: sound, but perhaps only in the cache after a failed sync. Written again before they count.
 *
 * Throws `ERR_DATA_DAMAGED` and `ERR_META_STALE`.
 */
export function recoverSegments(found: readonly FoundSegment[], meta: MetaRecord, logger: Logger): RecoveredSegments {
  const scans = found.flatMap((segment) => ("scan" in segment ? [segment.scan] : []));
  checkMeta(scans, meta);
  const head = scans.findLast((scan) => scan.batches.length > 0) ?? null;
  const after = found.filter((segment) => segment.number > (head?.header.number ?? 0));
  checkPresent(after, head, meta);
  const proven = scans.reduce((highest, scan) => Math.max(highest, scan.evidenceSeq), 0);
  const accepted = head?.batches.at(-1)?.lastSeq ?? 0;
  checkAccepted(head, after, accepted, proven);
  reportCut(head, after, logger);

  const { links, gap } = followChain(found, head);
  const state = replay(links);
  checkTerms(links, meta);
  checkCovered(state, gap, meta);
  const nextSeq = 1 + scans.reduce((highest, scan) => Math.max(highest, scan.highestSeq), Math.max(proven, accepted));
  const kept = links.flatMap(({ scan, open, batches }) => (provenOf(batches, proven).length === 0 ? [] : [{ scan, open }]));
  const rewritten = takeOver(links, proven);
  logger.info("log read", {
    segments: found.length,
    accepted,
    proven,
    firstIndex: state.base.index + 1,
    lastIndex: state.base.index + state.entries.length,
    rewrittenRecords: rewritten.first.records.length,
  });
  return {
    ...state,
    ...rewritten,
    chain: kept.map(({ scan, open }) => ({ number: scan.header.number, baseIndex: open.baseIndex })),
    nextSeq,
    gap,
  };
}

/** The meta file is replaced before any file that it must know of, so it is never older than the log. */
function checkMeta(scans: readonly SegmentScan[], meta: MetaRecord): void {
  for (const { path, header, batches, highestSeq } of scans) {
    const used = batches.length > 0 || highestSeq > 0;
    if (header.number > meta.lastSegment ? used : header.bootGeneration > meta.bootGeneration) {
      throw stale(
        `${path} is segment ${header.number} of start ${header.bootGeneration}, the meta file knows ${meta.lastSegment} of start ${meta.bootGeneration}`,
      );
    }
  }
}

function checkTerms(links: readonly Link[], meta: MetaRecord): void {
  for (const { scan, batches } of links) {
    const batch = batches.find((candidate) => candidate.term > meta.term);
    if (batch !== undefined) throw stale(`${scan.path} has term ${batch.term} at offset ${batch.offset}, the meta file knows ${meta.term}`);
  }
}

/** What the segments no longer hold, a snapshot does. */
function checkCovered(
  { base, entries, mark }: Pick<RecoveredSegments, "base" | "entries" | "mark">,
  gap: LogGap | null,
  meta: MetaRecord,
): void {
  const index = mark?.index ?? 0;
  if (meta.snapshotIndex > index) {
    const cause = gap === null ? "" : `${gap.what}; `;
    throw damaged(`${cause}the log's newest snapshot is at log index ${index}, the meta file knows one at ${meta.snapshotIndex}`);
  }
  if (index < base.index) {
    const cause = gap?.what ?? "the beginning of the log is missing";
    throw damaged(`${cause}; entries up to log index ${base.index} are lost, the newest snapshot is at log index ${index}`);
  }
  const lastIndex = base.index + entries.length;
  if (index > lastIndex) throw damaged(`the log ends at log index ${lastIndex}, before its snapshot at ${index}`);
}

/** Segments that were put in place after the head are there, or something that was written to them may be lost. */
function checkPresent(after: readonly FoundSegment[], head: SegmentScan | null, meta: MetaRecord): void {
  for (let number = (head?.header.number ?? 0) + 1; number <= meta.lastSegment; number++) {
    const segment = after.find((candidate) => candidate.number === number);
    if (segment !== undefined && "scan" in segment) continue;
    const what =
      segment === undefined
        ? `segment ${number} is missing, the meta file knows ${meta.lastSegment}`
        : `${segment.path} ${segment.problem}`;
    throw damaged(`${what}; entries after log index ${head?.batches.at(-1)?.index ?? 0} may be lost`);
  }
}

function checkAccepted(head: SegmentScan | null, after: readonly FoundSegment[], accepted: number, proven: number): void {
  const lastIndex = head?.batches.at(-1)?.index ?? 0;
  const scans = [...(head === null ? [] : [head]), ...after.flatMap((segment) => ("scan" in segment ? [segment.scan] : []))];
  const wrong = scans.find(({ stop }) => stop.kind === "whole");
  if (wrong !== undefined) {
    throw damaged(
      `${wrong.path} at offset ${wrong.stop.offset}: ${wrong.stop.what}; entries from log index ${lastIndex + 1} on may be lost`,
    );
  }
  if (accepted >= proven) return;
  // The evidence stands after the gap: in the segment that has it, or in a later one.
  const witness = scans.find(({ evidenceSeq }) => evidenceSeq > accepted);
  const place = witness ?? head;
  throw damaged(
    `${place?.path ?? "The log"} at offset ${place?.stop.offset ?? 0}: ${place?.stop.what ?? "nothing is left"}; frames up to ${proven} were synced, only those up to ${accepted} are sound, entries from log index ${lastIndex + 1} on are lost`,
  );
}

function reportCut(head: SegmentScan | null, after: readonly FoundSegment[], logger: Logger): void {
  for (const scan of [head, ...after.map((segment) => ("scan" in segment ? segment.scan : null))]) {
    if (scan === null || scan.stop.kind !== "torn") continue;
    const { batchOffset, offset, entries, what } = scan.stop;
    const firstIndex = (head?.batches.at(-1)?.index ?? 0) + 1;
    logger.warn("a batch that never was acknowledged is cut off", { path: scan.path, batchOffset, offset, what, entries, firstIndex });
  }
}

/** The head and its predecessors, as far as they are sound, oldest first. */
function followChain(
  found: readonly FoundSegment[],
  head: SegmentScan | null,
): { readonly links: readonly Link[]; readonly gap: LogGap | null } {
  const links: Link[] = [];
  let scan = head;
  let batches = head?.batches ?? [];
  while (scan !== null) {
    const { open } = scan;
    if (open === null) return { links, gap: { kind: "damaged", what: `${scan.path} has no OPEN frame` } };
    links.unshift({ scan, open, batches });
    if (open.previousSegment === 0) break;
    const previous = found.find((segment) => segment.number === open.previousSegment);
    if (previous === undefined) return { links, gap: { kind: "missing", what: `segment ${open.previousSegment} is missing` } };
    if ("problem" in previous) return { links, gap: { kind: "damaged", what: `${previous.path} ${previous.problem}` } };
    const below = previous.scan.batches.filter((batch) => batch.lastSeq <= open.previousSeq);
    const last = below.at(-1);
    const joined = last?.lastSeq === open.previousSeq && last.lastCrc === scan.openPreviousCrc;
    if (!joined || (open.reason !== "install" && (last.index !== open.baseIndex || last.term !== open.baseTerm))) {
      const { stop } = previous.scan;
      const what = `${previous.path} at offset ${stop.offset}: ${stop.what}; frames up to ${open.previousSeq} were synced`;
      return { links, gap: { kind: "damaged", what } };
    }
    scan = previous.scan;
    batches = below;
  }
  return { links, gap: null };
}

/** Plays the records in order. */
function replay(links: readonly Link[]): Pick<RecoveredSegments, "base" | "entries" | "mark" | "markSegment" | "commitIndex"> {
  const first = links[0]?.open;
  let base = { index: first?.baseIndex ?? 0, term: first?.baseTerm ?? 0 };
  let entries: LogEntry[] = [];
  let mark: SnapshotMark | null = null;
  let markSegment = 0;
  let commitIndex = 0;
  for (const { scan, batches } of links) {
    for (const batch of batches) {
      commitIndex = Math.max(commitIndex, batch.commitIndex);
      for (const record of batch.records) {
        if (record.type === "entry") {
          entries.push(record.entry);
        } else if (record.type === "truncate") {
          // A compaction may have removed what stood below a tail that was replaced later: the log then begins where it was cut.
          if (record.index < base.index) base = { index: record.index, term: record.term };
          entries.length = record.index - base.index;
        } else if (record.type === "mark") {
          mark = record;
          markSegment = scan.header.number;
        } else if (record.reason === "install") {
          base = { index: record.baseIndex, term: record.baseTerm };
          entries = [];
        }
      }
    }
  }
  return { base, entries, mark, markSegment, commitIndex: Math.min(commitIndex, base.index + entries.length) };
}

function provenOf(batches: readonly ScannedBatch[], proven: number): readonly ScannedBatch[] {
  return batches.filter((batch) => batch.lastSeq <= proven);
}

/** Where the chain is taken up, and what is written again from there. */
function takeOver(links: readonly Link[], proven: number): Pick<RecoveredSegments, "tail" | "first"> {
  const before = links[0];
  let tail = { segment: before?.open.previousSegment ?? 0, seq: before?.open.previousSeq ?? 0, crc: before?.scan.openPreviousCrc ?? 0 };
  let position = { index: before?.open.baseIndex ?? 0, term: before?.open.baseTerm ?? 0 };
  let records: Exclude<LogRecord, OpenRecord>[] = [];
  let installed = false;
  for (const { scan, batches } of links) {
    for (const batch of batches) {
      if (batch.lastSeq <= proven) {
        tail = { segment: scan.header.number, seq: batch.lastSeq, crc: batch.lastCrc };
        position = { index: batch.index, term: batch.term };
        continue;
      }
      for (const record of batch.records) {
        if (record.type !== "open") {
          records.push(record);
        } else if (record.reason === "install") {
          position = { index: record.baseIndex, term: record.baseTerm };
          records = [];
          installed = true;
        }
      }
    }
  }
  const reason = installed ? "install" : tail.segment === 0 ? "first" : "restart";
  return { tail, first: { reason, baseIndex: position.index, baseTerm: position.term, records } };
}

function damaged(what: string): LogStoreError {
  return new LogStoreError(
    "ERR_DATA_DAMAGED",
    `${what}. Nothing was changed. Remove this member from the cluster and add it again with an empty directory, or restore a backup`,
  );
}

function stale(what: string): LogStoreError {
  return new LogStoreError(
    "ERR_META_STALE",
    `${what}: the meta file is older than the log, remove this member from the cluster and add it again with an empty directory`,
  );
}
