import type { LogEntry, LogIndex, SnapshotMeta } from "../types.ts";
import { CommandError } from "./command-error.ts";

/**
 * What a member has stored: the entries behind the point up to which the log is compacted or covered by a snapshot. The core has a
 * log of its own; this one only shows what became durable.
 */
export class MemoryStorage {
  private entries: readonly LogEntry[] = [];
  private compactedTo: LogIndex = 0;
  private snapshotIndex: LogIndex = 0;

  get firstIndex(): LogIndex {
    return this.compactedTo + 1;
  }

  get lastIndex(): LogIndex {
    return this.compactedTo + this.entries.length;
  }

  all(): readonly LogEntry[] {
    return this.entries;
  }

  /** Replaces the whole log. Throws CommandError for an older snapshot than the present one. */
  applySnapshot(snapshot: SnapshotMeta): void {
    if (this.snapshotIndex !== 0 && this.snapshotIndex >= snapshot.index) {
      throw new CommandError("requested index is older than the existing snapshot");
    }
    this.snapshotIndex = snapshot.index;
    this.compactedTo = snapshot.index;
    this.entries = [];
  }

  /** Replaces everything from the first of the entries on. What is compacted already is passed over. */
  append(entries: readonly LogEntry[]): void {
    const added = entries.filter(({ index }) => index >= this.firstIndex);
    const [first] = added;
    if (first === undefined) return;
    if (first.index > this.lastIndex + 1) throw new Error(`Entry ${first.index} does not follow entry ${this.lastIndex}`);
    this.entries = [...this.entries.slice(0, first.index - this.firstIndex), ...added];
  }

  /** Forgets the entries up to and including `index`. Throws CommandError if they are gone already. */
  compact(index: LogIndex): void {
    if (index <= this.compactedTo) throw new CommandError("requested index is unavailable due to compaction");
    if (index > this.lastIndex) throw new Error(`Entry ${index} can't be compacted, the last is ${this.lastIndex}`);
    this.entries = this.entries.slice(index - this.compactedTo);
    this.compactedTo = index;
  }
}
