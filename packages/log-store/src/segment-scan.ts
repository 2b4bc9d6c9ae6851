import { crc32c } from "./crc32c.ts";
import { EntryRun, gather } from "./entry-run.ts";
import { FRAMES_OFFSET, getU64, isZero, PAGE_BYTES, roundUp, viewOf } from "./format.ts";
import {
  decodeCommit,
  decodeFrameHeader,
  FLAG_FIRST,
  FLAG_LAST,
  FLAG_SEAL_COPY,
  FRAME_COMMIT,
  FRAME_ENTRY,
  FRAME_HEADER_BYTES,
  FRAME_MARK,
  FRAME_OPEN,
  FRAME_SEAL,
  FRAME_TRUNCATE,
  type FrameHeader,
  frameBytes,
  type LogRecord,
  MARK_PAYLOAD_BYTES,
  OPEN_PAYLOAD_BYTES,
  type OpenRecord,
  openReasons,
  readEntryKind,
  saltCrcOf,
} from "./frame.ts";
import { LogStoreError } from "./log-store-error.ts";
import { type FramePosition, readSeal, SEAL_BYTES } from "./seal.ts";
import type { SegmentHeader } from "./segment-header.ts";
import { countZeroSectors } from "./zero-sectors.ts";

/** What a segment says about the log, in order, with entries where they lie. */
type ScannedRecord = MarkedRecord | EntryRun;
/** All but entries. */
type MarkedRecord = Exclude<LogRecord, { readonly type: "entry" }>;

/** One batch that is whole and sound, or one seal. */
export interface ScannedBatch {
  readonly offset: number;
  /** Header checksum of the frame before. */
  readonly previousCrc: number;
  readonly lastSeq: number;
  readonly lastCrc: number;
  /** Last log index and term after the batch. */
  readonly index: number;
  readonly term: number;
  readonly commitIndex: number;
  readonly records: readonly ScannedRecord[];
}

/**
 * What follows the last whole batch. `zero`: nothing. `torn`: a batch of which at least one sector never reached the disk, which
 * reads as zeros. `whole`: bytes were written and are wrong, which no lost write explains.
 */
export interface ScanStop {
  readonly kind: "zero" | "torn" | "whole";
  /** Of the batch that is not whole. */
  readonly batchOffset: number;
  /** Of the first frame that is not sound. */
  readonly offset: number;
  readonly what: string;
  /** Entries of the unfinished batch that could be read. */
  readonly entries: number;
}

export interface SegmentScan {
  readonly path: string;
  readonly header: SegmentHeader;
  readonly open: OpenRecord | null;
  /** `previousCrc` of the first frame. */
  readonly openPreviousCrc: number;
  readonly batches: readonly ScannedBatch[];
  readonly stop: ScanStop;
  /** Highest durableSeq of any sound header: that much must exist somewhere. */
  readonly evidenceSeq: number;
  /** Highest seq of any sound header. */
  readonly highestSeq: number;
}

type BatchResult =
  | { readonly batch: ScannedBatch; readonly endOffset: number }
  | { readonly failure: Omit<ScanStop, "kind"> & { readonly kind: "torn" | "whole" } };

/**
 * Reads all batches of a segment up to the first that is not whole, and looks at every page for headers that prove what was
 * durable. `file` is the whole file, of which nothing stays in memory but copies of the entries.
 */
export function scanSegment(path: string, file: Uint8Array, header: SegmentHeader): SegmentScan {
  const saltCrc = saltCrcOf(header.salt);
  const view = viewOf(file);
  const batches: ScannedBatch[] = [];
  let cursor: FramePosition | null = null;
  let offset = FRAMES_OFFSET;
  let stop: ScanStop | null = null;
  while (offset < file.length) {
    const seal: BatchResult | null = cursor === null ? null : readSealAt(file, cursor, offset, saltCrc);
    const result: BatchResult = seal ?? readBatch({ path, segment: header.number, file, view, saltCrc }, offset, cursor);
    if ("failure" in result) {
      const empty = result.failure.kind === "torn" && isZero(file, offset, file.length);
      stop = { ...result.failure, kind: empty ? "zero" : result.failure.kind };
      break;
    }
    const batch: ScannedBatch = result.batch;
    batches.push(batch);
    cursor = { seq: batch.lastSeq, crc: batch.lastCrc, index: batch.index, term: batch.term };
    offset = roundUp(result.endOffset, PAGE_BYTES);
  }
  gather(runsOf(batches));
  const first = batches[0];
  const open = first?.records[0];
  return {
    path,
    header,
    open: open?.type === "open" ? open : null,
    openPreviousCrc: first?.previousCrc ?? 0,
    batches,
    stop: stop ?? { kind: "zero", batchOffset: offset, offset, what: "end of the file", entries: 0 },
    ...highestSeqs(file, view, saltCrc, cursor?.seq ?? 0),
  };
}

