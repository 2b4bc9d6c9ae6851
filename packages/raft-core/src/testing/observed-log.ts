import type { LogEntry, LogIndex, Term } from "../types.ts";
import type { CommittedLog } from "./committed-log.ts";
import type { ObservedMember } from "./observed-member.ts";
import { EMPTY_HISTORY, extendHistory, type HistoryHash } from "./shadow-log.ts";
import { violated } from "./violation.ts";

/** A member's log as it was when it was looked at last, with the hash of the history at every index. */
export class ObservedLog {
  /** Indexes of configuration changes, ascending. */
  readonly changes: LogIndex[] = [];
  private baseIndex: LogIndex = 0;
  private baseHash: HistoryHash = EMPTY_HISTORY;
  private entries: LogEntry[] = [];
  private hashes: HistoryHash[] = [];

  get base(): LogIndex {
    return this.baseIndex;
  }

  get lastIndex(): LogIndex {
    return this.baseIndex + this.entries.length;
  }

  termAt(index: LogIndex): Term | undefined {
    return this.entries[index - this.baseIndex - 1]?.term;
  }

  hashAt(index: LogIndex): HistoryHash | undefined {
    return index === this.baseIndex ? this.baseHash : this.hashes[index - this.baseIndex - 1];
  }

  entryAt(index: LogIndex): LogEntry | undefined {
    return this.entries[index - this.baseIndex - 1];
  }

  /** Looks again. Entries are never written into, so whatever stands before an entry seen earlier is what stood there. The first new index. */
  look(member: ObservedMember, base: LogIndex, last: LogIndex, committed: CommittedLog): LogIndex {
    if (base !== this.baseIndex) this.rebase(member, base, committed);
    let kept = Math.min(this.lastIndex, last);
    while (kept > this.baseIndex && this.entryAt(kept) !== member.entryAt(kept)) kept--;
    this.truncate(kept);
    for (let index = kept + 1; index <= last; index++)
      this.push(member.entryAt(index) ?? violated(`member ${member.id} lacks entry ${index}`));
    return kept + 1;
  }

  /** What is compacted, or replaced by a snapshot, is committed. */
  private rebase(member: ObservedMember, base: LogIndex, committed: CommittedLog): void {
    const isInside = base > this.baseIndex && base <= this.lastIndex;
    const dropped = isInside ? base - this.baseIndex : this.entries.length;
    this.entries.splice(0, dropped);
    this.hashes.splice(0, dropped);
    this.baseIndex = base;
    this.baseHash = committed.hashAt(base) ?? violated(`member ${member.id} compacted ${base}, which nobody committed`);
    while ((this.changes[0] ?? base + 1) <= base) this.changes.shift();
    if (!isInside) this.changes.length = 0;
  }

  private truncate(last: LogIndex): void {
    this.entries.length = last - this.baseIndex;
    this.hashes.length = this.entries.length;
    while ((this.changes[this.changes.length - 1] ?? 0) > last) this.changes.pop();
  }

  private push(entry: LogEntry): void {
    this.hashes.push(extendHistory(this.hashAt(this.lastIndex) ?? EMPTY_HISTORY, entry));
    this.entries.push(entry);
    if (entry.kind === "configuration") this.changes.push(entry.index);
  }
}
