import type { LogEntry } from "@raftkv/raft-core";
import type { LogStore } from "@raftkv/raft-node";
import { chunksOf, hardState, openTestStore, snapshotMeta, testBytes, testEntry } from "./fixture.ts";
import { MemoryDisk } from "./memory-disk.ts";

/** What a directory holds before it is damaged: entries of 600 bytes, two in term 1, the others in term 2, with a vote for 3. */
export interface SoundDirectory {
  readonly disk: MemoryDisk;
  readonly entries: readonly LogEntry[];
}

export interface SoundDirectoryOptions {
  /** Entries from 1 on; four batches make a segment. */
  readonly lastIndex: number;
  /** Own snapshots, each made when the log ends one entry later. */
  readonly snapshots?: readonly number[];
  /** Killed, so that nothing proves the last batch; else closed. */
  readonly isKilled?: boolean;
}

/** A member's directory after one life, with one entry in each batch. */
export async function makeSoundDirectory({ lastIndex, snapshots = [], isKilled = false }: SoundDirectoryOptions): Promise<SoundDirectory> {
  const disk = new MemoryDisk();
  const store = await openTestStore(disk, { seed: 1 });
  const entries = Array.from({ length: lastIndex }, (_, at) => testEntry(at + 1, at < 2 ? 1 : 2, 600));
  for (const entry of entries) {
    await store.append({ hardState: hardState(entry.term, 3, entry.index - 1), entries: [entry] });
    const saved = snapshots.find((index) => index === entry.index - 1);
    if (saved === undefined) continue;
    await store.saveSnapshot(snapshotMeta(saved, saved < 3 ? 1 : 2), chunksOf(snapshotState(saved)));
    await store.compact(saved);
  }
  if (isKilled) return { disk: disk.afterKill(), entries };
  await store.close();
  return { disk, entries };
}

/** The state of a snapshot that `makeSoundDirectory` saves. */
export function snapshotState(index: number): Uint8Array {
  return testBytes(200, index);
}

/** Changes one byte of a file, durably. */
export function spoil(disk: MemoryDisk, path: string, offset: number): void {
  const bytes = disk.peek(path);
  disk.poke(path, bytes.with(offset, (bytes[offset] ?? 0) ^ 0x10));
}

/** Index of the first entry that is not there or not the same, of those that were acknowledged after the store's snapshot. */
export function firstMissing({ recovered }: LogStore, acknowledged: readonly LogEntry[]): number {
  const found = new Map(recovered.entries.map((entry) => [entry.index, entry]));
  const missing = acknowledged.find((entry) => {
    if (entry.index <= (recovered.snapshot?.index ?? 0)) return false;
    const other = found.get(entry.index);
    return other?.term !== entry.term || Buffer.compare(other.data, entry.data) !== 0;
  });
  return missing?.index ?? acknowledged.length + 1;
}
