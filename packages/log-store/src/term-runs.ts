import { assert } from "./log-store-error.ts";

/** The term of each log index, kept as the indexes where the term changes: a handful, however long the log is. */
export class TermRuns {
  /** Ascending by index; the first is the base, the last position before the oldest entry. */
  #runs: { readonly index: number; readonly term: number }[];
  #lastIndex: number;

  constructor(baseIndex: number, baseTerm: number) {
    this.#runs = [{ index: baseIndex, term: baseTerm }];
    this.#lastIndex = baseIndex;
  }

  get lastIndex(): number {
    return this.#lastIndex;
  }

  get lastTerm(): number {
    return this.#runs.at(-1)?.term ?? 0;
  }

  append(index: number, term: number): void {
    assert(index === this.#lastIndex + 1, "Entries leave no gap");
    if (term !== this.lastTerm) this.#runs.push({ index, term });
    this.#lastIndex = index;
  }

  termAt(index: number): number {
    const run = this.#runs.findLast((candidate) => candidate.index <= index);
    assert(run !== undefined && index <= this.#lastIndex, "The term is asked of an index that the log holds");
    return run.term;
  }

  /** The log ends at `index` from now on. */
  truncate(index: number): void {
    const base = this.#runs[0];
    assert(base !== undefined && index >= base.index && index <= this.#lastIndex, "The log is cut within its bounds");
    while ((this.#runs.at(-1)?.index ?? 0) > index) this.#runs.pop();
    this.#lastIndex = index;
  }

  /** Forgets the terms before `index`, which becomes the base. */
  compact(index: number): void {
    const at = this.#runs.findLastIndex((run) => run.index <= index);
    if (at < 0) return;
    this.#runs = [{ index, term: this.termAt(index) }, ...this.#runs.slice(at + 1)];
  }

  reset(baseIndex: number, baseTerm: number): void {
    this.#runs = [{ index: baseIndex, term: baseTerm }];
    this.#lastIndex = baseIndex;
  }
}
