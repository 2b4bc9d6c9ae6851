import type { EntryKind, LogEntry } from "@raftkv/raft-core";
import { crc32c } from "./crc32c.ts";
import { ENTRY_BYTES_MAX, getU64, hasText, roundUp, setText, setU64, viewOf } from "./format.ts";
import { assert } from "./log-store-error.ts";

/**
 * ```
 * 0 magic 'RKF1' | 4 header crc (salt, then 8..63) | 8 payload bytes | 12 payload crc (payload and padding, 0 for none) | 16 seq 8
 * | 24 durable seq 8 | 32 index 8 | 40 term 8 | 48 header crc of the frame before | 52 type 1 | 53 flags 1 | 54 zero sectors 2
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
/** Of COMMIT and SEAL. */
export const COMMIT_PAYLOAD_BYTES = 48;
export const MARK_PAYLOAD_BYTES = 48;
const COMMIT_TEXT = "RKVBATCH";
const PAYLOAD_BYTES_MAX = ENTRY_PREFIX_BYTES + ENTRY_BYTES_MAX;

export const FRAME_ENTRY = 1;
export const FRAME_COMMIT = 2;
export const FRAME_SEAL = 3;
export const FRAME_TRUNCATE = 4;
export const FRAME_MARK = 5;
export const FRAME_OPEN = 6;

export const FLAG_FIRST = 1;
export const FLAG_LAST = 2;
/** The second of a pair of SEAL frames. */
export const FLAG_SEAL_COPY = 8;

/** Why a segment was begun. `repair`: the log before it was lost to damage, and begins anew at the base. */
export type OpenReason = "rotate" | "restart" | "install" | "first" | "repair";
export const openReasons: readonly OpenReason[] = ["rotate", "restart", "install", "first", "repair"];
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

/** What a writer says in a frame header. */
export interface FrameFields {
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
  /** Sectors that the payload fills with zeros: more than these were lost by a torn write. */
  readonly zeroSectors: number;
  readonly offset: number;
}

export interface FrameHeader extends FrameFields {
  readonly headerCrc: number;
}

/** Bytes of a frame in the file. */
export function frameBytes(payloadBytes: number): number {
  return FRAME_HEADER_BYTES + roundUp(payloadBytes, 8);
}

export function saltCrcOf(salt: Uint8Array): number {
  return crc32c(salt);
}

/** Writes the header at `at`, and returns its checksum. `view` is over the same bytes as `file`. */
export function encodeFrameHeader(file: Uint8Array, view: DataView, at: number, saltCrc: number, fields: FrameFields): number {
  view.setUint32(at, FRAME_MAGIC, true);
  view.setUint32(at + 8, fields.payloadBytes, true);
  view.setUint32(at + 12, fields.payloadCrc, true);
  setU64(view, at + 16, fields.seq);
  setU64(view, at + 24, fields.durableSeq);
  setU64(view, at + 32, fields.index);
  setU64(view, at + 40, fields.term);
  view.setUint32(at + 48, fields.previousCrc, true);
  view.setUint8(at + 52, fields.type);
  view.setUint8(at + 53, fields.flags);
  view.setUint16(at + 54, fields.zeroSectors, true);
  setU64(view, at + 56, fields.offset);
  const headerCrc = crc32c(file.subarray(at + 8, at + FRAME_HEADER_BYTES), saltCrc);
  view.setUint32(at + 4, headerCrc, true);
  return headerCrc;
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
    zeroSectors: view.getUint16(at + 54, true),
    offset: getU64(view, at + 56),
  };
  const sound =
    header.offset === at &&
    header.payloadBytes <= PAYLOAD_BYTES_MAX &&
    header.seq > header.durableSeq &&
    header.durableSeq >= 0 &&
    header.index >= 0 &&
    header.term >= 0;
  return sound ? header : null;
}

/** The kind of entry in the payload at `at`: undefined for one that is not known, null if this is no payload of an entry. */
export function readEntryKind(view: DataView, at: number, payloadBytes: number): EntryKind | undefined | null {
  if (payloadBytes < ENTRY_PREFIX_BYTES || view.getUint32(at + 4, true) !== 0) return null;
  return entryKinds[view.getUint32(at, true)];
}

/** What the frame at `at`, which was found sound, takes. */
export function frameBytesAt(view: DataView, at: number): number {
  return frameBytes(view.getUint32(at + 8, true));
}

/** The entry in a frame at `at` that was found sound. Its data stay where they are. */
export function readEntry(view: DataView, at: number): LogEntry {
  const payload = at + FRAME_HEADER_BYTES;
  const kind = readEntryKind(view, payload, view.getUint32(at + 8, true));
  assert(kind !== undefined && kind !== null, "A frame that was found sound has an entry");
  const dataBytes = view.getUint32(at + 8, true) - ENTRY_PREFIX_BYTES;
  const data = new Uint8Array(view.buffer, view.byteOffset + payload + ENTRY_PREFIX_BYTES, dataBytes);
  return { index: getU64(view, at + 32), term: getU64(view, at + 40), kind, data };
}

/** What a COMMIT or SEAL frame says. */
export interface CommitFields {
  /** Of the first frame of its batch. */
  readonly firstSeq: number;
  /** Frames of the batch before the COMMIT, or 1 for a SEAL, which is alone. */
  readonly frames: number;
  /** A hint: the highest commit index known. */
  readonly commitIndex: number;
  /** For people. */
  readonly wallMs: number;
}

/** Writes the payload of a COMMIT or SEAL frame at `at`. `view` is over the same bytes as `file`. */
export function encodeCommit(file: Uint8Array, view: DataView, at: number, fields: CommitFields): void {
  setU64(view, at, fields.firstSeq);
  view.setUint32(at + 8, fields.frames, true);
  view.setUint32(at + 12, 0, true);
  setU64(view, at + 16, fields.commitIndex);
  setU64(view, at + 24, 0);
  setU64(view, at + 32, Math.max(0, Math.floor(fields.wallMs)));
  setText(file, at + 40, COMMIT_TEXT);
}

/** Null if the payload is not one of a COMMIT or SEAL frame. */
export function decodeCommit(payload: Uint8Array): CommitFields | null {
  if (payload.length !== COMMIT_PAYLOAD_BYTES || !hasText(payload, 40, COMMIT_TEXT)) return null;
  const view = viewOf(payload);
  const fields = {
    firstSeq: getU64(view, 0),
    frames: view.getUint32(8, true),
    commitIndex: getU64(view, 16),
    wallMs: getU64(view, 32),
  };
  return Object.values(fields).includes(-1) ? null : fields;
}
