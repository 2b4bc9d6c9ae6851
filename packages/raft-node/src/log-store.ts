import type { HardState, LogEntry, LogIndex, QuarantineEvidence, SnapshotMeta, Term } from "@raftkv/raft-core";

/** What a store found when it was opened. */
export interface RecoveredLog {
  /** All zero at the first start. `commit` is a hint, at most the last index. */
  readonly hardState: HardState;
  /** The newest usable snapshot. */
  readonly snapshot: SnapshotMeta | null;
  /** Committed entries that lie between the snapshot and `entries`, still on the disk; null if there are none. */
  readonly replay: LogReplay | null;
  /** Without gaps; begins at or before `snapshot.index + 1`, or behind `replay`. */
  readonly entries: readonly LogEntry[];
  /** What the log behind the snapshot takes on the disk. */
  readonly logBytes: number;
  /** What was recorded when the member was quarantined, in this or an earlier life of the store; null for a healthy one. */
  readonly quarantine: QuarantineEvidence | null;
  /** Set until `endRepair` if the store lost, or may have lost, entries that it had acknowledged. Term and vote are sound. */
  readonly lost: LostEntries | null;
}

/** The part of a log that is not held in memory all at once. There is none without a snapshot, and none in a store that can't be trusted. */
export interface LogReplay {
  readonly last: { readonly index: LogIndex; readonly term: Term };
  /** From the snapshot on, without gaps, some at a time. Throws what a disk may do, and for what is not as it was when the store was opened. */
  entries(): AsyncIterable<readonly LogEntry[]>;
}

/** What damage took from a log: the member has a sound beginning of it, and may not vote before it has the rest again. */
export interface LostEntries {
  /** First index that may have been acknowledged and is gone. */
  readonly from: LogIndex;
  /** Which file, where and how, for people. */
  readonly description: string;
}

/** What an open store counted since it was opened. */
export interface LogStoreMetrics {
  /** Durable writes to the log, and what they held. */
  readonly batches: number;
  readonly entries: number;
  readonly bytes: number;
  /** How long durable writes to the log took: `counts[n]` of them at most `boundsMs[n]`, the last count those above all bounds. */
  readonly writeMs: { readonly boundsMs: readonly number[]; readonly counts: readonly number[]; readonly sumMs: number };
  /** Age of the durable write under way in milliseconds, 0 if there is none: a disk that hangs shows here first. */
  readonly writeAgeMs: number;
}

export interface LogBatch {
  readonly hardState: HardState | null;
  /** Replace everything stored at or above their first index. */
  readonly entries: readonly LogEntry[];
}

/** A snapshot being read; it is not removed before `close`. */
export interface SnapshotReader {
  readonly meta: SnapshotMeta;
  /** Bytes of state, as they were written. */
  readonly sizeBytes: number;
  /** May be called once. Throws if a checksum does not match. */
  chunks(): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/**
 * The durable half of a member. Only RaftNode calls it, from one event loop. Calls may overlap; appends become durable in the
 * order they were made, those that wait for the same disk are written together. The first failed write or sync is final: every
 * append from then on rejects, and nothing is retried.
 */
export interface LogStore {
  /**
   * A random u64, never 0, drawn when the store was made and kept for ever. A member that comes back with another one has lost what
   * it acknowledged: its store was emptied or replaced.
   */
  readonly storeId: bigint;
  readonly recovered: RecoveredLog;
  /** The recovered entries were taken over: from now on `recovered` has none and no replay, and does not keep them in memory. */
  releaseRecovered(): void;
  /** The failure that is final, null while there is none. The store may come upon it by itself, while nothing is asked of it. */
  readonly failure: Error | null;
  /** Resolves when the batch is durable. */
  append(batch: LogBatch): Promise<void>;
  /** Writes a snapshot of this member's own state; durable and in force when it resolves. The log stays as it is. */
  saveSnapshot(meta: SnapshotMeta, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** Stores a snapshot that a leader sends. It is complete, checked and synced when it resolves, but not in force. */
  receiveSnapshot(meta: SnapshotMeta, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** Puts a received snapshot in force: the log is dropped and goes on after `meta.index`. Ordered with the appends. */
  installSnapshot(meta: SnapshotMeta, hardState: HardState | null): Promise<void>;
  /** Forgets a received snapshot that was not installed. */
  discardSnapshot(meta: SnapshotMeta): Promise<void>;
  /** Opens the newest snapshot in force; null if there is none. */
  readSnapshot(): Promise<SnapshotReader | null>;
  /** Entries up to and including `index` are no longer needed. Called only for an index that a snapshot in force covers. */
  compact(index: LogIndex): Promise<void>;
  /**
   * Makes durable that this member can't stand by what it acknowledged. The first evidence stays, later calls change nothing; the store
   * never forgets it. Tried also after a write or sync has failed.
   */
  recordQuarantine(evidence: QuarantineEvidence): Promise<void>;
  /** Makes durable that the member has again everything it ever acknowledged (`recovered.lost`). */
  endRepair(): Promise<void>;
  metrics(): LogStoreMetrics;
  /** Finishes what is under way, syncs, releases the lock. */
  close(): Promise<void>;
}
