import type { EntryKind, LogEntry } from "@raftkv/raft-core";
import { crc32c } from "./crc32c.ts";
import { ENTRY_BYTES_MAX, PAGE_BYTES, roundUp, setU64, viewOf } from "./format.ts";
import {
  COMMIT_PAYLOAD_BYTES,
  ENTRY_PREFIX_BYTES,
  encodeCommit,
  encodeFrameHeader,
  entryKinds,
  FLAG_FIRST,
  FLAG_LAST,
  FRAME_COMMIT,
  FRAME_ENTRY,
  FRAME_HEADER_BYTES,
  FRAME_MARK,
  FRAME_OPEN,
  FRAME_TRUNCATE,
  type FrameFields,
  frameBytes,
  MARK_PAYLOAD_BYTES,
  OPEN_PAYLOAD_BYTES,
  type OpenRecord,
  openReasons,
  type SnapshotMark,
} from "./frame.ts";
import { assert } from "./log-store-error.ts";
import { zeroSectorsOf } from "./zero-sectors.ts";

/** First size of a buffer for copies. */
const BUFFER_BYTES_MIN = 64 * 1024;
/** Largest buffer; a batch that copies more gets several. */
const BUFFER_BYTES_MAX = 4 * 1024 * 1024;
/** Below it a copy costs no more than one more buffer in the system call. */
const REFERENCED_BYTES_MIN = 16 * 1024;
const zeroPadding = new Uint8Array(8);

/** Where a batch goes and what comes before it. */
export interface BatchStart {
  /** Checksum of the segment's salt. */
  readonly saltCrc: number;
  /** Page-aligned. */
  readonly offset: number;
  /** Seq of the batch's first frame. */
  readonly firstSeq: number;
  readonly durableSeq: number;
  /** Header checksum of the frame before, 0 if there is none. */
  readonly previousCrc: number;
  /** Last log index and its term before the batch. */
  readonly index: number;
  readonly term: number;
}

export interface EncodedBatch {
  /** Whole pages, in pieces. Valid until the next batch is begun. */
  readonly chunks: readonly Uint8Array[];
  readonly sizeBytes: number;
  readonly lastSeq: number;
  readonly lastCrc: number;
  /** Last log index after the batch. */
  readonly index: number;
  /** Entries in the batch. */
  readonly entries: number;
}

type Payload = Pick<FrameFields, "type" | "payloadBytes" | "payloadCrc" | "zeroSectors">;

/**
 * Builds the bytes of one batch: frames one after another, closed by a COMMIT frame, zeros to the end of the page. Small entries are
 * copied into the buffer that is written, the data of large ones are written from where they are.
 * ```
 * buffer  | OPEN | header prefix |        | padding header prefix data padding COMMIT zeros |
 * chunks  └────────── 1 ─────────┘── 2 ───└──────────────────── 3 ─────────────────────────┘
 *                                 entry's data
 * ```
 */
export class BatchEncoder {
  readonly #referencedBytesMin: number;
  #bytes = new Uint8Array(BUFFER_BYTES_MIN);
  #view = viewOf(this.#bytes);
  /** What of the buffer is used, and what of that is in a chunk. */
  #used = 0;
  #chunked = 0;
  #chunks: Uint8Array[] = [];
  /** Of the batch. */
  #length = 0;
  #start: BatchStart = { saltCrc: 0, offset: 0, firstSeq: 0, durableSeq: 0, previousCrc: 0, index: 0, term: 0 };
  #seq = 0;
  #previousCrc = 0;
  #index = 0;
  #term = 0;
  #entries = 0;

  /** `referencedBytesMin`: entry data from this size on is not copied. The bytes of a batch do not depend on it. */
  constructor(referencedBytesMin = REFERENCED_BYTES_MIN) {
    this.#referencedBytesMin = referencedBytesMin;
  }

