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
