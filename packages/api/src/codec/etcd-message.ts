/**
 * The hot messages of `etcdserverpb.KV` as plain objects. Revisions, versions, counts and terms are safe integers; ids of leases,
 * members and clusters, which use all 64 bits, are bigints. What decoders return as `Uint8Array` are views into what was decoded.
 */

/** Half-open range of keys: empty `rangeEnd` is the one key, a single zero byte all keys from `key` on. */
interface KeyRange {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}

export interface RangeRequest extends KeyRange {
  /** 0 and below: no limit. */
  readonly limit: number;
  /** 0 and below: the newest. */
  readonly revision: number;
  /** A number of `etcdserverpb.RangeRequest_SortOrder`, or one that is unknown. */
  readonly sortOrder: number;
  /** A number of `etcdserverpb.RangeRequest_SortTarget`, or one that is unknown. */
  readonly sortTarget: number;
  readonly serializable: boolean;
  readonly keysOnly: boolean;
  readonly countOnly: boolean;
  readonly minModRevision: number;
  readonly maxModRevision: number;
  readonly minCreateRevision: number;
  readonly maxCreateRevision: number;
}

export interface PutRequest {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  /** int64, 0 for none. */
  readonly lease: bigint;
  readonly prevKv: boolean;
  readonly ignoreValue: boolean;
  readonly ignoreLease: boolean;
}

export interface DeleteRangeRequest extends KeyRange {
  readonly prevKv: boolean;
}

export interface ResponseHeader {
  /** uint64. */
  readonly clusterId: bigint;
  /** uint64. */
  readonly memberId: bigint;
  readonly revision: number;
  readonly raftTerm: number;
}

export interface KeyValue {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  /** int64, 0 for none. */
  readonly lease: bigint;
}

export interface PutResponse {
  readonly header: ResponseHeader;
  /** Null: not asked, or there was none. */
  readonly prevKv: KeyValue | null;
}

export interface RangeResponse {
  readonly header: ResponseHeader;
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  readonly count: number;
}

export interface DeleteRangeResponse {
  readonly header: ResponseHeader;
  readonly deleted: number;
  readonly prevKvs: readonly KeyValue[];
}

interface CompareBase extends KeyRange {
  /** A number of `etcdserverpb.Compare_CompareResult`, or one that is unknown. */
  readonly result: number;
}

/**
 * A condition of a transaction: `stored target` `result` `operand`. The operand is the member of the oneof that fits the target, 0 or empty
 * if there is none or another. "unknown" stands for targets of newer versions.
 */
export type Compare = CompareBase &
  (
    | { readonly target: "version" | "create" | "mod"; readonly operand: number }
    | { readonly target: "value"; readonly operand: Uint8Array }
    | { readonly target: "lease"; readonly operand: bigint }
    | { readonly target: "unknown" }
  );

/** One operation of a transaction; "none" if the request holds none that is known. */
export type RequestOp =
  | { readonly type: "range"; readonly request: RangeRequest }
  | { readonly type: "put"; readonly request: PutRequest }
  | { readonly type: "deleteRange"; readonly request: DeleteRangeRequest }
  | { readonly type: "txn"; readonly request: TxnRequest }
  | { readonly type: "none" };

/** If all of `compare` are true `success` is run, else `failure`. */
export interface TxnRequest {
  readonly compare: readonly Compare[];
  readonly success: readonly RequestOp[];
  readonly failure: readonly RequestOp[];
}

export type ResponseOp =
  | { readonly type: "range"; readonly response: RangeResponse }
  | { readonly type: "put"; readonly response: PutResponse }
  | { readonly type: "deleteRange"; readonly response: DeleteRangeResponse }
  | { readonly type: "txn"; readonly response: TxnResponse }
  | { readonly type: "none" };

export interface TxnResponse {
  readonly header: ResponseHeader;
  readonly succeeded: boolean;
  /** One per operation of the list that was run. */
  readonly responses: readonly ResponseOp[];
}
