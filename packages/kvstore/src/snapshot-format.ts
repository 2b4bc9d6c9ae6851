/**
 * The bytes of a snapshot, format 3. Everything is big-endian and depends on the state only, so members with the same state write the
 * same bytes.
 *
 *     snapshot = header, section *, ( newest version, older version * ) *, end          each begins with a head of 56 bytes
 *
 *     offset   0                       8                  16           24             32            40        48            56
 *     header   "RaftKVst"            | format u32, 0 u32 | revision u64 | compacted u64 | events u64  | 0 u64   | 0 u32, sum u32
 *     section  1 u32, name length u32 | 0 u32, length u32 | 0 u64        | 0 u64         | 0 u64       | 0 u64   | 0 u64         | name | content
 *     newest   2 u32, key length u32 | value length u64  | create u64   | mod u64       | version u64 | lease i64 | event u64   | key | value
 *     older    3 u32, 0 u32          | value length u64  | create u64   | mod u64       | version u64 | lease i64 | event u64   | value
 *     end      4 u32, 0 u32          | versions u64      | keys u64     | payload u64   | 0 u64       | 0 u64   | 0 u32, sum u32
 *
 * `compacted` is the compact revision and 1 more, 0 for a store that was never compacted. `events` counts the changes since the compact revision,
 * those at it included, also those that the compaction gave up; `event` is the place of a version among them, from 1 on, and 0 for a
 * version that is older. Sections are state of other kinds, always the same ones in the same order, each in one or more pieces. Keys
 * ascend, versions of a key go from the newest to the oldest; a version 0 is a tombstone. Keys are those that are there, `payload` is
 * that of the store.
 *
 * The sum in the header is the CRC-32C of the bytes of the header in front of it, that in the end is over the whole snapshot.
 */
export const snapshotFormat = 3;
export const headBytes = 56;
/** Where the sum of a header or end is in its head. */
export const sumOffset = 52;
/** Bytes of a chunk, but of the last and those that would take too long to fill. */
export const snapshotChunkBytes = 256 * 1024;

/** "RaftKVst" in ASCII. */
export const magicHigh = 0x52616674;
export const magicLow = 0x4b567374;

/** What an item behind the header is, its first 32 bits. */
export const itemKinds = { section: 1, newest: 2, older: 3, end: 4 } as const;

/** A snapshot that can't be restored: cut off, damaged, or of a format this version does not know. */
export class SnapshotFormatError extends Error {
  override readonly name: string = "SnapshotFormatError";
}

/** @throws SnapshotFormatError */
export function refuse(sentence: string): never {
  throw new SnapshotFormatError(sentence);
}

export function writeSafeInteger(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, Math.floor(value / 2 ** 32));
  view.setUint32(offset + 4, value >>> 0);
}

/** @throws SnapshotFormatError if the value is above 2^53 - 1. */
export function readSafeInteger(view: DataView, offset: number, name: string): number {
  const value = view.getUint32(offset) * 2 ** 32 + view.getUint32(offset + 4);
  if (!Number.isSafeInteger(value)) refuse(`${name} ${value} is above ${Number.MAX_SAFE_INTEGER}`);
  return value;
}
