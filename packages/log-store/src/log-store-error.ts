import { DiskError } from "@raftkv/raft-node";

/**
 * Why a store can't be opened or can't go on.
 *
 * - `ERR_DATA_DIR_LOCKED` another process holds the directory.
 * - `ERR_META_MISSING`, `ERR_META_DAMAGED`, `ERR_META_STALE` term and vote are gone or older than the log: the directory is opened to be
 *   read, and the member is quarantined.
 * - `ERR_QUARANTINED` a write to such a directory.
 * - `ERR_IDENTITY`, `ERR_FOREIGN_FILE` the directory, or one file in it, belongs to another member.
 * - `ERR_FORMAT_TOO_NEW` a newer RaftKV wrote it.
 * - `ERR_DATA_DAMAGED` a snapshot file is not as it was written.
 * - `ERR_STORAGE_FAILED` a write or sync failed: final, every later call rejects with it. Or a start read other bytes than before.
 * - `ERR_DISK_FULL` as before, because there is no space.
 * - `ERR_SNAPSHOT` a snapshot can't be stored or isn't there; the log is not affected.
 * - `ERR_QUEUE_FULL` more is waiting for the disk than `queueBytesMax`.
 * - `ERR_CLOSED` called after `close`.
 */
export type LogStoreErrorCode =
  | "ERR_DATA_DIR_LOCKED"
  | "ERR_META_MISSING"
  | "ERR_META_DAMAGED"
  | "ERR_META_STALE"
  | "ERR_QUARANTINED"
  | "ERR_IDENTITY"
  | "ERR_FOREIGN_FILE"
  | "ERR_FORMAT_TOO_NEW"
  | "ERR_DATA_DAMAGED"
  | "ERR_STORAGE_FAILED"
  | "ERR_DISK_FULL"
  | "ERR_SNAPSHOT"
  | "ERR_QUEUE_FULL"
  | "ERR_CLOSED";

/** The one error of this package. Messages name file, offset, expected and found values. */
export class LogStoreError extends Error {
  override readonly name = "LogStoreError";
  readonly code: LogStoreErrorCode;

  constructor(code: LogStoreErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  /** Gives anything that was caught while `doing` (as in "write the meta file") a code. */
  static from(reason: unknown, doing: string): LogStoreError {
    if (reason instanceof LogStoreError) return reason;
    const text = reason instanceof Error ? reason.message : String(reason);
    if (reason instanceof DiskError) {
      if (reason.code === "no-space") {
        return new LogStoreError("ERR_DISK_FULL", `No space left to ${doing} at ${reason.path}: free some and start again`, {
          cause: reason,
        });
      }
      if (reason.code === "locked") {
        return new LogStoreError("ERR_DATA_DIR_LOCKED", `Data directory ${reason.path} is in use by another process: ${text}`, {
          cause: reason,
        });
      }
    }
    return new LogStoreError("ERR_STORAGE_FAILED", `Can't ${doing}: ${text}`, { cause: reason });
  }
}

/** States what must hold; a violation is a bug and stops the store. Stays on in production. */
export function assert(condition: boolean, sentence: string): asserts condition {
  if (!condition) throw new Error(`Assertion failed: ${sentence}`);
}
