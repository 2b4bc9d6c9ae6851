import { crc32c } from "./crc32c.ts";
import { PAGE_BYTES, viewOf } from "./format.ts";
import {
  COMMIT_PAYLOAD_BYTES,
  decodeCommit,
  decodeFrameHeader,
  encodeCommit,
  encodeFrameHeader,
  FLAG_FIRST,
  FLAG_LAST,
  FLAG_SEAL_COPY,
  FRAME_HEADER_BYTES,
  FRAME_SEAL,
  type FrameHeader,
} from "./frame.ts";

/** A seal is two pages, each with one frame. */
export const SEAL_BYTES = 2 * PAGE_BYTES;

/** What comes before a frame: its seq and header checksum, and where the log ends. */
export interface FramePosition {
  readonly seq: number;
  readonly crc: number;
  readonly index: number;
  readonly term: number;
}

/** What a seal says that its place does not. */
export interface SealFields {
  /** Proven by the seal: it was durable when the seal was built. */
  readonly durableSeq: number;
  readonly commitIndex: number;
  readonly wallMs: number;
}

export interface Seal {
  readonly fields: SealFields;
  readonly lastSeq: number;
  readonly lastCrc: number;
}

/**
 * Both pages of a seal at `offset`. Each is a batch of its own, made of one SEAL frame; they say the same, so that one bad block of the
 * disk takes neither the proof nor a link of the chain of checksums.
 * ```
 * | data batch ... 0 0 | SEAL seq n, flags 1 2 ... 0 0 | SEAL seq n + 1, flags 1 2 8 ... 0 0 | next batch
 *                        ◄────────── page ───────────► ◄────────────── page ────────────►
 * ```
 */
export function encodeSeal(
  fields: SealFields,
  before: FramePosition,
  place: { readonly offset: number; readonly saltCrc: number },
): { readonly pages: Uint8Array; readonly crcs: readonly [number, number] } {
  const pages = new Uint8Array(SEAL_BYTES);
  const view = viewOf(pages);
  const encode = (copy: 0 | 1, previousCrc: number): number => {
    const at = copy * PAGE_BYTES;
    const payload = at + FRAME_HEADER_BYTES;
    const seq = before.seq + 1 + copy;
    encodeCommit(pages, view, payload, { firstSeq: seq, frames: 1, commitIndex: fields.commitIndex, wallMs: fields.wallMs });
    return encodeFrameHeader(pages, view, at, place.saltCrc, {
      payloadBytes: COMMIT_PAYLOAD_BYTES,
      payloadCrc: crc32c(pages.subarray(payload, payload + COMMIT_PAYLOAD_BYTES)),
      seq,
      durableSeq: fields.durableSeq,
      index: before.index,
      term: before.term,
      previousCrc,
      type: FRAME_SEAL,
      flags: flagsOf(copy),
      zeroSectors: 0,
      offset: place.offset + at,
    });
  };
  const firstCrc = encode(0, before.crc);
  return { pages, crcs: [firstCrc, encode(1, firstCrc)] };
}

/**
 * The seal at `offset` that follows `before`, null if there is none. One sound page of the two is enough: it tells what the other one
 * must have been, and the checksums that link them tell that it was.
 */
export function readSeal(
  file: Uint8Array,
  before: FramePosition,
  place: { readonly offset: number; readonly saltCrc: number },
): Seal | null {
  const view = viewOf(file);
  const [first, second] = [0, 1].map((copy) => decodeFrameHeader(file, view, place.offset + copy * PAGE_BYTES, place.saltCrc));
  if (first?.type !== FRAME_SEAL && second?.type !== FRAME_SEAL) return null;
  const fields = fieldsOf(file, first ?? null, 0) ?? fieldsOf(file, second ?? null, 1);
  if (fields === null) return null;
  const { crcs } = encodeSeal(fields, before, place);
  // A header that is sound stands where it was written, so it must be the one that belongs there.
  if (![first, second].every((header, copy) => (header ?? null) === null || header?.headerCrc === crcs[copy])) return null;
  return { fields, lastSeq: before.seq + 2, lastCrc: crcs[1] };
}

function fieldsOf(file: Uint8Array, header: FrameHeader | null, copy: 0 | 1): SealFields | null {
  if (header?.type !== FRAME_SEAL || header.flags !== flagsOf(copy) || header.payloadBytes !== COMMIT_PAYLOAD_BYTES) return null;
  const at = header.offset + FRAME_HEADER_BYTES;
  const payload = file.subarray(at, at + COMMIT_PAYLOAD_BYTES);
  if (header.payloadCrc !== crc32c(payload)) return null;
  const commit = decodeCommit(payload);
  if (commit === null || commit.firstSeq !== header.seq || commit.frames !== 1) return null;
  return { durableSeq: header.durableSeq, commitIndex: commit.commitIndex, wallMs: commit.wallMs };
}

function flagsOf(copy: 0 | 1): number {
  return FLAG_FIRST | FLAG_LAST | (copy === 0 ? 0 : FLAG_SEAL_COPY);
}
