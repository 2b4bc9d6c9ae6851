import type { ApplyJob, LogEntry } from "@raftkv/raft-core";
import type { Clock } from "./ports.ts";

export interface ApplyQueueOptions {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly applyEntry: (entry: LogEntry) => void;
  /** The state machine stands at the last entry of the job. */
  readonly onJobDone: (job: ApplyJob) => void;
}

/** Entries between two looks at the clock. */
const SLICE_ENTRIES = 16;

/**
 * Apply jobs in the order of the core. A member that has much to catch up with applies it in slices, so that its heartbeats and votes
 * leave in between; however large the jobs are, a turn takes little longer than it may.
 */
export class ApplyQueue {
  private readonly options: ApplyQueueOptions;
  private jobs: ApplyJob[] = [];
  /** Entries of the first job that are applied already. */
  private done = 0;

  constructor(options: ApplyQueueOptions) {
    this.options = options;
  }

  get isEmpty(): boolean {
    return this.jobs.length === 0;
  }

  add(job: ApplyJob): void {
    this.jobs.push(job);
  }

  /** Applies at least a slice. True if a job was finished and there is time for what follows from it. */
  runUntil(deadlineMs: number): boolean {
    let isAnyDone = false;
    while (this.jobs.length > 0) {
      if (this.applySlice()) isAnyDone = true;
      if (this.options.clock.monotonicMs() >= deadlineMs) return false;
    }
    return isAnyDone;
  }

  /** Applies everything, however long it takes. */
  finish(): void {
    while (this.jobs.length > 0) this.applySlice();
  }

  /** True if it ended a job. */
  private applySlice(): boolean {
    const [job] = this.jobs;
    if (job === undefined) return false;
    const end = Math.min(this.done + SLICE_ENTRIES, job.entries.length);
    for (let at = this.done; at < end; at++) {
      const entry = job.entries[at];
      if (entry !== undefined) this.options.applyEntry(entry);
    }
    this.done = end;
    if (end < job.entries.length) return false;
    this.done = 0;
    this.jobs.shift();
    this.options.onJobDone(job);
    return true;
  }
}
