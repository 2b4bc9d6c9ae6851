import type { LogEntry, LogIndex } from "@raftkv/raft-core";

/** The window moves on by so many parts of it at a time. */
const STRIDES = 16;
/** What an entry takes in memory beside its data. */
const ENTRY_OVERHEAD_BYTES = 64;

/**
 * Applied entries that stay in memory for members that are a little behind: the newest that are as large as the window, and a part of it.
 *
 *     forgotten │ stride │ stride │ ... │ stride │ not a whole stride yet
 *               └ start                          └ what was applied last
 */
export class CatchUpWindow {
  private readonly strideBytes: number;
  /** Where each whole stride ends, ascending. */
  private readonly ends: LogIndex[] = [];
  /** Of the stride that has not ended. */
  private bytes = 0;
  private lastForgotten: LogIndex = 0;

  constructor(windowBytes: number) {
    this.strideBytes = windowBytes / STRIDES;
  }

  /** The last entry in front of the window, 0 if all are in it. */
  get forgotten(): LogIndex {
    return this.lastForgotten;
  }

  applied(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      this.bytes += ENTRY_OVERHEAD_BYTES + entry.data.length;
      if (this.bytes >= this.strideBytes) this.endStrides(entry.index - 1);
    }
  }

  /** The entry behind `index` begins the next stride, and may be larger than one, or than the window. */
  private endStrides(index: LogIndex): void {
    const count = Math.min(Math.floor(this.bytes / this.strideBytes), STRIDES + 1);
    this.bytes %= this.strideBytes;
    for (let ended = 0; ended < count; ended++) this.ends.push(index);
    while (this.ends.length > STRIDES) this.lastForgotten = this.ends.shift() ?? 0;
  }
}
