import type { LogEntry } from "@raftkv/raft-core";
import { loggedBytes } from "./logged-bytes.ts";

/** A log of so many bytes is worth a snapshot, however large that is: the log is read at the next start. */
const LOG_BYTES_MAX = 256 * 1024 * 1024;
/**
 * A log of so many times the bytes of the last snapshot is worth the next. With a history that only grows, each is larger than the one
 * before, and every member writes it: done more often, that would cost more than the writes themselves.
 */
const LOG_PER_SNAPSHOT = 2;

/**
 * Says when the next snapshot is due: after so many applied entries, and not before they are twice as large as the last snapshot was, until
 * a state has outgrown what a log may take (section 5.1.3 of the Raft dissertation measures the log against the last snapshot, too).
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
    return this.entries >= this.snapshotCount && this.bytes >= Math.min(LOG_PER_SNAPSHOT * this.snapshotBytes, LOG_BYTES_MAX);
  }

  applied(entries: readonly LogEntry[]): void {
    this.entries += entries.length;
    for (const entry of entries) this.bytes += loggedBytes(entry);
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
