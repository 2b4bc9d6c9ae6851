import type { SnapshotMeta } from "@raftkv/raft-core";
import { configurationBytes, decodeConfiguration, encodeConfiguration } from "./configuration-section.ts";
import { crc32c } from "./crc32c.ts";
import { FORMAT_VERSION, getU64, hasText, isZero, type StoreIdentity, setText, setU64, viewOf } from "./format.ts";

export const SNAPSHOT_HEADER_BYTES = 4096;
export const CHUNK_HEADER_BYTES = 32;
export const FOOTER_BYTES = 64;
/** State in one chunk: its checksums take about 0.3 ms, then the event loop goes on. */
export const CHUNK_BYTES = 256 * 1024;
const CONFIGURATION_OFFSET = 128;
const HEADER_MAGIC = "RKVSNAP1";
const CHUNK_MAGIC = 0x31434b52;
const FOOTER_MAGIC = "RKVSNEND";

export type SnapshotKind = "own" | "installed";

export interface SnapshotHeader extends StoreIdentity {
  readonly kind: SnapshotKind;
  readonly meta: SnapshotMeta;
}

/**
 * Throws `ERR_SNAPSHOT` if the configuration does not fit.
 * ```
 * 0 magic 8 | 8 crc 4 (of 12..4095) | 12 format 2 | 14 kind 2 | 16 cluster | 24 member | 32 index | 40 term | 48 store
 * | 56..79 reserved | 80 chunk bytes 4 | 84 configuration bytes 4 | 88..127 reserved | 128 configuration
 * ```
 */
export function encodeSnapshotHeader(header: SnapshotHeader): Uint8Array {
  const bytes = new Uint8Array(SNAPSHOT_HEADER_BYTES);
  const view = viewOf(bytes);
  const { configuration } = header.meta;
  setText(bytes, 0, HEADER_MAGIC);
  view.setUint16(12, FORMAT_VERSION, true);
  view.setUint16(14, header.kind === "own" ? 0 : 1, true);
  view.setBigUint64(16, header.clusterId, true);
  view.setBigUint64(24, header.memberId, true);
  setU64(view, 32, header.meta.index);
  setU64(view, 40, header.meta.term);
  view.setBigUint64(48, header.storeId, true);
  view.setUint32(80, CHUNK_BYTES, true);
  view.setUint32(84, configurationBytes(configuration), true);
  encodeConfiguration(bytes.subarray(CONFIGURATION_OFFSET), configuration);
  view.setUint32(8, crc32c(bytes.subarray(12)), true);
  return bytes;
}

export type SnapshotHeaderResult =
  | { readonly kind: "valid"; readonly header: SnapshotHeader }
  | { readonly kind: "damaged" }
  | { readonly kind: "unknown"; readonly what: string };

export function decodeSnapshotHeader(bytes: Uint8Array): SnapshotHeaderResult {
  const view = viewOf(bytes);
  if (bytes.length < SNAPSHOT_HEADER_BYTES || !hasText(bytes, 0, HEADER_MAGIC)) return { kind: "damaged" };
  if (view.getUint32(8, true) !== crc32c(bytes.subarray(12, SNAPSHOT_HEADER_BYTES))) return { kind: "damaged" };
  const version = view.getUint16(12, true);
  if (version > FORMAT_VERSION) return { kind: "unknown", what: `format version ${version}` };
  const kind = view.getUint16(14, true);
  if (kind > 1) return { kind: "unknown", what: `snapshot kind ${kind}` };
  if (!isZero(bytes, 56, 80) || !isZero(bytes, 88, CONFIGURATION_OFFSET)) return { kind: "unknown", what: "fields in reserved bytes" };
  const configurationEnd = CONFIGURATION_OFFSET + view.getUint32(84, true);
  if (configurationEnd > SNAPSHOT_HEADER_BYTES || !isZero(bytes, configurationEnd, SNAPSHOT_HEADER_BYTES)) return { kind: "damaged" };
  const result = decodeConfiguration(bytes.subarray(CONFIGURATION_OFFSET, configurationEnd));
  if (result.kind !== "valid") return result;
  const meta: SnapshotMeta = { index: getU64(view, 32), term: getU64(view, 40), configuration: result.configuration };
  if (meta.index < 1 || meta.term < 1 || view.getUint32(80, true) !== CHUNK_BYTES) return { kind: "damaged" };
  const storeId = view.getBigUint64(48, true);
  if (storeId === 0n) return { kind: "damaged" };
  const identity = { clusterId: view.getBigUint64(16, true), memberId: view.getBigUint64(24, true), storeId };
  return { kind: "valid", header: { ...identity, kind: kind === 0 ? "own" : "installed", meta } };
}

