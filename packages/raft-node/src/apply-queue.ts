import type { ApplyJob, LogEntry } from "@raftkv/raft-core";
import type { EntryApplier } from "./entry-applier.ts";
import type { Clock } from "./ports.ts";

export interface ApplyQueueOptions {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly applier: Pick<EntryApplier<unknown>, "apply" | "isInsideEntry">;
  /** The state machine stands at the last entry of the job, which had so many commands. */
  readonly onJobDone: (job: ApplyJob, commands: number) => void;
}

/** Commands between two looks at the clock. */
const SLICE_COMMANDS = 16;

/**
 * Apply jobs in the order of the core. A member that has much to catch up with applies it in slices, so that its heartbeats and votes
 * leave in between; however large the jobs are, a turn takes little longer than it may.
 */
export class ApplyQueue {
  private readonly options: ApplyQueueOptions;
  private jobs: ApplyJob[] = [];
  /** Entries of the first job that are applied already. */
  private done = 0;
  /** Commands of the first job that are applied already. */
  private doneCommands = 0;

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
    const { applier } = this.options;
    const { entries } = job;
    for (let left = SLICE_COMMANDS; left > 0 && this.done < entries.length; ) {
      const applied = applier.apply(entries[this.done] as LogEntry, left);
      left -= applied;
      this.doneCommands += applied;
      if (!applier.isInsideEntry) this.done++;
    }
    if (this.done < entries.length) return false;
    const commands = this.doneCommands;
    this.done = 0;
    this.doneCommands = 0;
    this.jobs.shift();
    this.options.onJobDone(job, commands);
    return true;
  }
}