/** The entries of batches, in order. */
export function runsOf(batches: readonly ScannedBatch[]): readonly EntryRun[] {
  return batches.flatMap(({ records }) => records.flatMap((record) => (record.type === "entries" ? [record] : [])));
}

/** What the headers on all pages prove, whatever lies between them. `readSeq`: the highest seq that was read. */
function highestSeqs(file: Uint8Array, view: DataView, saltCrc: number, readSeq: number): Pick<SegmentScan, "evidenceSeq" | "highestSeq"> {
  let evidenceSeq = 0;
  let highestSeq = readSeq;
  for (let page = FRAMES_OFFSET; page < file.length; page += PAGE_BYTES) {
    const found = decodeFrameHeader(file, view, page, saltCrc);
    if (found === null) continue;
    evidenceSeq = Math.max(evidenceSeq, found.durableSeq);
    highestSeq = Math.max(highestSeq, found.seq);
  }
  return { evidenceSeq, highestSeq };
}

/** A seal reads as a batch without records. */
function readSealAt(file: Uint8Array, before: FramePosition, offset: number, saltCrc: number): BatchResult | null {
  const seal = readSeal(file, before, { offset, saltCrc });
  if (seal === null) return null;
  const { lastSeq, lastCrc } = seal;
  const { index, term } = before;
  const { commitIndex } = seal.fields;
  return {
    batch: { offset, previousCrc: before.crc, lastSeq, lastCrc, index, term, commitIndex, records: [] },
    endOffset: offset + SEAL_BYTES,
  };
}

interface BatchSource {
  readonly path: string;
  /** Number of the segment. */
  readonly segment: number;
  readonly file: Uint8Array;
  /** Of the same bytes. */
  readonly view: DataView;
  readonly saltCrc: number;
}

/** Reads the frames of the batch at `start`. `before` is null for the first batch of a segment. */
function readBatch(source: BatchSource, start: number, before: FramePosition | null): BatchResult {
  const { path, segment, file, view, saltCrc } = source;
  const records: ScannedRecord[] = [];
  let cursor = before;
  let first: FrameHeader | null = null;
  let at = start;
  let entries = 0;
  const fail = (kind: "torn" | "whole", what: string): BatchResult => ({
    failure: { kind, batchOffset: start, offset: at, what, entries },
  });
  for (;;) {
    const header = decodeFrameHeader(file, view, at, saltCrc);
    if (header === null) {
      // The bytes of a header on either side of a sector's edge are never all zero.
      const isTorn = countZeroSectors(file, at, at + FRAME_HEADER_BYTES) > 0;
      return fail(isTorn ? "torn" : "whole", "there is no sound frame header");
    }
    const end = at + frameBytes(header.payloadBytes);
    if (end > file.length) return fail("whole", `a payload of ${header.payloadBytes} bytes reaches beyond the file`);
    const payload = file.subarray(at + FRAME_HEADER_BYTES, end);
    if (header.payloadCrc !== (header.payloadBytes === 0 ? 0 : crc32c(payload))) {
      const isTorn = countZeroSectors(file, at, end) > header.zeroSectors;
      return fail(isTorn ? "torn" : "whole", "the payload's checksum does not match");
    }
    const problem = checkOrder(header, first, cursor);
    if (problem !== null) return fail("whole", problem);
    first ??= header;
    if (header.type === FRAME_COMMIT) {
      const commit = decodeCommit(payload);
      const sound =
        header.flags === FLAG_LAST &&
        cursor !== null &&
        commit?.firstSeq === first.seq &&
        commit.frames === header.seq - first.seq &&
        header.index === cursor.index &&
        header.term === cursor.term;
      if (!sound) return fail("whole", "a COMMIT frame does not fit its batch");
      const { index, term, seq: lastSeq, headerCrc: lastCrc } = header;
      const { commitIndex } = commit;
      return {
        batch: { offset: start, previousCrc: first.previousCrc, lastSeq, lastCrc, index, term, commitIndex, records },
        endOffset: end,
      };
    }
    const record = header.type === FRAME_ENTRY ? checkEntry(path, header, view, at) : decodeRecord(path, header, payload, at);
    if (record === null) return fail("whole", `a frame of type ${header.type} has a payload that does not fit`);
    const next = advance(record, header, cursor);
    if (next === null) return fail("whole", `a frame of type ${header.type} does not follow log index ${cursor?.index ?? 0}`);
    if (record === "entry") {
      entries += 1;
      const last = records.at(-1);
      if (last?.type === "entries") last.add(at, header.term);
      else records.push(new EntryRun(view, segment, at, header));
    } else {
      records.push(record);
    }
    cursor = next;
    at = end;
  }
}

