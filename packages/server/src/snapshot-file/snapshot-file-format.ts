/**
 * The file that `Maintenance.Snapshot` streams, format 1 (docs/snapshot-file.md). Everything is big-endian.
 *
 *     +---------------+-------------------------------+-------------------+-----------------+----------------------------+
 *     | header (512)  | state, as members exchange it | zeros, up to 8    | bytes of the    | SHA-256 of all before (32) |
 *     |               |                               | before a 512      | state (8)       |                            |
 *     +---------------+-------------------------------+-------------------+-----------------+----------------------------+
 *
 *     offset   0           8            12      16               24              32         40        48
 *     header   "RaftKVsf" | format u32 | 0 u32 | cluster id u64 | member id u64 | index u64 | term u64 | revision u64
 *     offset   56                    64        72               80
 *              compact revision u64 | keys u64 | zeros
 */
const snapshotFileFormat = 1;
export const headerBytes = 512;
export const sumBytes = 32;
const sizeBytes = 8;
/** etcd's tools take no file whose size is not a multiple of it and a sum. */
const blockBytes = 512;
/** What may stand behind the state. */
export const tailBytesMax = blockBytes - 1 + sizeBytes + sumBytes;

const magic = "RaftKVsf";

/** A file that is none of ours, of a newer format, cut off or damaged. The message says which. */
export class SnapshotFileError extends Error {
  override readonly name = "SnapshotFileError";
}

export interface SnapshotFileHeader {
  readonly clusterId: bigint;
  /** Who wrote it. */
  readonly memberId: bigint;
  /** Of the last log entry that is in the state. */
  readonly index: number;
  /** In which the file was written. */
  readonly term: number;
  readonly revision: number;
  /** -1 if the store was never compacted. */
  readonly compactRevision: number;
  readonly keyCount: number;
}

/** What stands between the state and the sum. */
export function encodeStateEnd(stateBytes: number): Uint8Array {
  const zeros = (blockBytes - ((stateBytes + sizeBytes) % blockBytes)) % blockBytes;
  const bytes = new Uint8Array(zeros + sizeBytes);
  new DataView(bytes.buffer).setBigUint64(zeros, BigInt(stateBytes));
  return bytes;
}

/** How long the state is, by what stands in front of the sum. `bytes` are the last of the file without the sum. Throws SnapshotFileError. */
export function decodeStateEnd(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return safeInteger(view.getBigUint64(bytes.length - sizeBytes), "bytes of the state");
}

/** Whether a file of this size can be whole. */
export function isWholeSize(fileBytes: number): boolean {
  return fileBytes >= headerBytes + blockBytes + sumBytes && fileBytes % blockBytes === sumBytes;
}

export function encodeSnapshotFileHeader(header: SnapshotFileHeader): Uint8Array {
  const bytes = new Uint8Array(headerBytes);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < magic.length; i++) bytes[i] = magic.charCodeAt(i);
  view.setUint32(8, snapshotFileFormat);
  view.setBigUint64(16, header.clusterId);
  view.setBigUint64(24, header.memberId);
  view.setBigUint64(32, BigInt(header.index));
  view.setBigUint64(40, BigInt(header.term));
  view.setBigUint64(48, BigInt(header.revision));
  view.setBigUint64(56, BigInt(header.compactRevision + 1));
  view.setBigUint64(64, BigInt(header.keyCount));
  return bytes;
}

/** `bytes` are the first `headerBytes` of the file. Throws SnapshotFileError. */
export function decodeSnapshotFileHeader(bytes: Uint8Array): SnapshotFileHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let i = 0; i < magic.length; i++) {
    if (bytes[i] !== magic.charCodeAt(i))
      throw new SnapshotFileError("This is no snapshot of RaftKV: the file does not begin with RaftKVsf");
  }
  const format = view.getUint32(8);
  if (format !== snapshotFileFormat) {
    throw new SnapshotFileError(`The snapshot has format ${format}, this version reads ${snapshotFileFormat}; use a newer one`);
  }
  const count = (offset: number, name: string): number => safeInteger(view.getBigUint64(offset), name);
  return {
    clusterId: view.getBigUint64(16),
    memberId: view.getBigUint64(24),
    index: count(32, "index"),
    term: count(40, "term"),
    revision: count(48, "revision"),
    compactRevision: count(56, "compact revision") - 1,
    keyCount: count(64, "keys"),
  };
}

function safeInteger(value: bigint, name: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new SnapshotFileError(`The snapshot is damaged: ${name} is ${value}`);
  return number;
}
