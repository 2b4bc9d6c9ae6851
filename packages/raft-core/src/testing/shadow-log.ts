import type { LogEntry, LogIndex, Term } from "../types.ts";

/** Everything up to one index, as one number: equal hashes stand for equal histories. */
export type HistoryHash = number;

export const EMPTY_HISTORY: HistoryHash = 0x811c9dc5;

export function extendHistory(history: HistoryHash, entry: LogEntry): HistoryHash {
  let hash = mixed(mixed(mixed(history, entry.index), entry.term), entry.kind.length);
  for (let offset = 0; offset < entry.data.length; offset++) hash = mixed(hash, entry.data[offset] ?? 0);
  return hash;
}

function mixed(hash: number, value: number): number {
  return Math.imul(hash ^ value, 0x01000193) >>> 0;
}

/** A log as a plain array, with the hash of the history at every index: what the core handed out, or what a disk holds. */
export class ShadowLog {
  baseIndex: LogIndex = 0;
  baseTerm: Term = 0;
  baseHash: HistoryHash = EMPTY_HISTORY;
  entries: LogEntry[] = [];
  private hashes: HistoryHash[] = [];

  get lastIndex(): LogIndex {
    return this.baseIndex + this.entries.length;
  }

  termAt(index: LogIndex): Term | undefined {
    return index === this.baseIndex ? this.baseTerm : this.entries[index - this.baseIndex - 1]?.term;
  }

  hashAt(index: LogIndex): HistoryHash | undefined {
    return index === this.baseIndex ? this.baseHash : this.hashes[index - this.baseIndex - 1];
  }

  /** Entries replace everything at or above their first index. */
  write(entries: readonly LogEntry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    if (first.index <= this.baseIndex || first.index > this.lastIndex + 1) {
      throw new Error(`Entries from ${first.index} do not continue a log of ${this.baseIndex + 1}..${this.lastIndex}`);
    }
    this.truncate(first.index - 1);
    for (const entry of entries) {
      if (entry.index !== this.lastIndex + 1) throw new Error(`Entry ${entry.index} leaves a gap after ${this.lastIndex}`);
      const before = this.hashAt(this.lastIndex) ?? EMPTY_HISTORY;
      this.entries.push(entry);
      this.hashes.push(extendHistory(before, entry));
    }
  }

  /** Forgets what is above `last`. */
  truncate(last: LogIndex): void {
    this.entries.length = Math.min(this.entries.length, Math.max(0, last - this.baseIndex));
    this.hashes.length = this.entries.length;
  }

  restart(index: LogIndex, term: Term, hash: HistoryHash): void {
    this.baseIndex = index;
    this.baseTerm = term;
    this.baseHash = hash;
    this.entries = [];
    this.hashes = [];
  }

  compact(index: LogIndex): void {
    const term = this.termAt(index);
    const hash = this.hashAt(index);
    if (index <= this.baseIndex || term === undefined || hash === undefined) return;
    const dropped = index - this.baseIndex;
    this.entries = this.entries.slice(dropped);
    this.hashes = this.hashes.slice(dropped);
    this.baseIndex = index;
    this.baseTerm = term;
    this.baseHash = hash;
  }

  copy(): ShadowLog {
    const copy = new ShadowLog();
    copy.restart(this.baseIndex, this.baseTerm, this.baseHash);
    copy.entries = [...this.entries];
    copy.hashes = [...this.hashes];
    return copy;
  }
}
