/** What all files of the format share. Little-endian; the byte layouts are in docs/log-format.md. */

/** Version written, and the highest version read. */
export const FORMAT_VERSION = 1;
/** A batch begins on a new page and a synced page is never written again. */
export const PAGE_BYTES = 4096;
/** What a disk writes whole or not at all. */
export const SECTOR_BYTES = 512;
/** Offset of the first frame of a segment, after its two header pages. */
export const FRAMES_OFFSET = 2 * PAGE_BYTES;
/** Largest entry data. */
export const ENTRY_BYTES_MAX = 16 * 1024 * 1024;

/** What a directory and each file in it belongs to. */
export interface Identity {
  readonly clusterId: bigint;
  readonly memberId: bigint;
}

/** A store is the data of a member since its directory was made. A member that is added again with an empty one has another store. */
export interface StoreIdentity extends Identity {
  /** Random, not 0; drawn when the store is made and never changed. Peers notice by it that a member lost what it acknowledged. */
  readonly storeId: bigint;
}

/** A place in the log: entries at the same position are the same, and so is everything before them. */
export interface LogPosition {
  readonly index: number;
  readonly term: number;
}

export function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

/** `value` as 16 hex digits, as in file names. */
export function hex16(value: number | bigint): string {
  return value.toString(16).padStart(16, "0");
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Writes a safe integer as u64. */
export function setU64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value >>> 0, true);
  view.setUint32(offset + 4, (value / 0x1_0000_0000) >>> 0, true);
}

/** Reads a u64; -1 if it is no safe integer, which no writer produces. */
export function getU64(view: DataView, offset: number): number {
  const high = view.getUint32(offset + 4, true);
  return high > 0x1f_ffff ? -1 : high * 0x1_0000_0000 + view.getUint32(offset, true);
}

export function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] !== 0) return false;
  return true;
}

/** Writes ASCII `text` at `offset`. */
export function setText(bytes: Uint8Array, offset: number, text: string): void {
  for (let at = 0; at < text.length; at++) bytes[offset + at] = text.charCodeAt(at);
}

export function hasText(bytes: Uint8Array, offset: number, text: string): boolean {
  for (let at = 0; at < text.length; at++) if (bytes[offset + at] !== text.charCodeAt(at)) return false;
  return true;
}
