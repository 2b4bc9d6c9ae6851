import { type Disk, DiskError, type DiskFile, type Logger } from "@raftkv/raft-node";
import { LogStoreError } from "./log-store-error.ts";
import {
  COPY_BYTES,
  decodeCopy,
  encodeCopy,
  encodeMeta,
  encodePair,
  META_PAIRS,
  type MetaCopy,
  type MetaRecord,
  pairOf,
} from "./meta-record.ts";
import { replaceSmallFile } from "./small-file.ts";

export const META_NAME = "meta";
export const META_TEMP_NAME = "meta.tmp";

/** The part of a meta record that changes while a store is open. */
export type MetaChange = Partial<Omit<MetaRecord, "clusterId" | "memberId" | "storeId" | "generation">>;

/** What a meta file says, and what its copies are worth. */
export interface FoundMeta {
  readonly record: MetaRecord;
  /** Offsets of the copies that this start did not write, those first that prove least: damaged ones, then older ones. */
  readonly inherited: readonly number[];
  readonly damagedCopies: number;
}

/**
 * The meta file of an open store. Each change is one durable write of both copies of a pair, and leaves the pair with the record before it
 * alone: a crash leaves the old record or the new one. Changes that wait share the next writing.
 */
export class MetaFile {
  readonly #file: DiskFile;
  #inherited: readonly number[];
  #durable: MetaRecord;
  #wanted: MetaRecord;
  #running: Promise<void> = Promise.resolve();
  #waiting: Promise<void> | null = null;

  private constructor(file: DiskFile, { record, inherited }: FoundMeta) {
    this.#file = file;
    this.#inherited = inherited;
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

  /** Resolves when the change is durable in two copies. The first failure is final: every later update rejects too. */
  update(change: MetaChange): Promise<void> {
    this.#wanted = { ...this.#wanted, ...change };
    if (this.#waiting === null) {
      this.#waiting = this.#running.then(() => {
        this.#waiting = null;
        return this.#inherited.length > 0 ? this.#replaceInherited(this.#wanted) : this.#write(this.#wanted);
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

  async #write(wanted: MetaRecord): Promise<void> {
    const record = { ...wanted, generation: this.#durable.generation + 1 };
    await this.#file.writeDurably(pairOf(record.generation)[0], [encodePair(record)]);
    this.#durable = record;
  }

  /**
   * The first writing of a start. A copy may be damaged, alone with the newest record, or only in the memory of the kernel after a sync that
   * failed: each is written by itself, before one that proves more, so that none is lost on the way and all are whole in the end.
   */
  async #replaceInherited(wanted: MetaRecord): Promise<void> {
    const next = this.#durable.generation + 1;
    for (const offset of this.#inherited) {
      const generation = pairOf(next).includes(offset) ? next : next + 1;
      await this.#file.writeDurably(offset, [encodeCopy({ ...wanted, generation })]);
    }
    this.#inherited = [];
    this.#durable = { ...wanted, generation: next + 1 };
  }
}

/** Puts the first meta file of a store in place. */
export async function createMeta(disk: Disk, directory: string, record: MetaRecord): Promise<FoundMeta> {
  await replaceSmallFile(disk, directory, { name: META_NAME, tempName: META_TEMP_NAME, bytes: encodeMeta(record) });
  return { record, inherited: [], damagedCopies: 0 };
}

/**
 * Reads the meta file; null if there is none. The newest sound copy counts. Throws `ERR_META_DAMAGED` if a pair has none, because a vote
 * that may have stood there can't be rebuilt, and `ERR_FORMAT_TOO_NEW`.
 */
export async function readMeta(disk: Disk, directory: string, logger: Logger | null): Promise<FoundMeta | null> {
  const path = `${directory}/${META_NAME}`;
  let pairs: readonly FoundPair[];
  try {
    pairs = await readPairs(disk, path);
  } catch (reason) {
    if (reason instanceof DiskError && reason.code === "not-found") return null;
    if (reason instanceof DiskError && reason.code === "io") throw damaged(path, "can't be read", reason);
    throw LogStoreError.from(reason, `read ${path}`);
  }
  const newest = pairs.map((pair) => newestOf(path, pair));
  const record = newest.reduce((one, other) => (other.generation > one.generation ? other : one));
  const weak = pairs.flatMap((pair, at) => pair.filter((copy) => copy.record?.generation !== newest[at]?.generation));
  if (weak.length > 0) {
    const offsets = weak.map(({ offset }) => offset);
    logger?.warn("copies of the meta file are damaged or older, others are used", { path, generation: record.generation, offsets });
  }
  const weakestFirst = pairs.flat().toSorted((one, other) => (one.record?.generation ?? -1) - (other.record?.generation ?? -1));
  return {
    record,
    inherited: weakestFirst.map(({ offset }) => offset),
    damagedCopies: weak.filter((copy) => copy.record === null).length,
  };
}

/** Whether term and vote are lost: the meta file is damaged, gone or older than the log. */
export function isMetaProblem(reason: unknown): reason is LogStoreError {
  return reason instanceof LogStoreError && ["ERR_META_DAMAGED", "ERR_META_MISSING", "ERR_META_STALE"].includes(reason.code);
}

interface FoundCopy {
  readonly offset: number;
  /** Null for a damaged copy. */
  readonly record: MetaRecord | null;
  /** Why the disk did not read it. */
  readonly error: DiskError | null;
}

type FoundPair = readonly FoundCopy[];

async function readPairs(disk: Disk, path: string): Promise<readonly FoundPair[]> {
  const file = await disk.open(path, "read");
  try {
    const pairs: FoundPair[] = [];
    for (const [first, second] of META_PAIRS) pairs.push([await readCopy(file, path, first), await readCopy(file, path, second)]);
    return pairs;
  } finally {
    await file.close();
  }
}

/** By itself: a block that can't be read takes no other copy with it. */
async function readCopy(file: DiskFile, path: string, offset: number): Promise<FoundCopy> {
  let copy: MetaCopy;
  try {
    copy = decodeCopy(await file.read(offset, COPY_BYTES), offset);
  } catch (reason) {
    if (reason instanceof DiskError && reason.code === "io") return { offset, record: null, error: reason };
    throw reason;
  }
  if (copy.kind !== "unknown") return { offset, record: copy.kind === "valid" ? copy.record : null, error: null };
  throw new LogStoreError("ERR_FORMAT_TOO_NEW", `${path} has ${copy.what}, which this version of RaftKV does not know: start a newer one`);
}

function newestOf(path: string, pair: FoundPair): MetaRecord {
  const sound = pair.flatMap(({ record }) => record ?? []);
  const newest = sound.toSorted((one, other) => one.generation - other.generation).at(-1);
  if (newest !== undefined) return newest;
  const error = pair.find((copy) => copy.error !== null)?.error ?? null;
  const why = error === null ? "" : ` (${error.message})`;
  throw damaged(path, `has no valid copy at offset ${pair.map(({ offset }) => offset).join(" or ")}${why}`, error);
}

function damaged(path: string, what: string, cause: unknown): LogStoreError {
  return new LogStoreError("ERR_META_DAMAGED", `${path} ${what}: term and vote are lost`, { cause });
}
