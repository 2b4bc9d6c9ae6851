import type { Compare, DeleteRangeRequest, PutRequest, RangeRequest, RequestOp, TxnRequest } from "../txn/txn-request.ts";
import { bytesOf } from "./bytes-as-text.ts";

/** Short ways to write requests in tests: keys and values as text, what is not said is 0, false or empty. */
export function putOf(key: string, value = "", more: Partial<PutRequest> = {}): RequestOp {
  const request = { lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false, ...more };
  return { type: "put", request: { key: bytesOf(key), value: bytesOf(value), ...request } };
}

export function deleteOf(key: string, rangeEnd = "", more: Partial<DeleteRangeRequest> = {}): RequestOp {
  return { type: "deleteRange", request: { key: bytesOf(key), rangeEnd: bytesOf(rangeEnd), prevKv: false, ...more } };
}

export function rangeOf(key: string, rangeEnd = "", more: Partial<RangeRequest> = {}): RequestOp {
  return { type: "range", request: { ...plainRange, key: bytesOf(key), rangeEnd: bytesOf(rangeEnd), ...more } };
}

export function nestedOf(request: Partial<TxnRequest>): RequestOp {
  return { type: "txn", request: txnOf(request) };
}

export function txnOf(request: Partial<TxnRequest>): TxnRequest {
  return { compare: [], success: [], failure: [], ...request };
}

/** `result` and `operand` as in "version = 0". */
export function compareOf(key: string, target: "version" | "create" | "mod", result: "=" | ">" | "<" | "!=", operand: number): Compare {
  return { key: bytesOf(key), rangeEnd: bytesOf(""), target, result: ["=", ">", "<", "!="].indexOf(result), operand };
}

const plainRange: RangeRequest = {
  key: bytesOf(""),
  rangeEnd: bytesOf(""),
  limit: 0,
  revision: 0,
  sortOrder: 0,
  sortTarget: 0,
  serializable: false,
  keysOnly: false,
  countOnly: false,
  minModRevision: 0,
  maxModRevision: 0,
  minCreateRevision: 0,
  maxCreateRevision: 0,
};
