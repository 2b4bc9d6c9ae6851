import type { KeyValue } from "../key-value.ts";
import type { RangeResult } from "../range-query.ts";
import type { TxnRuleViolation } from "./txn-check.ts";

/** What a transaction did. A refused one changed nothing. */
export type TxnResult = TxnDone | { readonly outcome: "refused"; readonly reason: TxnRefusal };

export interface TxnDone extends TxnBranchResult {
  readonly outcome: "done";
  /** The revision that it took, or the store's if it wrote nothing. */
  readonly revision: number;
}

/** `responses[i]` answers operation i of the branch that was taken. */
export interface TxnBranchResult {
  /** True if the conditions held. */
  readonly succeeded: boolean;
  readonly responses: readonly OpResult[];
}

/** What an operation gave. `revision` is that of its answer's header: the new one once the transaction has written. */
export type OpResult =
  | ({ readonly type: "range"; readonly revision: number } & RangeResult)
  | { readonly type: "put"; readonly revision: number; readonly previous: KeyValue | null }
  | { readonly type: "deleteRange"; readonly revision: number; readonly deleted: number; readonly previous: readonly KeyValue[] }
  | ({ readonly type: "txn" } & TxnBranchResult);

/**
 * Why a transaction was not run. Found out from the store: a put that keeps what is not there, a lease that was not granted, a
 * range at a revision that is compacted or still to come.
 */
export type TxnRefusal = TxnRuleViolation | "key-not-found" | "lease-not-found" | "compacted" | "future";
