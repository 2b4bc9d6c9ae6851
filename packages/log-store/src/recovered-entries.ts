import type { LogEntry } from "@raftkv/raft-core";
import type { EntryRun } from "./entry-run.ts";
import type { LogPosition } from "./format.ts";
import { assert } from "./log-store-error.ts";

/** The part of a run that is still in the log. */
interface KeptRun {
  readonly run: EntryRun;
  readonly lastIndex: number;
}

/** The entries of a log as its segments have them, from one position on, without gaps. */
export class RecoveredEntries {
  #base: LogPosition;
  #last: LogPosition;
  #runs: KeptRun[] = [];

  constructor(base: LogPosition) {
    this.#base = base;
    this.#last = base;
  }

  /** Last position before the oldest entry. */
  get base(): LogPosition {
    return this.#base;
  }

  /** Position of the newest entry, or the base. */
  get last(): LogPosition {
    return this.#last;
  }

  append(run: EntryRun): void {
    assert(run.firstIndex === this.#last.index + 1, "The entries of a log have no gaps");
    const { lastIndex } = run;
    this.#runs.push({ run, lastIndex });
    this.#last = { index: lastIndex, term: run.termAt(lastIndex) };
  }

  /** The log ends at `end` from now on. A compaction may have removed what stood there: the log then begins where it was cut. */
  truncate(end: LogPosition): void {
    if (end.index < this.#base.index) this.#base = end;
    while ((this.#runs.at(-1)?.run.firstIndex ?? -Infinity) > end.index) this.#runs.pop();
    const cut = this.#runs.at(-1);
    if (cut !== undefined && cut.lastIndex > end.index) this.#runs[this.#runs.length - 1] = { run: cut.run, lastIndex: end.index };
    this.#last = end;
  }

  /** Whether the log has an entry, or its base, at this very position. */
  holds({ index, term }: LogPosition): boolean {
    if (index === this.#base.index) return term === this.#base.term;
    return this.#runs.find(({ run, lastIndex }) => run.firstIndex <= index && index <= lastIndex)?.run.termAt(index) === term;
  }

  /** Where each entry stands, the oldest first. */
  *positions(): Generator<LogPosition, undefined> {
    for (const { run, lastIndex } of this.#runs) yield* run.positions(run.firstIndex, lastIndex);
  }

  /** The entries above `index`. Their data stay where the runs have them. */
  after(index: number): readonly LogEntry[] {
    const entries: LogEntry[] = [];
    for (const { run, lastIndex } of this.#runs) {
      if (lastIndex <= index) continue;
      for (const entry of run.entries(Math.max(run.firstIndex, index + 1), lastIndex)) entries.push(entry);
    }
    return entries;
  }
}
