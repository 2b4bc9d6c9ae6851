/** When which history is given up. Knows no clock: it is told the time. */
export interface CompactionPlan {
  /** How often `due` is to be asked. */
  readonly stepMs: number;
  /** The revision that it is time to compact to, null for none. */
  due(nowMs: number, revision: number): number | null;
  /** The compaction that was due is done. Otherwise it stays due. */
  compacted(nowMs: number): void;
}

/** Revision mode looks every so often, as etcd. */
const revisionModeMs = 5 * 60_000;
/** Periodic mode compacts at least that often. */
const intervalMsMax = 60 * 60_000;
/** Revisions that are noted in an interval. */
const notesPerInterval = 10;

/**
 * Keeps the history of the last `periodMs`. The revision is noted ten times in an interval, which is the period but an hour at most. When the
 * first period is over, and then after every interval, everything before the note of a period ago is given up.
 */
export class PeriodicPlan implements CompactionPlan {
  readonly stepMs: number;
  private readonly intervalMs: number;
  private readonly notesMax: number;
  private readonly notes: number[];
  /** The next compaction is not before. */
  private notBeforeMs: number;
  private lastRevision = 0;
  private dueRevision = 0;

  constructor(periodMs: number, start: { readonly nowMs: number; readonly revision: number }) {
    this.intervalMs = Math.min(periodMs, intervalMsMax);
    this.stepMs = this.intervalMs / notesPerInterval;
    this.notesMax = Math.max(1, Math.round(periodMs / this.stepMs));
    this.notBeforeMs = start.nowMs + periodMs;
    this.notes = [start.revision];
  }

  due(nowMs: number, revision: number): number | null {
    const oldest = this.notes.length >= this.notesMax ? this.notes.shift() : undefined;
    this.notes.push(revision);
    if (oldest !== undefined) this.dueRevision = oldest;
    if (nowMs < this.notBeforeMs || this.dueRevision === this.lastRevision) return null;
    return this.dueRevision;
  }

  compacted(nowMs: number): void {
    this.lastRevision = this.dueRevision;
    this.notBeforeMs = nowMs + this.intervalMs;
  }
}

/** Keeps the last `revisionsKept` revisions. */
export class RevisionPlan implements CompactionPlan {
  readonly stepMs = revisionModeMs;
  private readonly revisionsKept: number;
  private lastRevision = 0;
  private dueRevision = 0;

  constructor(revisionsKept: number) {
    this.revisionsKept = revisionsKept;
  }

  due(_nowMs: number, revision: number): number | null {
    this.dueRevision = revision - this.revisionsKept;
    return this.dueRevision > Math.max(this.lastRevision, 0) ? this.dueRevision : null;
  }

  compacted(): void {
    this.lastRevision = this.dueRevision;
  }
}
