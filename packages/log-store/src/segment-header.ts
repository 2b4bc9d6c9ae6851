import { crc32c } from "./crc32c.ts";
import {
  FORMAT_VERSION,
  FRAMES_OFFSET,
  getU64,
  hasText,
  isZero,
  PAGE_BYTES,
  type StoreIdentity,
  setText,
  setU64,
  viewOf,
} from "./format.ts";

export interface SegmentHeader extends StoreIdentity {
  /** From 1 up, never used again; the file name says the same. */
  readonly number: number;
  /** Goes into every frame checksum: frames of another segment do not verify. */
  readonly salt: Uint8Array;
  /** Exact size of the file. */
  readonly sizeBytes: number;
  readonly bootGeneration: number;
  /** For people. */
  readonly createdMs: number;
}

const HEADER_BYTES = 256;
const MAGIC = "RKVSEG01";
export const SALT_BYTES = 8;

/**
 * Both header pages.
 * ```
 * 0 magic 8 | 8 crc 4 (of 12..255) | 12 format 2 | 14 header bytes 2 | 16 cluster | 24 member | 32 number | 40 salt 8 | 48 copy 4
 * | 52 page bytes 4 | 56 file bytes | 64 boot generation | 72 created | 80 store | 88..255 reserved
 * ```
 */
export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const pages = new Uint8Array(FRAMES_OFFSET);
  for (const copy of [0, 1]) {
    const bytes = pages.subarray(copy * PAGE_BYTES, copy * PAGE_BYTES + HEADER_BYTES);
    const view = viewOf(bytes);
    setText(bytes, 0, MAGIC);
    view.setUint16(12, FORMAT_VERSION, true);
    view.setUint16(14, HEADER_BYTES, true);
    view.setBigUint64(16, header.clusterId, true);
    view.setBigUint64(24, header.memberId, true);
    setU64(view, 32, header.number);
    bytes.set(header.salt, 40);
    view.setUint32(48, copy, true);
    view.setUint32(52, PAGE_BYTES, true);
    setU64(view, 56, header.sizeBytes);
    setU64(view, 64, header.bootGeneration);
    setU64(view, 72, Math.floor(header.createdMs));
    view.setBigUint64(80, header.storeId, true);
    view.setUint32(8, crc32c(bytes.subarray(12)), true);
  }
  return pages;
}

export type SegmentHeaderResult =
  | { readonly kind: "valid"; readonly header: SegmentHeader }
  | { readonly kind: "damaged" }
  | { readonly kind: "unknown"; readonly version: number };

/** The sound copy at the beginning of a segment's bytes that says `number`, or else the first one. */
export function decodeSegmentHeader(file: Uint8Array, number: number): SegmentHeaderResult {
  const copies = [decodeCopy(file, 0), decodeCopy(file, 1)].filter(({ kind }) => kind !== "damaged");
  return copies.find((copy) => copy.kind === "valid" && copy.header.number === number) ?? copies[0] ?? { kind: "damaged" };
}

function decodeCopy(file: Uint8Array, copy: 0 | 1): SegmentHeaderResult {
  const bytes = file.subarray(copy * PAGE_BYTES, copy * PAGE_BYTES + HEADER_BYTES);
  if (bytes.length < HEADER_BYTES) return { kind: "damaged" };
  const view = viewOf(bytes);
  if (!hasText(bytes, 0, MAGIC) || view.getUint32(8, true) !== crc32c(bytes.subarray(12))) return { kind: "damaged" };
  const version = view.getUint16(12, true);
  if (version > FORMAT_VERSION || !isZero(bytes, 88, HEADER_BYTES)) return { kind: "unknown", version };
  const header: SegmentHeader = {
    clusterId: view.getBigUint64(16, true),
    memberId: view.getBigUint64(24, true),
    number: getU64(view, 32),
    salt: bytes.slice(40, 40 + SALT_BYTES),
    sizeBytes: getU64(view, 56),
    bootGeneration: getU64(view, 64),
    createdMs: getU64(view, 72),
    storeId: view.getBigUint64(80, true),
  };
  const shape = view.getUint16(14, true) === HEADER_BYTES && view.getUint32(48, true) === copy && view.getUint32(52, true) === PAGE_BYTES;
  const fields = header.number > 0 && header.sizeBytes > FRAMES_OFFSET && header.bootGeneration >= 0 && header.storeId !== 0n;
  return shape && fields ? { kind: "valid", header } : { kind: "damaged" };
}
