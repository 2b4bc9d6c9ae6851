import type { LogEntry } from "@raftkv/raft-core";

/** A log this many times smaller than the snapshot before it is not worth another one. */
const SNAPSHOT_TO_LOG_MAX = 4;

/**
 * Says when the next snapshot is due: after so many applied entries, and not before they are a quarter of what the last snapshot was. So however large the
 * state is, writing snapshots costs at most a few times what writing the log does, and a log that is kept in memory stays
 * small beside the state (section 5.1.3 of the Raft dissertation measures the log against the last snapshot, too).
 */
export class SnapshotPolicy {
  private readonly snapshotCount: number;
  private snapshotBytes: number;
  private entries = 0;
  private bytes = 0;

  /** `snapshotBytes`: size of the snapshot that the store begins with. */
  constructor(snapshotCount: number, snapshotBytes: number) {
    this.snapshotCount = snapshotCount;
    this.snapshotBytes = snapshotBytes;
  }

  get isDue(): boolean {
    return this.entries >= this.snapshotCount && this.bytes * SNAPSHOT_TO_LOG_MAX >= this.snapshotBytes;
  }

  applied(entries: readonly LogEntry[]): void {
    this.entries += entries.length;
    for (const { data } of entries) this.bytes += data.length;
  }

  /** A snapshot begins: what is applied from now on counts towards the next. Also for one that fails, so that there is work before the next attempt. */
  begun(): void {
    this.entries = 0;
    this.bytes = 0;
  }

  /** A snapshot of that size is in force. */
  ended(snapshotBytes: number): void {
    this.snapshotBytes = snapshotBytes;
  }
}
