import type { KeyValue, KeyValueView } from "../key-value.ts";
import type { RangeQuery, RangeResult, RangeSummary } from "../range-query.ts";
import type { DeleteRangeOptions, DeleteRangeResult, SetOptions, SetResult } from "../store-results.ts";

/** What a transaction needs of the store that runs it. */
export interface TxnStore {
  readonly revision: number;
  readonly compactRevision: number;
  readonly leases: { has(id: bigint): boolean };
  find(key: Uint8Array): KeyValue | null;
  range(key: Uint8Array, rangeEnd: Uint8Array, query: RangeQuery): RangeResult;
  visitRange(key: Uint8Array, rangeEnd: Uint8Array, query: RangeQuery, visit: (view: KeyValueView) => void): RangeSummary;
  set(key: Uint8Array, value: Uint8Array, options: SetOptions): SetResult;
  deleteRange(key: Uint8Array, rangeEnd: Uint8Array, options: DeleteRangeOptions): DeleteRangeResult;
  atOneRevision<Result>(work: () => Result): Result;
}
