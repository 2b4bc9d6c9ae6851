import type { SnapshotMeta } from "@raftkv/raft-core";
import { type Disk, DiskError, type Logger, type Random, type SnapshotReader } from "@raftkv/raft-node";
import type { DataDirectory } from "./data-directory.ts";
import { hex16, type StoreIdentity } from "./format.ts";
import type { SnapshotMark } from "./frame.ts";
import { assert, LogStoreError } from "./log-store-error.ts";
import { readState, type SnapshotFile, writeSnapshotFile } from "./snapshot-file.ts";

/** Received snapshots that wait to be installed or discarded. The core asks for one at a time. */
const RECEIVED_MAX = 4;

export interface SnapshotStoreOptions {
  readonly disk: Disk;
  readonly random: Random;
  readonly logger: Logger;
  readonly directory: DataDirectory;
  readonly identity: StoreIdentity;
}

/** A snapshot that was in force before, and is kept with the log that goes on from it. */
export interface KeptSnapshot {
  readonly path: string;
  readonly index: number;
}

/**
 * The files in `snap/`: which one is in force, which one was before it, which are being read, which were received. The one before stays,
 * so that a damaged snapshot costs nothing.
 */
export class SnapshotStore {
  readonly #options: SnapshotStoreOptions;
  readonly #received = new Map<string, SnapshotFile>();
  /** How many readers hold a path; a path at 0 that is obsolete is removed. */
  readonly #readers = new Map<string, number>();
  readonly #obsolete = new Set<string>();
  #inForce: SnapshotFile | null;
  #older: KeptSnapshot | null;
  /** Where the log begins anew with the one in force, 0 if it does not. */
  #installedIndex = 0;

  constructor(
    options: SnapshotStoreOptions,
    { inForce, older }: { readonly inForce: SnapshotFile | null; readonly older: KeptSnapshot | null },
  ) {
    this.#options = options;
    this.#inForce = inForce;
    this.#older = older;
  }

  get inForce(): SnapshotFile | null {
    return this.#inForce;
  }

  /** The log after this index is kept: a snapshot alone, if it is not where the log begins, is not enough to do without the rest. */
  get neededIndex(): number {
    return this.#older?.index ?? this.#installedIndex;
  }

  /** Writes this member's own state to a temporary file. */
  write(meta: SnapshotMeta, chunks: AsyncIterable<Uint8Array>): Promise<SnapshotFile> {
    return this.#write("own", meta, chunks);
  }

  /** Keeps what a leader sends until `takeReceived` or `discard`. The same snapshot sent again replaces the earlier file. */
  async receive(meta: SnapshotMeta, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const key = keyOf(meta);
    if (this.#received.size >= RECEIVED_MAX && !this.#received.has(key)) {
      throw new LogStoreError("ERR_SNAPSHOT", `Snapshot ${meta.index} is refused, ${RECEIVED_MAX} others already wait to be installed`);
    }
    const file = await this.#write("recv", meta, chunks);
    const earlier = this.#received.get(key);
    this.#received.set(key, file);
    if (earlier !== undefined) await this.#options.disk.remove(earlier.path);
  }

  /** Hands out a received snapshot to be put in force. */
  takeReceived(meta: SnapshotMeta): SnapshotFile {
    const file = this.#received.get(keyOf(meta));
    if (file === undefined) {
      throw new LogStoreError("ERR_SNAPSHOT", `Snapshot ${meta.index} of term ${meta.term} was not received`);
    }
    this.#received.delete(keyOf(meta));
    return file;
  }

  async discard(meta: SnapshotMeta): Promise<void> {
    const file = this.#received.get(keyOf(meta));
    if (file === undefined) return;
    this.#received.delete(keyOf(meta));
    await this.#options.disk.remove(file.path);
  }

  /** Gives a temporary file its final name, durably. */
  async rename(file: SnapshotFile): Promise<SnapshotFile> {
    const { disk, directory } = this.#options;
    const path = directory.snapshot(file.meta.index, file.meta.term);
    await disk.rename(file.path, path);
    await disk.syncDirectory(directory.snap);
    return { ...file, path };
  }

