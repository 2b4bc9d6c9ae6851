import type { HardState, LogIndex, QuarantineEvidence, SnapshotMeta } from "@raftkv/raft-core";
import {
  type DirectoryLock,
  type Disk,
  DiskError,
  type LogBatch,
  type Logger,
  type LogStore,
  type LogStoreMetrics,
  type RecoveredLog,
  type SnapshotReader,
} from "@raftkv/raft-node";
import { type DataDirectory, segmentNumberOf } from "./data-directory.ts";
import type { DiskReserve } from "./disk-reserve.ts";
import type { SnapshotMark } from "./frame.ts";
import { assert, LogStoreError } from "./log-store-error.ts";
import type { LogWriter } from "./log-writer.ts";
import type { MetaChange, MetaFile } from "./meta-file.ts";
import { writeQuarantine } from "./quarantine-file.ts";
import type { SnapshotFile } from "./snapshot-file.ts";
import { markOf, type SnapshotStore } from "./snapshot-store.ts";

export interface FileLogStoreParts {
  readonly disk: Disk;
  readonly logger: Logger;
  readonly directory: DataDirectory;
  readonly meta: MetaFile;
  readonly writer: LogWriter;
  readonly snapshots: SnapshotStore;
  readonly lock: DirectoryLock;
  readonly reserve: DiskReserve;
  readonly storeId: bigint;
}

/** An open data directory: hands appends to the writer, and keeps snapshots, log and meta file in step. */
export class FileLogStore implements LogStore {
  readonly storeId: bigint;
  readonly #parts: FileLogStoreParts;
  #recovered: RecoveredLog;
  readonly #underWay = new Set<Promise<unknown>>();
  #queuedSnapshotIndex: number;
  #removing: Promise<void> = Promise.resolve();
  #quarantined: Promise<void> | null;
  #closing: Promise<void> | null = null;

  constructor(parts: FileLogStoreParts, recovered: RecoveredLog) {
    this.#parts = parts;
    this.storeId = parts.storeId;
    this.#recovered = recovered;
    this.#queuedSnapshotIndex = recovered.snapshot?.index ?? 0;
    this.#quarantined = recovered.quarantine === null ? null : Promise.resolve();
  }

  get recovered(): RecoveredLog {
    return this.#recovered;
  }

  releaseRecovered(): void {
    this.#recovered = { ...this.#recovered, replay: null, entries: [] };
  }

