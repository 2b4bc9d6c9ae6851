import type { LogEntry, SnapshotMeta } from "@raftkv/raft-core";
import { votersOnly } from "@raftkv/raft-core";
import { SeededRandom } from "@raftkv/raft-core/testing";

/** A place in a log. */
export interface LogPosition {
  readonly index: number;
  readonly term: number;
}

/** A call on a log store. What entries and snapshots hold follows from their index and term, so that whoever reads them back can judge them. */
export type StorageWork =
  /** Replaces everything from `first` on with `count` entries of `term`; only term and vote if there are none. */
  | { readonly kind: "append"; readonly term: number; readonly vote: number; readonly first: number; readonly count: number }
  | { readonly kind: "save"; readonly at: LogPosition }
  | { readonly kind: "install"; readonly at: LogPosition; readonly vote: number }
  | { readonly kind: "compact"; readonly index: number };

/** One line of what a storage program tells: what it begins, before it begins it, and how it ended. */
export type StorageLine =
  | { readonly kind: "opened" }
  | { readonly kind: "begun"; readonly number: number; readonly work: StorageWork }
  | { readonly kind: "done"; readonly number: number }
  /** The store rejected the call. */
  | { readonly kind: "failed"; readonly number: number; readonly code: string; readonly message: string };

/** How a storage program ends if its storage failed, as `raftkv server` does. */
export const exitStorageFailed = 3;

const snapshotChunkBytes = 16 * 1024;
const configuration = votersOnly([1, 2, 3]);

export function entryAt({ index, term }: LogPosition): LogEntry {
  return { index, term, kind: "command", data: bytesOf(index, term, entryBytes(index, term)) };
}

export function entriesOf({ first, count, term }: { readonly first: number; readonly count: number; readonly term: number }): LogEntry[] {
  return Array.from({ length: count }, (_, at) => entryAt({ index: first + at, term }));
}

export function snapshotMetaAt({ index, term }: LogPosition): SnapshotMeta {
  return { index, term, configuration };
}

/** The state at this position. */
export function snapshotBytesAt({ index, term }: LogPosition): Uint8Array {
  return bytesOf(index, ~term, new SeededRandom(index * 31 + term).below(60_000));
}

export async function* snapshotChunksAt(at: LogPosition): AsyncGenerator<Uint8Array> {
  const bytes = snapshotBytesAt(at);
  for (let offset = 0; offset < bytes.length; offset += snapshotChunkBytes) yield bytes.subarray(offset, offset + snapshotChunkBytes);
}

/** Mostly small, now and then of several pages, seldom more than a segment of the test holds. */
function entryBytes(index: number, term: number): number {
  const random = new SeededRandom(index * 1_000_003 + term);
  if (random.oneIn(60)) return 20_000 + random.below(60_000);
  if (random.oneIn(12)) return 1_000 + random.below(12_000);
  return random.below(600);
}

function bytesOf(index: number, salt: number, length: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  let word = Math.imul(index, 0x9e37_79b1) ^ Math.imul(salt, 0x85eb_ca6b) ^ 0x2545_f491;
  for (let at = 0; at < words.length; at++) {
    // xorshift32
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    words[at] = word;
  }
  return new Uint8Array(words.buffer, 0, length);
}
