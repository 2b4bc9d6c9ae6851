import type { EntryKind, LogEntry } from "@raftkv/raft-core";
import { crc32c } from "./crc32c.ts";
import { ENTRY_BYTES_MAX, getU64, roundUp } from "./format.ts";

/**
 * ```
 * 0 magic 'RKF1' | 4 header crc (salt, then 8..63) | 8 payload bytes | 12 payload crc (payload and padding, 0 for none) | 16 seq 8
 * | 24 durable seq 8 | 32 index 8 | 40 term 8 | 48 header crc of the frame before | 52 type 1 | 53 flags 1 | 54 reserved 2
 * | 56 offset in the file 8
 * ```
 * The payload follows, padded with zeros to a multiple of 8.
 */
export const FRAME_HEADER_BYTES = 64;
/** `RKF1`, little-endian. */
export const FRAME_MAGIC = 0x31464b52;
/** Kind and padding in front of an entry's data. */
export const ENTRY_PREFIX_BYTES = 8;
export const OPEN_PAYLOAD_BYTES = 40;
export const COMMIT_PAYLOAD_BYTES = 48;
export const MARK_PAYLOAD_BYTES = 48;
export const COMMIT_TEXT = "RKVBATCH";
const PAYLOAD_BYTES_MAX = ENTRY_PREFIX_BYTES + ENTRY_BYTES_MAX;

export const FRAME_ENTRY = 1;
export const FRAME_COMMIT = 2;
export const FRAME_TRUNCATE = 4;
export const FRAME_MARK = 5;
export const FRAME_OPEN = 6;

export const FLAG_FIRST = 1;
export const FLAG_LAST = 2;

/** Why a segment was begun. */
export type OpenReason = "rotate" | "restart" | "install" | "first";
export const openReasons: readonly OpenReason[] = ["rotate", "restart", "install", "first"];
export const entryKinds: readonly EntryKind[] = ["command", "configuration", "empty"];

/** First frame of a segment: which one it follows and where the log stands. */
export interface OpenRecord {
  readonly type: "open";
  readonly reason: OpenReason;
  /** 0 for none. */
  readonly previousSegment: number;
  /** Frames of the previous segment above it are superseded. */
  readonly previousSeq: number;
  readonly baseIndex: number;
  readonly baseTerm: number;
}

/** A snapshot file that is in force from here on. */
export interface SnapshotMark {
  readonly type: "mark";
  readonly kind: "own" | "installed";
  readonly index: number;
  readonly term: number;
  readonly fileBytes: number;
  readonly sha256: Uint8Array;
}

/** What a segment says about the log, in order. */
export type LogRecord =
  | OpenRecord
  | SnapshotMark
  | { readonly type: "entry"; readonly entry: LogEntry }
  /** The log ends at `index`, whose term is `term`. */
  | { readonly type: "truncate"; readonly index: number; readonly term: number };

export interface FrameHeader {
  readonly headerCrc: number;
  readonly payloadBytes: number;
  readonly payloadCrc: number;
  readonly seq: number;
  /** Highest seq known durable when the frame was built: whatever is at or below it must be there. */
  readonly durableSeq: number;
  readonly index: number;
  readonly term: number;
  readonly previousCrc: number;
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
}

/** Bytes of a frame in the file. */
export function frameBytes(payloadBytes: number): number {
  return FRAME_HEADER_BYTES + roundUp(payloadBytes, 8);
}

export function saltCrcOf(salt: Uint8Array): number {
  return crc32c(salt);
}

/**
 * The frame header at `at`, null if there is no sound one. Only the header is checked: `payloadBytes` is limited but may reach
 * beyond the file. `view` is over the same bytes as `file`.
 */
export function decodeFrameHeader(file: Uint8Array, view: DataView, at: number, saltCrc: number): FrameHeader | null {
  if (at + FRAME_HEADER_BYTES > file.length || view.getUint32(at, true) !== FRAME_MAGIC) return null;
  const headerCrc = view.getUint32(at + 4, true);
  if (headerCrc !== crc32c(file.subarray(at + 8, at + FRAME_HEADER_BYTES), saltCrc)) return null;
  const header: FrameHeader = {
    headerCrc,
    payloadBytes: view.getUint32(at + 8, true),
    payloadCrc: view.getUint32(at + 12, true),
    seq: getU64(view, at + 16),
    durableSeq: getU64(view, at + 24),
    index: getU64(view, at + 32),
    term: getU64(view, at + 40),
    previousCrc: view.getUint32(at + 48, true),
    type: view.getUint8(at + 52),
    flags: view.getUint8(at + 53),
    offset: getU64(view, at + 56),
  };
  const sound =
    header.offset === at &&
    header.payloadBytes <= PAYLOAD_BYTES_MAX &&
    header.seq > header.durableSeq &&
    header.durableSeq >= 0 &&
    header.index >= 0 &&
    header.term >= 0 &&
    view.getUint16(at + 54, true) === 0;
  return sound ? header : null;
}
