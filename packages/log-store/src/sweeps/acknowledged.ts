import type { LogEntry } from "@raftkv/raft-core";
import type { LogStore } from "@raftkv/raft-node";

/** What a member promised to hold: it must be there, or the store must know that it may be gone. */
export interface Acknowledged {
  readonly term: number;
  readonly vote: number;
  /** By index, from 1 to the last one. */
  readonly entries: ReadonlyMap<number, LogEntry>;
  /** What stood in the log and was replaced by entries of a later term. */
  readonly replaced: readonly LogEntry[];
  /** Highest index that something written later, or a seal, proves to have been synced. */
  readonly provenIndex: number;
  /** State by the index of its snapshot. */
  readonly snapshots: ReadonlyMap<number, Uint8Array>;
}

/** A store that is not what it was and does not know it. */
export class Lie extends Error {
  override readonly name = "Lie";
}

function isSame(found: LogEntry, expected: LogEntry | undefined): boolean {
  if (found.index !== expected?.index || found.term !== expected.term || found.kind !== expected.kind) return false;
  return Buffer.compare(found.data, expected.data) === 0;
}

/** Throws if the snapshot that a store hands out is not one that the member had. */
export async function checkSnapshot(store: LogStore, { snapshots }: Acknowledged): Promise<void> {
  const index = store.recovered.snapshot?.index ?? 0;
  const reader = await store.readSnapshot();
  if (reader === null) {
    if (index > 0) throw new Lie(`names the snapshot ${index} and does not have it`);
    return;
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of reader.chunks()) chunks.push(chunk);
  await reader.close();
  const expected = snapshots.get(reader.meta.index);
  if (expected === undefined) throw new Lie(`hands out a snapshot at ${reader.meta.index}, there never was one`);
  if (!Buffer.concat(chunks).equals(expected)) throw new Lie(`the snapshot at ${reader.meta.index} holds something else`);
}

/**
 * The first index at which an opened store does not have what was acknowledged last, above the last one if it has all. What comes after
 * it was in the log once. Throws if that is not so, or if term, vote or snapshot are not what was acknowledged.
 */
export async function firstMissing(store: LogStore, acknowledged: Acknowledged): Promise<number> {
  const { hardState, snapshot, entries } = store.recovered;
  const { term, vote, replaced } = acknowledged;
  if (hardState.term !== term || hardState.vote !== vote) {
    throw new Lie(`has term ${hardState.term} and vote ${hardState.vote}, acknowledged were ${term} and ${vote}`);
  }
  await checkSnapshot(store, acknowledged);
  const snapshotIndex = snapshot?.index ?? 0;
  const first = entries[0]?.index ?? snapshotIndex + 1;
  if (first > snapshotIndex + 1) throw new Lie(`the log begins at ${first} after a snapshot at ${snapshotIndex}`);
  let missing = Infinity;
  entries.forEach((entry, at) => {
    if (entry.index !== first + at) throw new Lie(`entry ${entry.index} stands at ${first + at}`);
    if (isSame(entry, acknowledged.entries.get(entry.index))) return;
    if (!replaced.some((older) => isSame(entry, older))) throw new Lie(`entry ${entry.index} is not what was acknowledged`);
    missing = Math.min(missing, entry.index);
  });
  return Math.min(missing, Math.max(first + entries.length, snapshotIndex + 1));
}
