import type { KeyValue, ResponseHeader } from "@raftkv/api";

export interface WatchOptions {
  /** First revision whose events are wanted, also one that is still to come. Default: what happens from now on. */
  readonly startRevision?: number;
  /** Gives each event the key as it was before. */
  readonly prevKv?: boolean;
  /** Default: both. */
  readonly only?: "puts" | "deletes";
  /** Also tells, by batches without events, how far the store is while nothing happens. */
  readonly progressNotify?: boolean;
  /** Ends the watch: its loop ends. */
  readonly signal?: AbortSignal;
  /**
   * Bytes of events that may wait for the loop. When there are more the server is asked to stop, and to go on from there when half of it was
   * taken. Default 4 MiB.
   */
  readonly bufferBytesMax?: number;
}

export interface WatchEvent {
  readonly type: "put" | "delete";
  /** Of a delete only `key` and `modRevision` are set. */
  readonly kv: KeyValue;
  /** With `prevKv`: the key before. Null: there was none, or its revision is compacted. */
  readonly prevKv: KeyValue | null;
}

/** Events in the order in which they happened; those of one revision are never torn apart. */
export interface WatchBatch {
  readonly header: ResponseHeader;
  /** Everything up to this revision has been told. */
  readonly revision: number;
  /** None: only progress. */
  readonly events: readonly WatchEvent[];
}

/**
 * Changes of some keys, without a gap and without a repetition, whatever becomes of the members and connections in between. One loop reads
 * it. It ends when it is closed or its signal aborts, and throws ClientError for what it can't survive: ERR_COMPACTED (a
 * WatchCompactedError) when history that it needs is gone, ERR_REJECTED when the server refuses it, ERR_CLOSED with the client.
 */
export interface Watch extends AsyncIterable<WatchBatch>, AsyncDisposable {
  /** Resolves when a server has taken the watch: to the revision of the store then. Rejects as the loop would throw. */
  readonly created: Promise<number>;
  /** The first revision that was not told yet; 0 while it is not known. A new watch from here misses nothing. */
  readonly nextRevision: number;
  /** Asks how far the store is. It is told as a batch without events. */
  requestProgress(): void;
  /** Ends the loop. May be called twice. */
  close(): void;
}
