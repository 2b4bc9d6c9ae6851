import type { KeyValue } from "@raftkv/kvstore";

/** What applying a command did. `revision` is the store's afterwards. */
export type ApplyResult =
  | { readonly outcome: "put"; readonly revision: number; readonly previous: KeyValue | null }
  | { readonly outcome: "range-deleted"; readonly revision: number; readonly deleted: number; readonly previous: readonly KeyValue[] }
  | { readonly outcome: "created" | "updated" | "removed" | "already-exists" | "not-found"; readonly revision: number }
  | { readonly outcome: "attributes-set" }
  | { readonly outcome: "refused"; readonly reason: Refusal };

/** Why a command that reached the log changed nothing. */
export type Refusal = "lease-not-found" | "key-not-found" | "unknown-member" | "store-replaced" | "malformed";