  /**
   * The log's mark for this file is durable. An own snapshot leaves the one before as the older; a log that was installed goes on from
   * nothing older. What is not needed any more stays until `removeObsolete`, and
   * until nobody reads it.
   */
  putInForce(file: SnapshotFile, kind: SnapshotMark["kind"]): void {
    assert(file.meta.index > (this.#inForce?.meta.index ?? 0), "A snapshot in force is replaced by a later one");
    const before = this.#inForce === null ? null : { path: this.#inForce.path, index: this.#inForce.meta.index };
    const kept = kind === "own" ? before : null;
    for (const snapshot of [before, this.#older]) if (snapshot !== null && snapshot !== kept) this.#obsolete.add(snapshot.path);
    this.#older = kept;
    this.#inForce = file;
    this.#installedIndex = kind === "own" ? 0 : file.meta.index;
  }

  /** Removes older snapshots that nobody reads. */
  async removeObsolete(): Promise<void> {
    for (const path of [...this.#obsolete]) {
      if (this.#readers.has(path)) continue;
      this.#obsolete.delete(path);
      await this.remove(path);
    }
  }

  /** A file that can't be removed costs space, not data: the next start removes it. */
  async remove(path: string): Promise<void> {
    try {
      await this.#options.disk.remove(path);
    } catch (reason) {
      this.#options.logger.warn("a snapshot file could not be removed", { path, reason: String(reason) });
    }
  }

  async read(): Promise<SnapshotReader | null> {
    const found = this.#inForce;
    if (found === null) return null;
    const { path, meta, payloadBytes } = found;
    this.#readers.set(path, (this.#readers.get(path) ?? 0) + 1);
    const release = async (): Promise<void> => {
      const left = (this.#readers.get(path) ?? 1) - 1;
      if (left > 0) this.#readers.set(path, left);
      else this.#readers.delete(path);
      if (left === 0 && this.#obsolete.has(path)) await this.removeObsolete();
    };
    let file: Awaited<ReturnType<Disk["open"]>>;
    try {
      file = await this.#options.disk.open(path, "read");
    } catch (reason) {
      await release();
      throw LogStoreError.from(reason, `open snapshot ${path}`);
    }
    let begun = false;
    let closed = false;
    return {
      meta,
      sizeBytes: payloadBytes,
      chunks() {
        assert(!begun && !closed, "The chunks of a snapshot are read once");
        begun = true;
        return readState(file, path);
      },
      async close() {
        if (closed) return;
        closed = true;
        await file.close();
        await release();
      },
    };
  }

  async #write(kind: "own" | "recv", meta: SnapshotMeta, chunks: AsyncIterable<Uint8Array>): Promise<SnapshotFile> {
    const { disk, directory, random, identity, logger } = this.#options;
    assert(meta.index > 0 && meta.term > 0, "A snapshot stands at a log position");
    const temp = directory.snapshotTemp(kind, meta.index, meta.term, hex16(random.below(0x1_0000_0000)));
    try {
      return await writeSnapshotFile(disk, temp, { ...identity, kind: kind === "own" ? "own" : "installed", meta }, chunks);
    } catch (reason) {
      await disk.remove(temp).catch((second: unknown) => {
        if (!(second instanceof DiskError && second.code === "not-found")) {
          logger.warn("an unfinished snapshot could not be removed", { path: temp, reason: String(second) });
        }
      });
      throw reason instanceof DiskError ? LogStoreError.from(reason, `write snapshot ${meta.index}`) : reason;
    }
  }
}

function keyOf(meta: SnapshotMeta): string {
  return `${meta.index}-${meta.term}`;
}

/** What the log says about a snapshot that comes in force. */
export function markOf(file: SnapshotFile, kind: SnapshotMark["kind"]): SnapshotMark {
  return { type: "mark", kind, index: file.meta.index, term: file.meta.term, fileBytes: file.fileBytes, sha256: file.sha256 };
}
