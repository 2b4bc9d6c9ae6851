import type { LogEntry } from "@raftkv/raft-core";

/** What an entry takes in the log beside its data. */
const ENTRY_OVERHEAD_BYTES = 64;

/** What entries take in the log. */
export function loggedBytes(entries: readonly LogEntry[]): number {
  let bytes = 0;
  for (const { data } of entries) bytes += ENTRY_OVERHEAD_BYTES + data.length;
  return bytes;
}
