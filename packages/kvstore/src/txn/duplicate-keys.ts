import { orderOfBytes } from "../byte-order.ts";
import {
  haveCommonKey,
  type KeyInterval,
  type SortedIntervals,
  type SortedKeys,
  sortedIntervals,
  touch,
  unionOfIntervals,
  unionOfKeys,
} from "./key-intervals.ts";
import type { DeleteRangeRequest, RequestOp, TxnRequest } from "./txn-request.ts";

/** What the operations of a list may write, whichever branches of nested transactions are taken. */
interface Writes {
  readonly puts: SortedKeys;
  readonly deletes: SortedIntervals;
}

/**
 * True if a branch puts a key twice, or puts one that it deletes. The two branches of a transaction exclude each other. The rule is
 * etcd's with its gaps: of nested transactions side by side, a put is compared with the deletes of earlier ones but not of later
 * ones, and the delete of all keys from one on is not compared.
 */
export function hasDuplicateKey({ success, failure }: TxnRequest): boolean {
  return mayCollide(success) || mayCollide(failure) ? writesOf(success) === null || writesOf(failure) === null : false;
}

/** False for what most transactions are: at most one put, and no deletes or nested transactions beside it. */
function mayCollide(operations: readonly RequestOp[]): boolean {
  let writes = 0;
  for (const { type } of operations) if (type === "txn" || ((type === "put" || type === "deleteRange") && ++writes > 1)) return true;
  return false;
}

/** Null if two of the operations, or of what is nested in them, may write the same key. */
function writesOf(operations: readonly RequestOp[]): Writes | null {
  let puts: SortedKeys = [];
  let deletes = sortedIntervals(operations.flatMap((each) => (each.type === "deleteRange" ? intervalsOf(each.request) : [])));
  for (const operation of operations) {
    if (operation.type !== "txn") continue;
    const nested = nestedWrites(operation.request);
    if (nested === null || collide(nested.puts, puts, deletes)) return null;
    puts = unionOfKeys(puts, nested.puts);
    deletes = unionOfIntervals(deletes, nested.deletes);
  }
  const ownPuts = operations.flatMap((each) => (each.type === "put" ? [each.request.key] : [])).sort(orderOfBytes);
  if (hasNeighboursAlike(ownPuts) || collide(ownPuts, puts, deletes)) return null;
  return { puts: unionOfKeys(puts, ownPuts), deletes };
}

function nestedWrites({ success, failure }: TxnRequest): Writes | null {
  const first = writesOf(success);
  const second = first === null ? null : writesOf(failure);
  if (first === null || second === null) return null;
  return { puts: unionOfKeys(first.puts, second.puts), deletes: unionOfIntervals(first.deletes, second.deletes) };
}

function collide(newPuts: SortedKeys, puts: SortedKeys, deletes: SortedIntervals): boolean {
  return haveCommonKey(newPuts, puts) || touch(newPuts, deletes);
}

function hasNeighboursAlike(sorted: SortedKeys): boolean {
  return sorted.some((key, at) => at > 0 && orderOfBytes(sorted[at - 1] as Uint8Array, key) === 0);
}

/** None if the range ends where it begins or before, as an open one does with its end of one byte 0. */
function intervalsOf({ key, rangeEnd }: DeleteRangeRequest): readonly KeyInterval[] {
  if (rangeEnd.length > 0) return orderOfBytes(key, rangeEnd) < 0 ? [{ begin: key, end: rangeEnd }] : [];
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return [{ begin: key, end: next }];
}