  begin(start: BatchStart): void {
    assert(start.offset % PAGE_BYTES === 0, "A batch begins on a page");
    this.#used = 0;
    this.#chunked = 0;
    this.#chunks = [];
    this.#start = start;
    this.#length = 0;
    this.#seq = start.firstSeq;
    this.#previousCrc = start.previousCrc;
    this.#index = start.index;
    this.#term = start.term;
    this.#entries = 0;
  }

  addOpen(open: OpenRecord): void {
    const at = this.#reserve(FRAME_HEADER_BYTES + OPEN_PAYLOAD_BYTES);
    const payload = at + FRAME_HEADER_BYTES;
    setU64(this.#view, payload, open.previousSegment);
    setU64(this.#view, payload + 8, open.previousSeq);
    setU64(this.#view, payload + 16, open.baseIndex);
    setU64(this.#view, payload + 24, open.baseTerm);
    this.#view.setUint32(payload + 32, 1 + openReasons.indexOf(open.reason), true);
    this.#view.setUint32(payload + 36, 0, true);
    this.#index = open.baseIndex;
    this.#term = open.baseTerm;
    this.#close(at, FRAME_OPEN, OPEN_PAYLOAD_BYTES);
  }

  /** The data stay unchanged until the batch is durable. */
  addEntry(entry: LogEntry): void {
    assert(entry.index === this.#index + 1, "Entries leave no gap");
    assert(entry.term >= this.#term && entry.term > 0, "Entry terms never go back");
    assert(entry.data.length <= ENTRY_BYTES_MAX, "Entry data is at most 16 MiB");
    this.#index = entry.index;
    this.#term = entry.term;
    this.#entries += 1;
    if (entry.data.length < this.#referencedBytesMin) this.#copyEntry(entry);
    else this.#referToEntry(entry);
  }

  addTruncate(index: number, term: number): void {
    const at = this.#reserve(FRAME_HEADER_BYTES);
    this.#index = index;
    this.#term = term;
    this.#close(at, FRAME_TRUNCATE, 0);
  }

  /** A mark stands beside the log: it names the snapshot's position, not the log's end. */
  addMark(mark: SnapshotMark): void {
    const at = this.#reserve(FRAME_HEADER_BYTES + MARK_PAYLOAD_BYTES);
    const payload = at + FRAME_HEADER_BYTES;
    const { index, term } = { index: this.#index, term: this.#term };
    this.#view.setUint32(payload, mark.kind === "own" ? 0 : 1, true);
    this.#view.setUint32(payload + 4, 0, true);
    setU64(this.#view, payload + 8, mark.fileBytes);
    this.#bytes.set(mark.sha256, payload + 16);
    this.#index = mark.index;
    this.#term = mark.term;
    this.#close(at, FRAME_MARK, MARK_PAYLOAD_BYTES);
    this.#index = index;
    this.#term = term;
  }

  /** Closes the batch. `commitIndex` is a hint; `wallMs` is for people. */
  finish(commitIndex: number, wallMs: number): EncodedBatch {
    const at = this.#reserve(FRAME_HEADER_BYTES + COMMIT_PAYLOAD_BYTES);
    const { firstSeq } = this.#start;
    encodeCommit(this.#bytes, this.#view, at + FRAME_HEADER_BYTES, { firstSeq, frames: this.#seq - firstSeq, commitIndex, wallMs });
    this.#close(at, FRAME_COMMIT, COMMIT_PAYLOAD_BYTES, FLAG_LAST);
    this.#fill(roundUp(this.#length, PAGE_BYTES) - this.#length);
    this.#endChunk();
    return {
      chunks: this.#chunks,
      sizeBytes: this.#length,
      lastSeq: this.#seq - 1,
      lastCrc: this.#previousCrc,
      index: this.#index,
      entries: this.#entries,
    };
  }

  #copyEntry({ kind, data }: LogEntry): void {
    const payloadBytes = ENTRY_PREFIX_BYTES + data.length;
    const at = this.#reserve(frameBytes(payloadBytes));
    const payload = at + FRAME_HEADER_BYTES;
    this.#putPrefix(payload, kind);
    this.#bytes.set(data, payload + ENTRY_PREFIX_BYTES);
    this.#bytes.fill(0, payload + payloadBytes, this.#used);
    const payloadCrc = crc32c(this.#bytes.subarray(payload, this.#used));
    this.#putHeader(at, { type: FRAME_ENTRY, payloadBytes, payloadCrc, zeroSectors: this.#zeroSectors(kind, data) });
    this.#length += this.#used - at;
  }

  #referToEntry({ kind, data }: LogEntry): void {
    const payloadBytes = ENTRY_PREFIX_BYTES + data.length;
    const paddingBytes = roundUp(payloadBytes, 8) - payloadBytes;
    const at = this.#reserve(FRAME_HEADER_BYTES + ENTRY_PREFIX_BYTES);
    const prefix = this.#bytes.subarray(at + FRAME_HEADER_BYTES, this.#used);
    this.#putPrefix(at + FRAME_HEADER_BYTES, kind);
    const payloadCrc = crc32c(zeroPadding.subarray(0, paddingBytes), crc32c(data, crc32c(prefix)));
    this.#putHeader(at, { type: FRAME_ENTRY, payloadBytes, payloadCrc, zeroSectors: this.#zeroSectors(kind, data) });
    this.#endChunk();
    this.#chunks.push(data);
    this.#length += FRAME_HEADER_BYTES + payloadBytes;
    this.#fill(paddingBytes);
  }

  #zeroSectors(kind: EntryKind, data: Uint8Array): number {
    return zeroSectorsOf(data, this.#length + FRAME_HEADER_BYTES, entryKinds.indexOf(kind) === 0);
  }

  #putPrefix(at: number, kind: EntryKind): void {
    this.#view.setUint32(at, entryKinds.indexOf(kind), true);
    this.#view.setUint32(at + 4, 0, true);
  }

  /** Makes room in the buffer for bytes that stand together, and returns where. */
  #reserve(countBytes: number): number {
    if (this.#used + countBytes > this.#bytes.length) {
      this.#endChunk();
      this.#bytes = new Uint8Array(Math.max(countBytes, Math.min(2 * this.#bytes.length, BUFFER_BYTES_MAX)));
      this.#view = viewOf(this.#bytes);
      this.#used = 0;
      this.#chunked = 0;
    }
    const at = this.#used;
    this.#used += countBytes;
    return at;
  }

  #fill(zeros: number): void {
    const at = this.#reserve(zeros);
    this.#bytes.fill(0, at, this.#used);
    this.#length += zeros;
  }

  #endChunk(): void {
    if (this.#used > this.#chunked) this.#chunks.push(this.#bytes.subarray(this.#chunked, this.#used));
    this.#chunked = this.#used;
  }

  /** Writes the header in front of a payload that is in the buffer, and so ends a frame. */
  #close(at: number, type: number, payloadBytes: number, flags = 0): void {
    const payload = this.#bytes.subarray(at + FRAME_HEADER_BYTES, this.#used);
    this.#putHeader(at, { type, payloadBytes, payloadCrc: crc32c(payload), zeroSectors: 0 }, flags);
    this.#length += this.#used - at;
  }

  #putHeader(at: number, { type, payloadBytes, payloadCrc, zeroSectors }: Payload, flags = 0): void {
    // Named one by one: a spread of the payload's fields costs more than all the rest.
    this.#previousCrc = encodeFrameHeader(this.#bytes, this.#view, at, this.#start.saltCrc, {
      payloadBytes,
      payloadCrc,
      seq: this.#seq,
      durableSeq: this.#start.durableSeq,
      index: this.#index,
      term: this.#term,
      previousCrc: this.#previousCrc,
      type,
      flags: flags | (this.#length === 0 ? FLAG_FIRST : 0),
      zeroSectors,
      offset: this.#start.offset + this.#length,
    });
    this.#seq += 1;
  }
}
