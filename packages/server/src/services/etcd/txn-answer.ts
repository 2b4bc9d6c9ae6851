import { encodeTxnResponse, type ResponseHeader, type ResponseOp, type TxnResponse } from "@raftkv/api";
import type { OpResult, TxnResult } from "@raftkv/kvstore";

type TxnBranch = Extract<OpResult, { readonly type: "txn" }>;

/** The answers within a transaction carry a revision in their headers and nothing else, those of nested transactions not even that. */
const noHeader: ResponseHeader = { clusterId: 0n, memberId: 0n, revision: 0, raftTerm: 0 };

/** An `etcdserverpb.TxnResponse`. */
export function encodeTxnAnswer(header: ResponseHeader, result: Extract<TxnResult, { readonly outcome: "done" }>): Uint8Array {
  return encodeTxnResponse(responseOf(header, result));
}

function responseOf(header: ResponseHeader, { succeeded, responses }: Pick<TxnBranch, "succeeded" | "responses">): TxnResponse {
  return { header, succeeded, responses: responses.map(operationOf) };
}

function operationOf(result: OpResult): ResponseOp {
  switch (result.type) {
    case "range": {
      const { records, more, count } = result;
      return { type: "range", response: { header: headerAt(result.revision), kvs: records, more, count } };
    }
    case "put":
      return { type: "put", response: { header: headerAt(result.revision), prevKv: result.previous } };
    case "deleteRange": {
      const { deleted, previous } = result;
      return { type: "deleteRange", response: { header: headerAt(result.revision), deleted, prevKvs: previous } };
    }
    case "txn":
      return { type: "txn", response: responseOf(noHeader, result) };
    default:
      return result satisfies never;
  }
}

function headerAt(revision: number): ResponseHeader {
  return { clusterId: 0n, memberId: 0n, revision, raftTerm: 0 };
}
