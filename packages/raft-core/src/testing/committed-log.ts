import type { LogIndex, Term } from "../types.ts";
import { EMPTY_HISTORY, type HistoryHash } from "./shadow-log.ts";

interface Committed {
  readonly hash: HistoryHash;
  readonly term: Term;
  /** Term of the member that committed it first. */
  readonly inTerm: Term;
  /** Index of the newest configuration change up to here, 0 for none. */
  readonly lastChange: LogIndex;
}

/** What the cluster as a whole has committed: the truth that every member has to agree with for ever. */
export class CommittedLog {
  private readonly committed: Committed[] = [];

  /** What is up to `foundation` was agreed on before the cluster began, and nobody looks at it. */
  constructor(foundation: LogIndex) {
    while (this.lastIndex < foundation) this.append(EMPTY_HISTORY, { term: 0, inTerm: 0, isChange: false });
  }

  get lastIndex(): LogIndex {
    return this.committed.length;
  }

  hashAt(index: LogIndex): HistoryHash | undefined {
    return index === 0 ? EMPTY_HISTORY : this.committed[index - 1]?.hash;
  }

  /** Term of the entry; 0 for one of the foundation, which nobody knows. */
  termAt(index: LogIndex): Term {
    return this.committed[index - 1]?.term ?? 0;
  }

  /** Index of the newest configuration change at or below `index`, 0 for none. */
  lastChangeAt(index: LogIndex): LogIndex {
    return this.committed[index - 1]?.lastChange ?? 0;
  }

  /** The highest index that was committed in a term before `term`. */
  lastBefore(term: Term): LogIndex {
    let index = this.lastIndex;
    while (index > 0 && (this.committed[index - 1]?.inTerm ?? 0) >= term) index--;
    return index;
  }

  append(hash: HistoryHash, facts: { readonly term: Term; readonly inTerm: Term; readonly isChange: boolean }): void {
    const index = this.lastIndex + 1;
    const { term, inTerm } = facts;
    this.committed.push({ hash, term, inTerm, lastChange: facts.isChange ? index : this.lastChangeAt(index - 1) });
  }
}
