import { hasDuplicateKey } from "./duplicate-keys.ts";
import type { PutRequest, RequestOp, TxnRequest } from "./txn-request.ts";

/** Why a transaction can't be run on any store. "empty-operation" is an operation without a request. */
export type TxnRuleViolation =
  | "too-many-operations"
  | "empty-key"
  | "value-provided"
  | "lease-provided"
  | "invalid-sort"
  | "empty-operation"
  | "duplicate-key";

const sortOrderCount = 3;
const sortTargetCount = 5;

/**
 * The rules of etcd's Txn that need no store, in etcd's order: numbers of conditions and operations, then the fields of every
 * operation of both branches, then keys that are written twice. `opsMax` bounds the longest list of the transaction; a nested one
 * may have what that list leaves of it. Null if there is nothing to refuse.
 */
export function checkTxn(request: TxnRequest, opsMax: number): TxnRuleViolation | null {
  return checkLevel(request, opsMax) ?? (hasDuplicateKey(request) ? "duplicate-key" : null);
}

function checkLevel(request: TxnRequest, opsMax: number): TxnRuleViolation | null {
  const { compare, success, failure } = request;
  const opsLeft = opsMax - Math.max(compare.length, success.length, failure.length);
  if (opsLeft < 0) return "too-many-operations";
  for (const condition of compare) if (condition.key.length === 0) return "empty-key";
  return checkBranch(success, opsLeft) ?? checkBranch(failure, opsLeft);
}

function checkBranch(operations: readonly RequestOp[], opsLeft: number): TxnRuleViolation | null {
  for (const operation of operations) {
    const violation = checkOperation(operation, opsLeft);
    if (violation !== null) return violation;
  }
  return null;
}

function checkOperation(operation: RequestOp, opsLeft: number): TxnRuleViolation | null {
  switch (operation.type) {
    case "range": {
      const { key, sortOrder, sortTarget } = operation.request;
      if (key.length === 0) return "empty-key";
      return isBelow(sortOrder, sortOrderCount) && isBelow(sortTarget, sortTargetCount) ? null : "invalid-sort";
    }
    case "put":
      return checkPut(operation.request);
    case "deleteRange":
      return operation.request.key.length === 0 ? "empty-key" : null;
    case "txn":
      return checkLevel(operation.request, opsLeft);
    case "none":
      return "empty-operation";
    default:
      return operation satisfies never;
  }
}

function checkPut({ key, value, lease, ignoreValue, ignoreLease }: PutRequest): TxnRuleViolation | null {
  if (key.length === 0) return "empty-key";
  if (ignoreValue && value.length > 0) return "value-provided";
  if (ignoreLease && lease !== 0n) return "lease-provided";
  return null;
}

function isBelow(number: number, count: number): boolean {
  return number >= 0 && number < count;
}
