import type { LogEntry } from "@raftkv/raft-core";

/** What an entry takes in the log beside its data. */
const ENTRY_OVERHEAD_BYTES = 64;

/** What an entry takes in the log. */
export function loggedBytes({ data }: LogEntry): number {
  return ENTRY_OVERHEAD_BYTES + data.length;
}