  append(batch: LogBatch): Promise<void> {
    if (this.#closing !== null) return Promise.reject(closed());
    return this.#parts.writer.run({ type: "append", batch });
  }

  saveSnapshot(meta: SnapshotMeta, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    return this.#track(() => this.#saveSnapshot(meta, chunks));
  }

  receiveSnapshot(meta: SnapshotMeta, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    return this.#track(() => this.#guard(this.#parts.snapshots.receive(meta, chunks)));
  }

  installSnapshot(meta: SnapshotMeta, hardState: HardState | null): Promise<void> {
    return this.#track(() => this.#installSnapshot(meta, hardState));
  }

  discardSnapshot(meta: SnapshotMeta): Promise<void> {
    return this.#track(() => this.#guard(this.#parts.snapshots.discard(meta)));
  }

  readSnapshot(): Promise<SnapshotReader | null> {
    return this.#track(() => this.#parts.snapshots.read());
  }

  compact(index: LogIndex): Promise<void> {
    return this.#track(() => this.#compact(index));
  }

  recordQuarantine(evidence: QuarantineEvidence): Promise<void> {
    return this.#whileOpen(() => {
      this.#quarantined ??= this.#recordQuarantine(evidence);
      return this.#quarantined;
    });
  }

  endRepair(): Promise<void> {
    return this.#track(() => this.#endRepair());
  }

  get failure(): LogStoreError | null {
    return this.#parts.writer.failure;
  }

  metrics(): LogStoreMetrics {
    return this.#parts.writer.metrics;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #saveSnapshot(meta: SnapshotMeta, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const { snapshots, writer } = this.#parts;
    const written = await this.#guard(snapshots.write(meta, chunks));
    if (meta.index <= this.#queuedSnapshotIndex) return snapshots.remove(written.path);
    const file = await this.#guard(snapshots.rename(written));
    if (meta.index < this.#queuedSnapshotIndex) return snapshots.remove(file.path);
    // A twin that was saved at the same time has the same name.
    if (meta.index === this.#queuedSnapshotIndex) return;
    this.#queuedSnapshotIndex = meta.index;
    await writer.run({ type: "mark", mark: markOf(file, "own") });
    await this.#putInForce(file, "own");
  }

  async #installSnapshot(meta: SnapshotMeta, hardState: HardState | null): Promise<void> {
    const { snapshots, writer } = this.#parts;
    if (meta.index <= this.#queuedSnapshotIndex) {
      throw new LogStoreError("ERR_SNAPSHOT", `Snapshot ${meta.index} is not installed over snapshot ${this.#queuedSnapshotIndex}`);
    }
    const received = snapshots.takeReceived(meta);
    let file = received;
    const rename = async (): Promise<void> => {
      file = await snapshots.rename(received);
    };
    this.#queuedSnapshotIndex = meta.index;
    await writer.run({ type: "install", mark: markOf(received, "installed"), hardState, rename });
    await this.#putInForce(file, "installed");
    await this.#compact(meta.index);
  }

  /** The commit index first: a member that votes knows which configurations are in force, also after its next start. */
  async #endRepair(): Promise<void> {
    const { writer, meta } = this.#parts;
    if (meta.durable.repairFrom === 0) return;
    await writer.run({ type: "commit" });
    await this.#updateMeta({ repairFrom: 0 });
  }

  async #putInForce(file: SnapshotFile, kind: SnapshotMark["kind"]): Promise<void> {
    const { snapshots } = this.#parts;
    snapshots.putInForce(file, kind);
    await this.#updateMeta({ snapshotIndex: file.meta.index, snapshotTerm: file.meta.term });
    await snapshots.removeObsolete();
  }

  async #updateMeta(change: MetaChange): Promise<void> {
    const { meta, writer } = this.#parts;
    try {
      await meta.update(change);
    } catch (reason) {
      writer.fail(reason);
      throw LogStoreError.from(reason, "write the meta file");
    }
  }

  /** The log goes back to the older one of two snapshots: the newest may turn out to be damaged when it is needed. */
  async #compact(index: LogIndex): Promise<void> {
    const { snapshots, writer } = this.#parts;
    assert(index <= (snapshots.inForce?.meta.index ?? 0), "Only what a snapshot in force covers is compacted");
    writer.forget(Math.min(index, snapshots.neededIndex));
    const kept = new Set(writer.chain.map((link) => link.number));
    const current = writer.chain.at(-1)?.number ?? 0;
    this.#removing = this.#removing.then(() => this.#removeSegments(kept, current));
    await this.#removing;
  }

  /** Removes what is older than `current` and not in `kept`, oldest first: a crash in between leaves a longer log, never a hole. */
  async #removeSegments(kept: ReadonlySet<number>, current: number): Promise<void> {
    const { disk, directory, logger } = this.#parts;
    let removed = 0;
    try {
      for (const name of await disk.list(directory.wal)) {
        const number = segmentNumberOf(name);
        if (number === null || number >= current || kept.has(number)) continue;
        await disk.remove(`${directory.wal}/${name}`);
        removed += 1;
      }
      if (removed === 0) return;
      await disk.syncDirectory(directory.wal);
      this.#parts.reserve.spaceWasFreed();
    } catch (reason) {
      if (isFatal(reason)) {
        this.#parts.writer.fail(reason);
        throw LogStoreError.from(reason, "remove old log segments");
      }
      // They cost space, not data: the next compaction tries again.
      logger.warn("old log segments could not be removed", { directory: directory.wal, removed, reason: String(reason) });
    }
  }

  /** Also when the log has failed: this file is written apart from it. */
  async #recordQuarantine(evidence: QuarantineEvidence): Promise<void> {
    const { disk, directory } = this.#parts;
    try {
      await writeQuarantine(disk, directory.root, evidence);
    } catch (reason) {
      throw LogStoreError.from(reason, "record that this member is quarantined");
    }
  }

  async #close(): Promise<void> {
    const { writer, meta, lock, reserve, logger } = this.#parts;
    await Promise.allSettled([...this.#underWay]);
    await reserve.close();
    const failedBefore = writer.failure !== null;
    await writer.close();
    // Everything that was acknowledged is durable without the seal, but nobody waits for it who could be told.
    if (!failedBefore && writer.failure !== null) logger.error("the disk failed while the log was closed", { error: writer.failure });
    await meta.close();
    await lock.release();
  }

  /** Runs now, so that calls keep their order, unless the log has failed. */
  #track<T>(run: () => Promise<T>): Promise<T> {
    return this.#whileOpen(() => {
      const { failure } = this.#parts.writer;
      if (failure === null) return run();
      return Promise.reject(
        new LogStoreError("ERR_STORAGE_FAILED", `Storage failed before and is not used again: ${failure.message}`, { cause: failure }),
      );
    });
  }

  /** Runs now, and lets `close` wait for it. */
  #whileOpen<T>(run: () => Promise<T>): Promise<T> {
    if (this.#closing !== null) return Promise.reject(closed());
    const promise = run();
    this.#underWay.add(promise);
    const done = (): void => {
      this.#underWay.delete(promise);
    };
    promise.then(done, done);
    return promise;
  }

  /** A snapshot that can't be written is given up, but a disk that fails to read or write is not trusted any more. */
  async #guard<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (reason) {
      if (isFatal(reason)) this.#parts.writer.fail(reason);
      throw reason instanceof DiskError ? LogStoreError.from(reason, "write a snapshot") : reason;
    }
  }
}

/** Whether a failure shows that the disk can't be trusted any more. */
function isFatal(reason: unknown): boolean {
  const disk = reason instanceof LogStoreError ? reason.cause : reason;
  return disk instanceof DiskError && disk.code === "io";
}

function closed(): LogStoreError {
  return new LogStoreError("ERR_CLOSED", "The log store is closed");
}
