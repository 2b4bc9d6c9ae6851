/**
 * What etcd's Txn asks for, with the fields of etcd's messages and the numbers of its enums, so that what a codec decoded is taken
 * as it is.
 */

/** Half-open range of keys: an empty `rangeEnd` is the one key, a single zero byte all keys from `key` on. */
interface KeyInterval {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}

/** `compare` all true, or empty: `success`, otherwise `failure`. */
export interface TxnRequest {
  readonly compare: readonly Compare[];
  readonly success: readonly RequestOp[];
  readonly failure: readonly RequestOp[];
}

/** A condition: `stored target` `result` `operand`, for every key of the interval. "unknown" stands for targets of newer versions. */
export type Compare = CompareBase &
  (
    | { readonly target: "version" | "create" | "mod"; readonly operand: number }
    | { readonly target: "value"; readonly operand: Uint8Array }
    | { readonly target: "lease"; readonly operand: bigint }
    | { readonly target: "unknown" }
  );

interface CompareBase extends KeyInterval {
  /** 0 equal, 1 greater, 2 less, 3 not equal, or a number that is unknown. */
  readonly result: number;
}

/** An operation. "none" is one that names no request. */
export type RequestOp =
  | { readonly type: "range"; readonly request: RangeRequest }
  | { readonly type: "put"; readonly request: PutRequest }
  | { readonly type: "deleteRange"; readonly request: DeleteRangeRequest }
  | { readonly type: "txn"; readonly request: TxnRequest }
  | { readonly type: "none" };

export interface RangeRequest extends KeyInterval {
  /** 0 and below: no limit. */
  readonly limit: number;
  /** 0: the state that the operations before it left. */
  readonly revision: number;
  /** 0 none, 1 ascending, 2 descending, or a number that is unknown. */
  readonly sortOrder: number;
  /** 0 key, 1 version, 2 create revision, 3 mod revision, 4 value, or a number that is unknown. */
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
  /** 0n for none. */
  readonly lease: bigint;
  readonly prevKv: boolean;
  readonly ignoreValue: boolean;
  readonly ignoreLease: boolean;
}

export interface DeleteRangeRequest extends KeyInterval {
  readonly prevKv: boolean;
}
