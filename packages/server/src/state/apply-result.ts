import type { KeyValue, SessionRefusal, TxnResult } from "@raftkv/kvstore";
import type { Alarm } from "./alarm-table.ts";
import type { OperationResult } from "./session-result.ts";

/** What applying a command did. `revision` is the store's afterwards. */
export type ApplyResult =
  | { readonly outcome: "put"; readonly revision: number; readonly previous: KeyValue | null }
  | { readonly outcome: "range-deleted"; readonly revision: number; readonly deleted: number; readonly previous: readonly KeyValue[] }
  | { readonly outcome: "txn"; readonly result: Extract<TxnResult, { readonly outcome: "done" }> }
  | OperationResult
  | { readonly outcome: "compacted"; readonly revision: number }
  | { readonly outcome: "lease-granted"; readonly revision: number; readonly id: bigint; readonly ttlSeconds: number }
  /** Revoked or expired. */
  | { readonly outcome: "lease-revoked"; readonly revision: number }
  | { readonly outcome: "leases-checkpointed" }
  /** Those that were raised or ended. */
  | { readonly outcome: "alarms"; readonly alarms: readonly Alarm[] }
  | { readonly outcome: "time-advanced" }
  | { readonly outcome: "attributes-set" }
  | { readonly outcome: "refused"; readonly reason: Refusal };

/** Why a command that reached the log changed nothing. */
export type Refusal =
  | SessionRefusal
  | "compacted"
  | "corrupt-cluster"
  | "future-revision"
  | "key-not-found"
  | "lease-exists"
  | "lease-not-found"
  | "malformed"
  | "no-space"
  | "stale-checkpoint"
  | "stale-expiry"
  | "store-replaced"
  | "unknown-member";
