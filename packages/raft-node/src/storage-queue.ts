import type { AppendJob, HardState, SnapshotMeta } from "@raftkv/raft-core";
import type { LogStore } from "./log-store.ts";

interface Queued {
  readonly job: AppendJob;
  done: boolean;
}

export interface StorageQueueOptions {
  readonly logStore: Pick<LogStore, "append" | "installSnapshot">;
  /** Brings the state machine to a snapshot that was just put in force. Called for one snapshot after the other. */
  readonly restore: (meta: SnapshotMeta) => Promise<void>;
  readonly onDone: () => void;
  readonly onFailure: (error: Error) => void;
}

/**
 * Append jobs in the order of the core, handed back in that order once they are durable. The log store writes what waits
 * together. Jobs that store nothing only keep their place behind the others.
 */
export class StorageQueue {
  private readonly options: StorageQueueOptions;
  private queue: Queued[] = [];
  private restoring: Promise<void> = Promise.resolve();
  /** A new commit index is not worth a sync, but goes with the next one: what follows in the log may rest on it. */
  private unwritten: HardState | null = null;
  private running = 0;
  private waiters: (() => void)[] = [];

  constructor(options: StorageQueueOptions) {
    this.options = options;
  }

  add(job: AppendJob): void {
    const { logStore } = this.options;
    const queued = { job, done: false };
    this.queue.push(queued);
    const hardState = job.hardState ?? this.unwritten;
    this.unwritten = null;
    if (job.snapshot !== null) {
      this.track(queued, this.install(job, hardState, job.snapshot));
    } else if (job.mustSync) {
      this.track(queued, logStore.append({ hardState, entries: job.entries }));
    } else {
      this.unwritten = hardState;
      queued.done = true;
    }
  }

  /** Gives back, in order, the jobs at the front that are done. */
  takeDone(handle: (job: AppendJob) => void): void {
    while (this.queue[0]?.done === true) {
      const front = this.queue.shift();
      if (front !== undefined) handle(front.job);
    }
  }

  /** Resolves when the disk has nothing more under way. */
  idle(): Promise<void> {
    if (this.running === 0) return Promise.resolve();
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  /**
   * The log is told at once, so that it stays in the order of the jobs; entries of the same job follow the snapshot. The state
   * machine takes one snapshot after the other, even if a second one comes while it is still busy with the first.
   */
  private async install(job: AppendJob, hardState: HardState | null, meta: SnapshotMeta): Promise<void> {
    const { logStore, restore } = this.options;
    const installed = logStore.installSnapshot(meta, hardState);
    const appended = job.entries.length > 0 ? logStore.append({ hardState: null, entries: job.entries }) : Promise.resolve();
    const before = this.restoring;
    const restored = Promise.all([before, installed]).then(() => restore(meta));
    this.restoring = restored;
    await Promise.all([restored, appended]);
  }

  private track(queued: Queued, work: Promise<void>): void {
    this.running++;
    work.then(
      () => {
        queued.done = true;
        this.finished();
        this.options.onDone();
      },
      (error: unknown) => {
        this.finished();
        this.options.onFailure(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }

  private finished(): void {
    this.running--;
    if (this.running > 0) return;
    const { waiters } = this;
    this.waiters = [];
    for (const wake of waiters) wake();
  }
}
