import type { EntryRun } from "./entry-run.ts";
import type { LogPosition } from "./format.ts";
import { assert } from "./log-store-error.ts";

/** Entries of one run. */
export interface RunPart {
  readonly run: EntryRun;
  readonly from: number;
  readonly to: number;
}

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

  /** What lies above `from` and not above `to`, in order. */
  parts(from: number, to: number): readonly RunPart[] {
    return this.#runs
      .map(({ run, lastIndex }) => ({ run, from: Math.max(run.firstIndex, from + 1), to: Math.min(lastIndex, to) }))
      .filter((part) => part.from <= part.to);
  }

  /** The newest entry that was released, 0 if there is none. */
  get lastReleased(): number {
    return this.#runs.findLast(({ run }) => run.isReleased)?.lastIndex ?? 0;
  }

  /** The term at an index that the log holds, or of its base. */
  termAt(index: number): number {
    if (index === this.#base.index) return this.#base.term;
    const [part] = this.parts(index - 1, index);
    assert(part !== undefined, "The log has the entry");
    return part.run.termAt(index);
  }
}
