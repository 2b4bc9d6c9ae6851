import type { LogEntry } from "@raftkv/raft-core";
import { crc32c } from "./crc32c.ts";
import { ENTRY_BYTES_MAX, PAGE_BYTES, roundUp, setText, setU64, viewOf } from "./format.ts";
import {
  COMMIT_PAYLOAD_BYTES,
  COMMIT_TEXT,
  ENTRY_PREFIX_BYTES,
  entryKinds,
  FLAG_FIRST,
  FLAG_LAST,
  FRAME_COMMIT,
  FRAME_ENTRY,
  FRAME_HEADER_BYTES,
  FRAME_MAGIC,
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
    setU64(this.#view, at, this.#start.firstSeq);
    this.#view.setUint32(at + 8, this.#seq - this.#start.firstSeq, true);
    this.#view.setUint32(at + 12, 0, true);
    setU64(this.#view, at + 16, commitIndex);
    setU64(this.#view, at + 24, 0);
    setU64(this.#view, at + 32, Math.max(0, Math.floor(wallMs)));
    setText(this.#bytes, at + 40, COMMIT_TEXT);
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
    const view = this.#view;
    const at = this.#length;
    const end = at + frameBytes(payloadBytes);
    const payload = at + FRAME_HEADER_BYTES;
    view.setUint32(at, FRAME_MAGIC, true);
    view.setUint32(at + 8, payloadBytes, true);
    view.setUint32(at + 12, payloadBytes === 0 ? 0 : crc32c(this.#bytes.subarray(payload, end)), true);
    setU64(view, at + 16, this.#seq);
    setU64(view, at + 24, this.#start.durableSeq);
    setU64(view, at + 32, this.#index);
    setU64(view, at + 40, this.#term);
    view.setUint32(at + 48, this.#previousCrc, true);
    view.setUint8(at + 52, type);
    view.setUint8(at + 53, flags | (at === 0 ? FLAG_FIRST : 0));
    view.setUint16(at + 54, 0, true);
    setU64(view, at + 56, this.#start.offset + at);
    this.#previousCrc = crc32c(this.#bytes.subarray(at + 8, payload), this.#start.saltCrc);
    view.setUint32(at + 4, this.#previousCrc, true);
    this.#length = end;
    this.#seq += 1;
  }
}
