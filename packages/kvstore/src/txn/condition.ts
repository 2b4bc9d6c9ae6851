import { orderOfBytes } from "../byte-order.ts";
import type { KeyValueView } from "../key-value.ts";
import { joinHalves } from "../lease-id.ts";
import type { Compare } from "./txn-request.ts";
import type { TxnStore } from "./txn-store.ts";

/** Keys that are looked at in one go: one of the first is likely to decide, and there may be millions. */
const keysPerPart = 128;

/** True if the condition holds for every key of its interval. An interval without keys is judged as a missing key. */
export function holds(store: TxnStore, compare: Compare): boolean {
  let part = judgePart(store, compare, compare.key);
  if (part.count === 0) return holdsForMissing(compare);
  while (part.holds && part.lastKey !== null) part = judgePart(store, compare, keyAfter(part.lastKey));
  return part.holds;
}

interface JudgedPart {
  /** Keys that were judged. */
  readonly count: number;
  readonly holds: boolean;
  /** Where there may be more behind. */
  readonly lastKey: Uint8Array | null;
}

/** Judges the first keys of the interval from `start` on. */
function judgePart(store: TxnStore, compare: Compare, start: Uint8Array): JudgedPart {
  const part = { count: 0, holds: true, lastKey: null as Uint8Array | null };
  store.visitRange(start, compare.rangeEnd, { limit: keysPerPart }, (view) => {
    part.holds &&= isResult(compare.result, orderToOperand(view, compare));
    if (++part.count === keysPerPart) part.lastKey = view.keyView();
  });
  return part;
}

/** The least key above another one. */
function keyAfter(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
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
