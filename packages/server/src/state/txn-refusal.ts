import type { TxnRefusal } from "@raftkv/kvstore";
import type { Refusal } from "./apply-result.ts";

/** Why a transaction changed nothing. What breaks a rule is refused before the log, so there it can only be a malformed entry. */
export function txnRefusal(reason: TxnRefusal): Refusal {
  switch (reason) {
    case "compacted":
    case "key-not-found":
    case "lease-not-found":
      return reason;
    case "future":
      return "future-revision";
    default:
      return "malformed";
  }
}
