export type { Crc32c } from "./crc32c.ts";
export type { EventView } from "./event-view.ts";
export type { HashRun } from "./hash-run.ts";
export type { KeyValue, KeyValueView } from "./key-value.ts";
export type { KVRestorer } from "./kv-restorer.ts";
export type { KVSnapshot } from "./kv-snapshot.ts";
export { KVStore, type KVStoreOptions } from "./kv-store.ts";
export type { Lease } from "./lease/lease.ts";
export type { LeaseExpiry, LeaseTable, RevokeResult } from "./lease/lease-table.ts";
export type { RangeQuery, RangeResult, RangeSummary, SortOrder, SortTarget } from "./range-query.ts";
export { keyBytesMax, RecordLimitError, valueBytesMax } from "./record-limits.ts";
export { RevisionError } from "./revision-error.ts";
export type { Admission, RequestIdentity, SessionRefusal, SessionTable } from "./session/session-table.ts";
export { SnapshotFormatError, snapshotChunkBytes } from "./snapshot-format.ts";
export type {
  CompactResult,
  DeleteRangeOptions,
  DeleteRangeResult,
  GetResult,
  PutResult,
  RemoveResult,
  SetOptions,
  SetResult,
  UpdateResult,
} from "./store-results.ts";
export { checkTxn, type TxnRuleViolation } from "./txn/txn-check.ts";
export { isReadOnlyTxn, isSerializableTxn } from "./txn/txn-kind.ts";
export type { OpResult, TxnRefusal, TxnResult } from "./txn/txn-result.ts";
export type { EventEncoder } from "./watch/event-encoding.ts";
export { type KeySpan, keySpanOf } from "./watch/key-span.ts";
export { WatchHub, type WatchHubOptions } from "./watch/watch-hub.ts";
export { type WatchCreation, type WatchLimits, type WatchNotice, type WatchSink, WatchStream } from "./watch/watch-stream.ts";
export type { Watcher, WatcherOptions, WatchReceiver } from "./watch/watcher.ts";
export type { WritePrefetch } from "./write-prefetch.ts";
