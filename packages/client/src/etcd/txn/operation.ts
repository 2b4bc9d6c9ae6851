import type { DeleteRangeResponse, KeyValue, PutResponse, RangeResponse, RequestOp, ResponseOp } from "@raftkv/api";
import type { Bytes } from "../../bytes.ts";
import { ClientError } from "../../client-error.ts";
import type { KeyRange } from "../key-range.ts";
import type { DeleteSettings, PutSettings, RangeSettings } from "../kv-options.ts";
import { deleteRequest, putRequest, rangeRequest } from "../kv-requests.ts";
import type { Txn, TxnResult } from "./txn.ts";
import type { Operation, Operations } from "./typed-operation.ts";

/** What a transaction can do, in the order in which it is given. Reads see what was written before them in the same transaction. */
export const operation = {
  get: (key: Bytes, settings: RangeSettings = {}): Operation<KeyValue | null> => ({
    request: { type: "range", request: rangeRequest(key, settings) },
    read: (response) => readRange(response).kvs[0] ?? null,
  }),
  range: (keys: KeyRange, settings: RangeSettings = {}): Operation<RangeResponse> => ({
    request: { type: "range", request: rangeRequest(keys, settings) },
    read: readRange,
  }),
  put: (key: Bytes, value: Bytes, settings: PutSettings = {}): Operation<PutResponse> => ({
    request: { type: "put", request: putRequest(key, value, settings) },
    read: (response) => (response.type === "put" ? response.response : mismatch("put", response)),
  }),
  delete: (keys: KeyRange, settings: DeleteSettings = {}): Operation<DeleteRangeResponse> => ({
    request: { type: "deleteRange", request: deleteRequest(keys, settings) },
    read: (response) => (response.type === "deleteRange" ? response.response : mismatch("deleteRange", response)),
  }),
  txn: <Success extends Operations, Failure extends Operations>(inner: Txn<Success, Failure>): Operation<TxnResult<Success, Failure>> => ({
    request: { type: "txn", request: inner.request },
    read: (response) => (response.type === "txn" ? inner.read(response.response) : mismatch("txn", response)),
  }),
} as const;

function readRange(response: ResponseOp): RangeResponse {
  return response.type === "range" ? response.response : mismatch("range", response);
}

function mismatch(expected: RequestOp["type"], response: ResponseOp): never {
  throw new ClientError("ERR_REJECTED", `An operation ${expected} of the transaction was answered with ${response.type}`);
}