export interface ChunkPlace {
  /** From 0 up. */
  readonly number: number;
  readonly offset: number;
  /** Header checksum of the chunk before, 0 for the first. */
  readonly previousCrc: number;
}

/**
 * Writes the 32-byte header in front of a payload and returns its checksum.
 * ```
 * 0 magic 'RKC1' | 4 crc (of 8..31) | 8 number 4 | 12 payload bytes 4 | 16 payload crc 4 | 20 crc of the chunk before 4 | 24 offset 8
 * ```
 */
export function encodeChunkHeader(chunk: Uint8Array, payloadBytes: number, place: ChunkPlace): number {
  const view = viewOf(chunk);
  view.setUint32(0, CHUNK_MAGIC, true);
  view.setUint32(8, place.number, true);
  view.setUint32(12, payloadBytes, true);
  view.setUint32(16, crc32c(chunk.subarray(CHUNK_HEADER_BYTES, CHUNK_HEADER_BYTES + payloadBytes)), true);
  view.setUint32(20, place.previousCrc, true);
  setU64(view, 24, place.offset);
  const crc = crc32c(chunk.subarray(8, CHUNK_HEADER_BYTES));
  view.setUint32(4, crc, true);
  return crc;
}

export interface ChunkHeader {
  readonly crc: number;
  readonly payloadBytes: number;
  readonly payloadCrc: number;
}

/** The header at the beginning of `bytes` if it is sound and belongs to `place`. */
export function decodeChunkHeader(bytes: Uint8Array, place: ChunkPlace): ChunkHeader | null {
  if (bytes.length < CHUNK_HEADER_BYTES) return null;
  const view = viewOf(bytes);
  const crc = view.getUint32(4, true);
  const payloadBytes = view.getUint32(12, true);
  const sound =
    view.getUint32(0, true) === CHUNK_MAGIC &&
    crc === crc32c(bytes.subarray(8, CHUNK_HEADER_BYTES)) &&
    view.getUint32(8, true) === place.number &&
    view.getUint32(20, true) === place.previousCrc &&
    getU64(view, 24) === place.offset &&
    payloadBytes <= CHUNK_BYTES;
  return sound ? { crc, payloadBytes, payloadCrc: view.getUint32(16, true) } : null;
}

export interface SnapshotFooter {
  readonly chunks: number;
  /** Bytes of state. */
  readonly payloadBytes: number;
  readonly fileBytes: number;
  /** Of everything before the footer. */
  readonly sha256: Uint8Array;
}

/** ``` 0 magic 8 | 8 crc 4 (of 12..63) | 12 chunks 4 | 16 payload bytes | 24 file bytes | 32 SHA-256 32 ``` */
export function encodeFooter(footer: SnapshotFooter): Uint8Array {
  const bytes = new Uint8Array(FOOTER_BYTES);
  const view = viewOf(bytes);
  setText(bytes, 0, FOOTER_MAGIC);
  view.setUint32(12, footer.chunks, true);
  setU64(view, 16, footer.payloadBytes);
  setU64(view, 24, footer.fileBytes);
  bytes.set(footer.sha256, 32);
  view.setUint32(8, crc32c(bytes.subarray(12)), true);
  return bytes;
}

export function decodeFooter(bytes: Uint8Array): SnapshotFooter | null {
  if (bytes.length !== FOOTER_BYTES || !hasText(bytes, 0, FOOTER_MAGIC)) return null;
  const view = viewOf(bytes);
  if (view.getUint32(8, true) !== crc32c(bytes.subarray(12))) return null;
  const [payloadBytes, fileBytes] = [getU64(view, 16), getU64(view, 24)];
  if (payloadBytes < 0 || fileBytes < 0) return null;
  return { chunks: view.getUint32(12, true), payloadBytes, fileBytes, sha256: bytes.slice(32) };
}
