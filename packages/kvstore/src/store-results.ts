import type { KeyValue } from "./key-value.ts";

export type PutResult = { readonly outcome: "created"; readonly revision: number } | { readonly outcome: "already-exists" };
export interface UpdateResult {
  readonly outcome: "created" | "updated";
  readonly revision: number;
}
export type GetResult = { readonly outcome: "found"; readonly record: KeyValue } | { readonly outcome: "not-found" };
export type RemoveResult = { readonly outcome: "removed"; readonly revision: number } | { readonly outcome: "not-found" };

export interface SetOptions {
  /** The id of a lease that is there. Default 0n: no lease, and one that the key had is detached. */
  readonly lease?: bigint;
  readonly wantPrevious?: boolean;
}
export interface SetResult {
  /** The revision that this write took. */
  readonly revision: number;
  /** What was there before, if it was asked for and there was something. */
  readonly previous: KeyValue | null;
}

export interface DeleteRangeOptions {
  readonly wantPrevious?: boolean;
}
export interface DeleteRangeResult {
  /** The revision that this write took, or the store's if nothing matched. */
  readonly revision: number;
  readonly deleted: number;
  /** What was deleted, in key order, if it was asked for. */
  readonly previous: readonly KeyValue[];
}

export type CompactResult = { readonly outcome: "compacted" } | { readonly outcome: "refused"; readonly reason: "compacted" | "future" };

/** Bytes of memory. `payload` is the same on all members with the same state, the others are each member's own. */
export interface MemoryUse {
  /** Keys and values of all versions that are not compacted, and 64 bytes for each. */
  readonly payload: number;
  /** Cells in use: keys, values, fields, towers, history, rounding, and what is not reclaimed yet. Event log and slots in use of the index. */
  readonly used: number;
  /** Pages of the arenas, event log, and the hash index. */
  readonly reserved: number;
}
