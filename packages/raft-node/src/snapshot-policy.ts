import type { LogEntry } from "@raftkv/raft-core";

/**
 * A log of so many times the bytes of the last snapshot is worth the next. With a history that only grows, each is larger than the one
 * before, and every member writes it: done more often, that would cost more than the writes themselves.
 */
const LOG_PER_SNAPSHOT = 2;
/** From so many bytes on the log need not be larger than the last snapshot: all of it is read, checked and applied at the next start. */
const LONG_LOG_BYTES = 512 * 1024 * 1024;
/** A log of so many bytes is worth a snapshot, however large that is. */
const LOG_BYTES_MAX = 1024 * 1024 * 1024;

/** What a command costs at a start beside its bytes. */
const COMMAND_OVERHEAD_BYTES = 64;
/** What a log may take on the disk for each byte of its commands: one at a time, each fills a page there. */
const DISK_PER_COMMAND_BYTE = 2;

/**
 * Says when the next snapshot is due: after so many applied commands, and not before they take as many bytes as the last snapshot
 * demands (section 5.1.3 of the Raft dissertation measures the log against the last snapshot, too), or twice as many on the disk.
 */
export class SnapshotPolicy {
  private readonly snapshotCount: number;
  private readonly writtenBytes: () => number;
  private snapshotBytes: number;
  private commands = 0;
  private bytes = 0;
  /** What the log store had written when the last snapshot began. */
  private writtenBefore = 0;

  /** `snapshotBytes`: size of the snapshot that the store begins with. `writtenBytes`: what the log behind that has taken on the disk. */
  constructor(snapshotCount: number, snapshotBytes: number, writtenBytes: () => number) {
    this.snapshotCount = snapshotCount;
    this.snapshotBytes = snapshotBytes;
    this.writtenBytes = writtenBytes;
  }

  get isDue(): boolean {
    const { snapshotBytes } = this;
    if (this.commands < this.snapshotCount) return false;
    const demandedBytes = Math.max(Math.min(LOG_PER_SNAPSHOT * snapshotBytes, LONG_LOG_BYTES), Math.min(snapshotBytes, LOG_BYTES_MAX));
    return this.bytes >= demandedBytes || this.writtenBytes() - this.writtenBefore >= DISK_PER_COMMAND_BYTE * demandedBytes;
  }

  applied(entries: readonly LogEntry[], commands: number): void {
    this.commands += commands;
    this.bytes += commands * COMMAND_OVERHEAD_BYTES;
    for (const { data } of entries) this.bytes += data.length;
  }

  /** A snapshot begins: what is applied from now on counts towards the next. Also for one that fails, so that there is work before the next attempt. */
  begun(): void {
    this.commands = 0;
    this.bytes = 0;
    this.writtenBefore = this.writtenBytes();
  }

  /** A snapshot of that size is in force. */
  ended(snapshotBytes: number): void {
    this.snapshotBytes = snapshotBytes;
  }
}
