import type { KeyValue } from "@raftkv/kvstore";
import type { Alarm } from "./alarm-table.ts";

/** What applying a command did. `revision` is the store's afterwards. */
export type ApplyResult =
  | { readonly outcome: "put"; readonly revision: number; readonly previous: KeyValue | null }
  | { readonly outcome: "range-deleted"; readonly revision: number; readonly deleted: number; readonly previous: readonly KeyValue[] }
  | { readonly outcome: "created" | "updated" | "removed" | "already-exists" | "not-found"; readonly revision: number }
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
  | "compacted"
  | "future-revision"
  | "key-not-found"
  | "lease-exists"
  | "lease-not-found"
  | "malformed"
  | "stale-expiry"
  | "store-replaced"
  | "too-many-leases"
  | "unknown-member";
