import type { LostEntries } from "@raftkv/raft-node";
import type { LogStoreErrorCode } from "./log-store-error.ts";

/**
 * What a start on a directory would come to.
 *
 * - `empty` nothing of a member is in it, as far as it tells: one would be made. A member that lost all its files looks the same.
 * - `sound` everything is there that was acknowledged.
 * - `repair` entries may be lost, now or since an earlier start: the member would take part without a vote until it has them again, and
 *   a member that is alone would not start.
 * - `quarantine` the member takes no part any more: its term and vote are lost, or it recorded that it lost what it acknowledged.
 * - `refused` the start would fail.
 */
export type DataOutcome = "empty" | "sound" | "repair" | "quarantine" | "refused";

/**
 * - `torn` ends in a batch that was never acknowledged: it would be cut off.
 * - `unused` sound, or not looked into, and a start would not need it.
 * - `foreign` of another member. `too new` of a later version.
 */
export type FileVerdict = "sound" | "torn" | "damaged" | "unused" | "foreign" | "too new";

export type FileKind = "meta" | "quarantine" | "segment" | "snapshot" | "reserve" | "temporary" | "damaged" | "other";

export interface FileReport {
  /** Below the directory, as in `wal/0000000000000001.wal`. */
  readonly path: string;
  readonly kind: FileKind;
  readonly sizeBytes: number;
  readonly verdict: FileVerdict;
  /** What it holds, or where and how it is damaged; may be empty. */
  readonly detail: string;
}

/** Ids are 16 hex digits. */
export interface MetaReport {
  readonly clusterId: string;
  readonly memberId: string;
  readonly storeId: string;
  readonly term: number;
  /** The low 53 bits of a member's id, which is what the log counts by; null for none. */
  readonly vote: string | null;
  /** Starts so far. */
  readonly bootGeneration: number;
  readonly lastSegment: number;
  /** The snapshot in force, 0 for none. */
  readonly snapshotIndex: number;
  /** First log index that an earlier start found to be lost, 0 if nothing is. */
  readonly repairFrom: number;
}

/** What the member would go on with. */
export interface LogReport {
  /** 0 for none. */
  readonly snapshotIndex: number;
  readonly firstIndex: number;
  /** One less than `firstIndex` for no entries. */
  readonly lastIndex: number;
  readonly lastTerm: number;
}

/** A stopped member's directory. Plain data, fit for JSON. */
export interface DataReport {
  readonly directory: string;
  readonly outcome: DataOutcome;
  /** Why, in one sentence for people. */
  readonly summary: string;
  /** Of a start that would be refused, or of a meta file that is lost. */
  readonly errorCode: LogStoreErrorCode | null;
  /** Rows of the decision tables (docs/log-format.md), as in "L1 S1"; null if it does not come to that. */
  readonly decision: string | null;
  readonly meta: MetaReport | null;
  readonly log: LogReport | null;
  readonly lost: LostEntries | null;
  /** Damage that costs nothing. */
  readonly covered: readonly string[];
  readonly files: readonly FileReport[];
}
