import type { LogEntry } from "@raftkv/raft-core";
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
  frameBytes,
  MARK_PAYLOAD_BYTES,
  OPEN_PAYLOAD_BYTES,
  type OpenRecord,
  openReasons,
  type SnapshotMark,
} from "./frame.ts";
import { assert } from "./log-store-error.ts";

/** Kept between batches; a larger batch gets a buffer of its own. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024;

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
  /** Whole pages. Valid until the next batch is begun. */
  readonly bytes: Uint8Array;
  readonly lastSeq: number;
  readonly lastCrc: number;
  /** Last log index after the batch. */
  readonly index: number;
  /** Entries in the batch. */
  readonly entries: number;
}

/**
 * Builds the bytes of one batch: frames one after another, closed by a COMMIT frame, zeros to the end of the page. Entry data is
 * copied once, into the buffer that is written.
 */
export class BatchEncoder {
  #bytes = new Uint8Array(64 * 1024);
  #view = viewOf(this.#bytes);
  #length = 0;
  #start: BatchStart = { saltCrc: 0, offset: 0, firstSeq: 0, durableSeq: 0, previousCrc: 0, index: 0, term: 0 };
  #seq = 0;
  #previousCrc = 0;
  #index = 0;
  #term = 0;
  #entries = 0;

  /** `bytesMax`: upper bound of the batch's size. */
  begin(start: BatchStart, bytesMax: number): void {
    assert(start.offset % PAGE_BYTES === 0, "A batch begins on a page");
    const capacity = roundUp(bytesMax, PAGE_BYTES);
    if (this.#bytes.length < capacity || this.#bytes.length > KEPT_BYTES_MAX) {
      this.#bytes = new Uint8Array(Math.max(capacity, Math.min(2 * this.#bytes.length, KEPT_BYTES_MAX)));
      this.#view = viewOf(this.#bytes);
    }
    this.#start = start;
    this.#length = 0;
    this.#seq = start.firstSeq;
    this.#previousCrc = start.previousCrc;
    this.#index = start.index;
    this.#term = start.term;
    this.#entries = 0;
  }

  addOpen(open: OpenRecord): void {
    const at = this.#payloadOf(OPEN_PAYLOAD_BYTES);
    setU64(this.#view, at, open.previousSegment);
    setU64(this.#view, at + 8, open.previousSeq);
    setU64(this.#view, at + 16, open.baseIndex);
    setU64(this.#view, at + 24, open.baseTerm);
    this.#view.setUint32(at + 32, 1 + openReasons.indexOf(open.reason), true);
    this.#view.setUint32(at + 36, 0, true);
    this.#index = open.baseIndex;
    this.#term = open.baseTerm;
    this.#close(FRAME_OPEN, OPEN_PAYLOAD_BYTES, 0);
  }

  addEntry(entry: LogEntry): void {
    assert(entry.index === this.#index + 1, "Entries leave no gap");
    assert(entry.term >= this.#term && entry.term > 0, "Entry terms never go back");
    assert(entry.data.length <= ENTRY_BYTES_MAX, "Entry data is at most 16 MiB");
    const payloadBytes = ENTRY_PREFIX_BYTES + entry.data.length;
    const at = this.#payloadOf(payloadBytes);
    this.#view.setUint32(at, entryKinds.indexOf(entry.kind), true);
    this.#view.setUint32(at + 4, 0, true);
    this.#bytes.set(entry.data, at + ENTRY_PREFIX_BYTES);
    this.#bytes.fill(0, at + payloadBytes, at + roundUp(payloadBytes, 8));
    this.#index = entry.index;
    this.#term = entry.term;
    this.#entries += 1;
    this.#close(FRAME_ENTRY, payloadBytes, 0);
  }

  addTruncate(index: number, term: number): void {
    this.#payloadOf(0);
    this.#index = index;
    this.#term = term;
    this.#close(FRAME_TRUNCATE, 0, 0);
  }

  /** A mark stands beside the log: it names the snapshot's position, not the log's end. */
  addMark(mark: SnapshotMark): void {
    const at = this.#payloadOf(MARK_PAYLOAD_BYTES);
    const { index, term } = { index: this.#index, term: this.#term };
    this.#view.setUint32(at, mark.kind === "own" ? 0 : 1, true);
    this.#view.setUint32(at + 4, 0, true);
    setU64(this.#view, at + 8, mark.fileBytes);
    this.#bytes.set(mark.sha256, at + 16);
    this.#index = mark.index;
    this.#term = mark.term;
    this.#close(FRAME_MARK, MARK_PAYLOAD_BYTES, 0);
    this.#index = index;
    this.#term = term;
  }

  /** Closes the batch. `commitIndex` is a hint; `wallMs` is for people. */
  finish(commitIndex: number, wallMs: number): EncodedBatch {
    const at = this.#payloadOf(COMMIT_PAYLOAD_BYTES);
    const { firstSeq } = this.#start;
    encodeCommit(this.#bytes.subarray(at, at + COMMIT_PAYLOAD_BYTES), { firstSeq, frames: this.#seq - firstSeq, commitIndex, wallMs });
    this.#close(FRAME_COMMIT, COMMIT_PAYLOAD_BYTES, FLAG_LAST);
    const end = roundUp(this.#length, PAGE_BYTES);
    this.#bytes.fill(0, this.#length, end);
    return {
      bytes: this.#bytes.subarray(0, end),
      lastSeq: this.#seq - 1,
      lastCrc: this.#previousCrc,
      index: this.#index,
      entries: this.#entries,
    };
  }

  /** Where the payload of the next frame goes. */
  #payloadOf(payloadBytes: number): number {
    assert(this.#length + frameBytes(payloadBytes) <= this.#bytes.length, "A batch stays within the size it was begun with");
    return this.#length + FRAME_HEADER_BYTES;
  }

  /** Writes the header in front of a payload that is in place. */
  #close(type: number, payloadBytes: number, flags: number): void {
    const at = this.#length;
    const end = at + frameBytes(payloadBytes);
    this.#previousCrc = encodeFrameHeader(this.#bytes, this.#view, at, this.#start.saltCrc, {
      payloadBytes,
      payloadCrc: payloadBytes === 0 ? 0 : crc32c(this.#bytes.subarray(at + FRAME_HEADER_BYTES, end)),
      seq: this.#seq,
      durableSeq: this.#start.durableSeq,
      index: this.#index,
      term: this.#term,
      previousCrc: this.#previousCrc,
      type,
      flags: flags | (at === 0 ? FLAG_FIRST : 0),
      offset: this.#start.offset + at,
    });
    this.#length = end;
    this.#seq += 1;
  }
}
