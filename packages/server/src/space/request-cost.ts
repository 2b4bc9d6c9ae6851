import type { PutRequest, RequestOp, TxnRequest } from "@raftkv/api";

/** What etcd counts for a put beside its key and value. */
const putOverheadBytes = 256;
/** What a lease counts for. */
export const leaseCostBytes = 64;

/** About what a request adds to the store, as etcd counts it against the quota. */
export function putCostBytes({ key, value }: Pick<PutRequest, "key" | "value">): number {
  return putOverheadBytes + key.length + value.length;
}

/** The larger branch counts; conditions, ranges and deletes take nothing. */
export function txnCostBytes({ success, failure }: TxnRequest): number {
  return Math.max(branchCostBytes(success), branchCostBytes(failure));
}

function branchCostBytes(operations: readonly RequestOp[]): number {
  let cost = 0;
  for (const operation of operations) {
    if (operation.type === "put") cost += putCostBytes(operation.request);
    else if (operation.type === "txn") cost += txnCostBytes(operation.request);
  }
  return cost;
}
