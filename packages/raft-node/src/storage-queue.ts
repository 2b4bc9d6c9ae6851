import type { AppendJob, SnapshotMeta } from "@raftkv/raft-core";
import type { LogStore } from "./log-store.ts";

interface Queued {
  readonly job: AppendJob;
  done: boolean;
}

export interface StorageQueueOptions {
  readonly logStore: LogStore;
  /** Brings the state machine to a snapshot that was just put in force. */
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
  private installing: Promise<void> = Promise.resolve();
  private running = 0;
  private waiters: (() => void)[] = [];

  constructor(options: StorageQueueOptions) {
    this.options = options;
  }

  add(job: AppendJob): void {
    const { logStore } = this.options;
    const queued = { job, done: false };
    this.queue.push(queued);
    if (job.snapshot !== null) {
      this.installing = this.install(job, job.snapshot);
      this.track(queued, this.installing);
    } else if (job.mustSync) {
      this.track(queued, logStore.append({ hardState: job.hardState, entries: job.entries }));
    } else {
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

  /** A snapshot in force restarts the log; entries of the same job follow it. */
  private async install(job: AppendJob, meta: SnapshotMeta): Promise<void> {
    const { logStore, restore } = this.options;
    await logStore.installSnapshot(meta, job.hardState);
    await restore(meta);
    if (job.entries.length > 0) await logStore.append({ hardState: null, entries: job.entries });
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
