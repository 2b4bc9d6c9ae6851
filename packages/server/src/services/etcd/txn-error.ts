import type { TxnRuleViolation } from "@raftkv/kvstore";
import { type EtcdError, etcdErrors } from "./etcd-error.ts";

/** What a client of etcd is told when its transaction breaks a rule. */
export function txnError(violation: TxnRuleViolation): EtcdError {
  switch (violation) {
    case "too-many-operations":
      return etcdErrors.tooManyOperations;
    case "empty-key":
      return etcdErrors.emptyKey;
    case "value-provided":
      return etcdErrors.valueProvided;
    case "lease-provided":
      return etcdErrors.leaseProvided;
    case "invalid-sort":
      return etcdErrors.invalidSort;
    case "empty-operation":
      return etcdErrors.keyNotFound;
    case "duplicate-key":
      return etcdErrors.duplicateKey;
    default:
      return violation satisfies never;
  }
}
