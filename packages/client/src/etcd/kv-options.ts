import type { CallOptions } from "../call-options.ts";

/** What a read can be told, alone or in a transaction. */
export interface ReadSettings {
  /** The store as it was at this revision. Default: now. */
  readonly revision?: number;
  /** "serializable": what the asked member has, without asking the others; it may be old. Default "linearizable". */
  readonly consistency?: "linearizable" | "serializable";
}

export interface ReadOptions extends ReadSettings, CallOptions {}

export type SortTarget = "key" | "version" | "createRevision" | "modRevision" | "value";

export interface SortOrder {
  readonly by: SortTarget;
  /** Default: etcd's, which is ascending. */
  readonly order?: "ascending" | "descending";
}

export interface RangeSettings extends ReadSettings {
  /** Most keys in the answer; `more` tells that there are others. Default: no limit. */
  readonly limit?: number;
  /** Default: by key, ascending. */
  readonly sort?: SortOrder;
  /** Leaves values out. */
  readonly keysOnly?: boolean;
  /** Only how many there are. */
  readonly countOnly?: boolean;
  /** Bounds of revisions are inclusive. */
  readonly minModRevision?: number;
  readonly maxModRevision?: number;
  readonly minCreateRevision?: number;
  readonly maxCreateRevision?: number;
}

export interface RangeOptions extends RangeSettings, CallOptions {}

/** Of a range in pages, by key; `timeoutMs` is for one page. */
export interface PageOptions extends ReadOptions {
  /** Most keys in a page. Default 1000. */
  readonly pageSize?: number;
  /** Leaves values out. */
  readonly keysOnly?: boolean;
}

/** An id, or a lease that is held. */
export type LeaseReference = bigint | { readonly id: bigint; readonly signal?: AbortSignal };

/** What a put can be told, alone or in a transaction. */
export interface PutSettings {
  /** The key goes when the lease does. Default: none; a lease that the key had is detached. */
  readonly lease?: LeaseReference;
  /** Answers the key as it was before. */
  readonly prevKv?: boolean;
  /** Keeps the value: only the lease is changed. The key must exist, and the value that is given must be empty. */
  readonly ignoreValue?: boolean;
  /** Keeps the lease that the key has. The key must exist. */
  readonly ignoreLease?: boolean;
}

export interface PutOptions extends PutSettings, CallOptions {}

export interface DeleteSettings {
  /** Answers the keys as they were before. */
  readonly prevKv?: boolean;
}

export interface DeleteOptions extends DeleteSettings, CallOptions {}

export interface CompactOptions extends CallOptions {
  /** Answers only when the member that was asked has freed the space. */
  readonly physical?: boolean;
}

export interface TxnOptions extends CallOptions {
  /** Sends it again although it may have been applied: for one that changes nothing the second time. One without writes is sent again anyway. Default false. */
  readonly idempotent?: boolean;
}
