import { type Disk, DiskError, type DiskFile, type Logger } from "@raftkv/raft-node";
import { LogStoreError } from "./log-store-error.ts";
import {
  type CopyNumber,
  copyOffset,
  decodeMeta,
  encodeMeta,
  encodeMetaCopy,
  META_BYTES,
  type MetaCopy,
  type MetaRecord,
} from "./meta-record.ts";
import { readSmallFile, replaceSmallFile } from "./small-file.ts";

export const META_NAME = "meta";
export const META_TEMP_NAME = "meta.tmp";

/** The part of a meta record that changes while a store is open. */
export type MetaChange = Partial<Omit<MetaRecord, "clusterId" | "memberId" | "storeId" | "generation">>;

/** What a meta file says, and which copy is damaged or older and is to be written first. */
export interface FoundMeta {
  readonly record: MetaRecord;
  readonly weakerCopy: CopyNumber;
  /** What the copy that is not used is worth. */
  readonly otherCopy: "equal" | "older" | "damaged";
}

/**
 * The meta file of an open store. The copies are written in place, one after the other, each durably, so that at any time one of them is
 * whole: a crash leaves the old record or the new one. Changes that wait share the next writing.
 */
export class MetaFile {
  readonly #file: DiskFile;
  #weakerCopy: CopyNumber;
  #durable: MetaRecord;
  #wanted: MetaRecord;
  #running: Promise<void> = Promise.resolve();
  #waiting: Promise<void> | null = null;

  private constructor(file: DiskFile, { record, weakerCopy }: FoundMeta) {
    this.#file = file;
    this.#weakerCopy = weakerCopy;
    this.#durable = record;
    this.#wanted = record;
  }

  /** Opens the file that was found. */
  static async open(disk: Disk, directory: string, found: FoundMeta): Promise<MetaFile> {
    return new MetaFile(await disk.open(`${directory}/${META_NAME}`, "write"), found);
  }

  /** The record on the disk. */
  get durable(): MetaRecord {
    return this.#durable;
  }

  /** Resolves when the change is durable in both copies. The first failure is final: every later update rejects too. */
  update(change: MetaChange): Promise<void> {
    this.#wanted = { ...this.#wanted, ...change };
    if (this.#waiting === null) {
      this.#waiting = this.#running.then(() => {
        this.#waiting = null;
        return this.#write({ ...this.#wanted, generation: this.#durable.generation + 1 });
      });
      this.#running = this.#waiting;
    }
    return this.#waiting;
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    await this.#running.catch(() => {});
    await this.#file.close();
  }

  async #write(record: MetaRecord): Promise<void> {
    const bytes = encodeMetaCopy(record);
    const first = this.#weakerCopy;
    await this.#file.writeDurably(copyOffset(first), [bytes]);
    this.#weakerCopy = first === 0 ? 1 : 0;
    await this.#file.writeDurably(copyOffset(this.#weakerCopy), [bytes]);
    this.#durable = record;
  }
}

/** Puts the first meta file of a store in place. */
export function createMeta(disk: Disk, directory: string, record: MetaRecord): Promise<void> {
  return replaceSmallFile(disk, directory, { name: META_NAME, tempName: META_TEMP_NAME, bytes: encodeMeta(record) });
}

/**
 * Reads the meta file; null if there is none. Of two copies that differ the newer counts. Throws `ERR_META_DAMAGED` if neither is
 * sound, because a lost vote can't be rebuilt, and `ERR_FORMAT_TOO_NEW`.
 */
export async function readMeta(disk: Disk, directory: string, logger: Logger | null): Promise<FoundMeta | null> {
  const path = `${directory}/${META_NAME}`;
  let bytes: Uint8Array;
  try {
    bytes = await readSmallFile(disk, path, META_BYTES);
  } catch (reason) {
    if (reason instanceof DiskError && reason.code === "not-found") return null;
    if (reason instanceof DiskError && reason.code === "io") throw damaged(path, "can't be read", reason);
    throw LogStoreError.from(reason, `read ${path}`);
  }
  const [first, second] = decodeMeta(bytes);
  for (const copy of [first, second]) {
    if (copy.kind !== "unknown") continue;
    throw new LogStoreError(
      "ERR_FORMAT_TOO_NEW",
      `${path} has ${copy.what}, which this version of RaftKV does not know: start a newer one`,
    );
  }
  const found = newerOf(first, second);
  if (found === null) throw damaged(path, `has no valid copy at offset ${copyOffset(0)} or ${copyOffset(1)} in ${bytes.length} bytes`);
  if (found.otherCopy !== "equal") {
    logger?.warn("one copy of the meta file is damaged or older, the other one is used", { path, generation: found.record.generation });
  }
  return found;
}

/** Whether term and vote are lost: the meta file is damaged, gone or older than the log. */
export function isMetaProblem(reason: unknown): reason is LogStoreError {
  return reason instanceof LogStoreError && ["ERR_META_DAMAGED", "ERR_META_MISSING", "ERR_META_STALE"].includes(reason.code);
}

function newerOf(first: MetaCopy, second: MetaCopy): FoundMeta | null {
  if (first.kind === "valid" && second.kind === "valid") {
    const [record, weakerCopy] =
      first.record.generation >= second.record.generation ? [first.record, 1 as const] : [second.record, 0 as const];
    return { record, weakerCopy, otherCopy: first.record.generation === second.record.generation ? "equal" : "older" };
  }
  if (first.kind === "valid") return { record: first.record, weakerCopy: 1, otherCopy: "damaged" };
  return second.kind === "valid" ? { record: second.record, weakerCopy: 0, otherCopy: "damaged" } : null;
}

function damaged(path: string, what: string, cause?: unknown): LogStoreError {
  return new LogStoreError("ERR_META_DAMAGED", `${path} ${what}: term and vote are lost`, { cause });
}
