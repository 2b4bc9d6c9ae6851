import { orderOfBytes } from "../byte-order.ts";
import type { KeyValueView } from "../key-value.ts";
import { joinHalves } from "../lease-id.ts";
import type { Compare } from "./txn-request.ts";
import type { TxnStore } from "./txn-store.ts";

/** True if the condition holds for every key of its interval. An interval without keys is judged as a missing key. */
export function holds(store: TxnStore, compare: Compare): boolean {
  let isMissing = true;
  let holdsSoFar = true;
  store.visitRange(compare.key, compare.rangeEnd, {}, (view) => {
    isMissing = false;
    holdsSoFar &&= isResult(compare.result, orderToOperand(view, compare));
  });
  return isMissing ? holdsForMissing(compare) : holdsSoFar;
}

/** Of a missing key the numbers are 0 and the value is nothing, not even different. */
function holdsForMissing(compare: Compare): boolean {
  switch (compare.target) {
    case "version":
    case "create":
    case "mod":
      return isResult(compare.result, 0 - compare.operand);
    case "lease":
      return isResult(compare.result, orderOfLeases(0n, compare.operand));
    case "value":
      return false;
    case "unknown":
      return isResult(compare.result, 0);
    default:
      return compare satisfies never;
  }
}

/** Negative, 0 or positive as what is stored is less than, equal to or greater than the operand. */
function orderToOperand(view: KeyValueView, compare: Compare): number {
  switch (compare.target) {
    case "version":
      return view.version - compare.operand;
    case "create":
      return view.createRevision - compare.operand;
    case "mod":
      return view.modRevision - compare.operand;
    case "value":
      return orderOfBytes(view.valueView(), compare.operand);
    case "lease":
      return orderOfLeases(joinHalves(view.leaseHigh, view.leaseLow), compare.operand);
    case "unknown":
      return 0;
    default:
      return compare satisfies never;
  }
}

function orderOfLeases(a: bigint, b: bigint): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** etcd takes a result that it does not know as one that holds. */
function isResult(result: number, order: number): boolean {
  switch (result) {
    case 0:
      return order === 0;
    case 1:
      return order > 0;
    case 2:
      return order < 0;
    case 3:
      return order !== 0;
    default:
      return true;
  }
}