/** Why a sound frame does not belong here, or null. */
function checkOrder(header: FrameHeader, first: FrameHeader | null, cursor: FramePosition | null): string | null {
  if ((header.flags & FLAG_FIRST) !== (first === null ? FLAG_FIRST : 0)) return `frame ${header.seq} has the flags ${header.flags}`;
  if ((header.type === FRAME_OPEN) !== (cursor === null)) return `frame ${header.seq} has the type ${header.type} at this place`;
  if (cursor === null) return null;
  if (header.seq !== cursor.seq + 1) return `frame ${header.seq} follows frame ${cursor.seq}`;
  if (header.previousCrc !== cursor.crc) return `frame ${header.seq} does not name the checksum of frame ${cursor.seq}`;
  if (first !== null && header.durableSeq !== first.durableSeq) return `frame ${header.seq} does not agree with its batch`;
  return null;
}

/** Null if the payload is not one of an entry. */
function checkEntry(path: string, header: FrameHeader, view: DataView, at: number): "entry" | null {
  checkFlags(path, header, at);
  const payload = at + FRAME_HEADER_BYTES;
  const kind = readEntryKind(view, payload, header.payloadBytes);
  if (kind === undefined) throw tooNew(path, at, `entry kind ${view.getUint32(payload, true)}`);
  return kind === null ? null : "entry";
}

function checkFlags(path: string, header: FrameHeader, at: number): void {
  if ((header.flags & ~(FLAG_FIRST | FLAG_LAST | FLAG_SEAL_COPY)) !== 0) throw tooNew(path, at, `flags ${header.flags}`);
}

function decodeRecord(path: string, header: FrameHeader, payload: Uint8Array, at: number): MarkedRecord | null {
  checkFlags(path, header, at);
  const view = viewOf(payload);
  const { index, term } = header;
  switch (header.type) {
    case FRAME_TRUNCATE:
      return header.payloadBytes === 0 ? { type: "truncate", index, term } : null;
    case FRAME_MARK: {
      const kind = view.byteLength < MARK_PAYLOAD_BYTES ? -1 : view.getUint32(0, true);
      if (header.payloadBytes !== MARK_PAYLOAD_BYTES || kind > 1 || kind < 0) return null;
      const fileBytes = getU64(view, 8);
      return { type: "mark", kind: kind === 0 ? "own" : "installed", index, term, fileBytes, sha256: payload.slice(16, 48) };
    }
    case FRAME_OPEN: {
      if (header.payloadBytes !== OPEN_PAYLOAD_BYTES) return null;
      const reason = openReasons[view.getUint32(32, true) - 1];
      if (reason === undefined) throw tooNew(path, at, `open reason ${view.getUint32(32, true)}`);
      const open = {
        previousSegment: getU64(view, 0),
        previousSeq: getU64(view, 8),
        baseIndex: getU64(view, 16),
        baseTerm: getU64(view, 24),
      };
      return Object.values(open).includes(-1) ? null : { type: "open", reason, ...open };
    }
    case FRAME_SEAL:
      // A seal that stands where it belongs was read before.
      return null;
    default:
      throw tooNew(path, at, `frame type ${header.type}`);
  }
}

/** The position after a record, or null if it does not follow `cursor`. */
function advance(record: MarkedRecord | "entry", header: FrameHeader, cursor: FramePosition | null): FramePosition | null {
  const { seq, headerCrc: crc, index, term } = header;
  if (record === "entry") {
    const follows = cursor !== null && index === cursor.index + 1 && term >= cursor.term && term > 0;
    return follows ? { seq, crc, index, term } : null;
  }
  if (record.type === "open") {
    const fits = index === record.baseIndex && term === record.baseTerm;
    return fits ? { seq, crc, index: record.baseIndex, term: record.baseTerm } : null;
  }
  if (cursor === null) return null;
  switch (record.type) {
    case "truncate":
      return record.index < cursor.index ? { seq, crc, index: record.index, term: record.term } : null;
    case "mark":
      return record.index <= cursor.index ? { ...cursor, seq, crc } : null;
  }
}

function tooNew(path: string, at: number, what: string): LogStoreError {
  return new LogStoreError(
    "ERR_FORMAT_TOO_NEW",
    `${path} has ${what} at offset ${at}, which this version does not know: start a newer RaftKV`,
  );
}
