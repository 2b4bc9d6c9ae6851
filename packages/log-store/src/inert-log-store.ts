import type { DirectoryLock, LogStore, LogStoreMetrics, RecoveredLog, SnapshotReader } from "@raftkv/raft-node";
import { LogStoreError } from "./log-store-error.ts";
import type { SnapshotStore } from "./snapshot-store.ts";
import { WriteMetrics } from "./write-metrics.ts";

export interface InertLogStoreParts {
  readonly storeId: bigint;
  /** Its newest snapshot that is sound is the one in force. */
  readonly snapshots: SnapshotStore;
  readonly lock: DirectoryLock;
  /** Why the directory is not used, and what to do. */
  readonly description: string;
}

/**
 * A directory that lost the term and the vote of its member. It is held, so that nobody else opens it, and left as it is: nothing that
 * this member could promise from now on can be trusted. Its newest snapshot can be read.
 */
export class InertLogStore implements LogStore {
  readonly storeId: bigint;
  readonly recovered: RecoveredLog;
  /** Nothing is written that could fail. */
  readonly failure = null;
  readonly #parts: InertLogStoreParts;
  #closing: Promise<void> | null = null;

  constructor(parts: InertLogStoreParts) {
    this.#parts = parts;
    this.storeId = parts.storeId;
    const snapshot = parts.snapshots.inForce?.meta ?? null;
    this.recovered = {
      // The least that a member with this snapshot can have. Its real term and vote are gone.
      hardState: { term: snapshot?.term ?? 0, vote: 0, commit: snapshot?.index ?? 0 },
      snapshot,
      replay: null,
      entries: [],
      logBytes: 0,
      quarantine: { kind: "storage", description: parts.description },
      lost: null,
    };
  }

  /** It recovered none. */
  releaseRecovered(): void {}

  append(): Promise<void> {
    return this.#refuse();
  }

  saveSnapshot(): Promise<void> {
    return this.#refuse();
  }

  receiveSnapshot(): Promise<void> {
    return this.#refuse();
  }

  installSnapshot(): Promise<void> {
    return this.#refuse();
  }

  discardSnapshot(): Promise<void> {
    return this.#refuse();
  }

  readSnapshot(): Promise<SnapshotReader | null> {
    if (this.#closing !== null) return Promise.reject(new LogStoreError("ERR_CLOSED", "The log store is closed"));
    return this.#parts.snapshots.read();
  }

  compact(): Promise<void> {
    return this.#refuse();
  }

  /** The evidence is on the disk already, and stays the first one. */
  async recordQuarantine(): Promise<void> {}

  endRepair(): Promise<void> {
    return this.#refuse();
  }

  metrics(): LogStoreMetrics {
    return new WriteMetrics().read(0);
  }

  close(): Promise<void> {
    this.#closing ??= this.#parts.lock.release();
    return this.#closing;
  }

  #refuse(): Promise<never> {
    return Promise.reject(new LogStoreError("ERR_QUARANTINED", `The store of this member takes nothing: ${this.#parts.description}`));
  }
}
