/**
 * The bytes of a snapshot, format 1. Everything is big-endian and depends on the records and the revision only, so members with
 * the same state write the same bytes. Integrity of the bytes is the storage's and the transport's business: there is no checksum.
 *
 *     snapshot = header, record *, end          each begins with a head of 40 bytes
 *
 *     offset     0          4          8           16           24         32      40
 *     header     "RaftKVst"            | format u32, 0 u32 | revision u64 | count u64 | 0 u64
 *     record     key length u32 | value length u32 | create revision u64 | mod revision u64 | version u64 | lease i64 | key | value
 *     end        0 u32 | 0 u32         | count u64  | bytes of all keys and values u64 | 0 u64 | 0 u64
 *
 * Records are in ascending key order. A key is never empty, which tells a record from the end.
 */
export const snapshotFormat = 1;
export const headBytes = 40;
/** Bytes of every chunk but the last, which may be shorter. */
export const snapshotChunkBytes = 256 * 1024;

/** "RaftKVst" in ASCII. */
export const magicHigh = 0x52616674;
export const magicLow = 0x4b567374;

/** A snapshot that can't be restored: cut off, damaged, or of a format this version does not know. */
export class SnapshotFormatError extends Error {
  override readonly name: string = "SnapshotFormatError";
}

export function writeSafeInteger(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, Math.floor(value / 2 ** 32));
  view.setUint32(offset + 4, value >>> 0);
}

/** @throws SnapshotFormatError if the value is above 2^53 - 1. */
export function readSafeInteger(view: DataView, offset: number, name: string): number {
  const value = view.getUint32(offset) * 2 ** 32 + view.getUint32(offset + 4);
  if (!Number.isSafeInteger(value)) throw new SnapshotFormatError(`${name} ${value} is above ${Number.MAX_SAFE_INTEGER}`);
  return value;
}
