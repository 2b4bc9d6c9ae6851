import type { HardState } from "@raftkv/raft-core";
import type { LogBatch } from "@raftkv/raft-node";
import {
  ENTRY_PREFIX_BYTES,
  FRAME_HEADER_BYTES,
  frameBytes,
  type LogRecord,
  MARK_PAYLOAD_BYTES,
  type OpenRecord,
  type SnapshotMark,
} from "./frame.ts";

/**
 * Something to make durable. `mark` puts an own snapshot in force, `install` a received one, which drops the log. `commit` writes the commit
 * index of the appends before it, which alone are not worth a write.
 */
export type LogOperation =
  | { readonly type: "append"; readonly batch: LogBatch }
  | { readonly type: "mark"; readonly mark: SnapshotMark }
  | { readonly type: "commit" }
  | {
      readonly type: "install";
      readonly mark: SnapshotMark;
      readonly hardState: HardState | null;
      /** Gives the snapshot file its final name; called when the operation's turn has come. */
      readonly rename: () => Promise<void>;
    };

/** What a record that is written again adds to a batch. */
export function recordBytes(record: Exclude<LogRecord, OpenRecord>): number {
  if (record.type === "entry") return frameBytes(ENTRY_PREFIX_BYTES + record.entry.data.length);
  return record.type === "truncate" ? FRAME_HEADER_BYTES : frameBytes(MARK_PAYLOAD_BYTES);
}

/** Upper bound of what an operation adds to a batch; 0 if it adds nothing. */
export function operationBytes(operation: LogOperation): number {
  if (operation.type !== "append") return frameBytes(MARK_PAYLOAD_BYTES);
  const { entries } = operation.batch;
  let bytes = entries.length === 0 ? 0 : FRAME_HEADER_BYTES;
  for (const entry of entries) bytes += frameBytes(ENTRY_PREFIX_BYTES + entry.data.length);
  return bytes;
}
