import type { RequestOp, TxnRequest } from "./txn-request.ts";

/** True if the transaction has only ranges at its top level: it need not go through the log. A nested one counts as a write. */
export function isReadOnlyTxn({ success, failure }: TxnRequest): boolean {
  return success.every(isRange) && failure.every(isRange);
}

/** True if a read-only transaction may be answered from the state of any member: all its ranges may, or it has none. */
export function isSerializableTxn({ success, failure }: TxnRequest): boolean {
  return success.every(isSerializableRange) && failure.every(isSerializableRange);
}

function isRange(operation: RequestOp): boolean {
  return operation.type === "range";
}

function isSerializableRange(operation: RequestOp): boolean {
  return operation.type === "range" && operation.request.serializable;
}
