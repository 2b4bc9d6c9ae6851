import { type Disk, DiskError, type Logger } from "@raftkv/raft-node";
import { LogStoreError } from "./log-store-error.ts";
import { decodeMeta, encodeMeta, META_BYTES, type MetaRecord } from "./meta-record.ts";
import { readSmallFile, replaceSmallFile } from "./small-file.ts";

export const META_NAME = "meta";
export const META_TEMP_NAME = "meta.tmp";

/** The part of a meta record that changes while a store is open. */
export type MetaChange = Partial<Omit<MetaRecord, "clusterId" | "memberId" | "storeId" | "generation">>;

/**
 * The meta file of an open store. A replacement is written to a temporary file, synced, renamed over the old one, and the
 * directory is synced, so that a crash leaves the old or the new record. Changes that wait share the next replacement.
 */
export class MetaFile {
  readonly #disk: Disk;
  readonly #directory: string;
  #durable: MetaRecord;
  #wanted: MetaRecord;
  #running: Promise<void> = Promise.resolve();
  #waiting: Promise<void> | null = null;

  constructor(disk: Disk, directory: string, durable: MetaRecord) {
    this.#disk = disk;
    this.#directory = directory;
    this.#durable = durable;
    this.#wanted = durable;
  }

  /** The record on the disk. */
  get durable(): MetaRecord {
    return this.#durable;
  }

  /** Resolves when the change is durable. The first failure is final: every later update rejects too. */
  update(change: MetaChange): Promise<void> {
    this.#wanted = { ...this.#wanted, ...change };
    if (this.#waiting === null) {
      this.#waiting = this.#running.then(() => {
        this.#waiting = null;
        return this.#replace({ ...this.#wanted, generation: this.#durable.generation + 1 });
      });
      this.#running = this.#waiting;
    }
    return this.#waiting;
  }

  async #replace(record: MetaRecord): Promise<void> {
    await writeMeta(this.#disk, this.#directory, record);
    this.#durable = record;
  }
}

/** Replaces the meta file as a whole. */
export function writeMeta(disk: Disk, directory: string, record: MetaRecord): Promise<void> {
  return replaceSmallFile(disk, directory, { name: META_NAME, tempName: META_TEMP_NAME, bytes: encodeMeta(record) });
}

/**
 * Reads the meta file; null if there is none. Of two copies that differ the newer counts. Throws `ERR_META_DAMAGED` if neither is
 * sound, because a lost vote can't be rebuilt, and `ERR_FORMAT_TOO_NEW`.
 */
export async function readMeta(disk: Disk, directory: string, logger: Logger | null): Promise<MetaRecord | null> {
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
  const records = [first, second].flatMap((copy) => (copy.kind === "valid" ? [copy.record] : []));
  const newest = records.reduce<MetaRecord | null>((a, b) => (a !== null && a.generation >= b.generation ? a : b), null);
  if (newest === null) throw damaged(path, `has no valid copy at offset 0 or 4096 in ${bytes.length} bytes`);
  if (records.length < 2 || records[0]?.generation !== records[1]?.generation) {
    logger?.warn("one copy of the meta file is damaged, the other one is used", { path, generation: newest.generation });
  }
  return newest;
}

function damaged(path: string, what: string, cause?: unknown): LogStoreError {
  return new LogStoreError(
    "ERR_META_DAMAGED",
    `${path} ${what}: term and vote are lost, remove this member from the cluster and add it again with an empty directory`,
    { cause },
  );
}
