import type { Clock, Disk, Logger, Random } from "@raftkv/raft-node";
import type { DataDirectory } from "./data-directory.ts";
import { type DiskReserve, isDiskFull } from "./disk-reserve.ts";
import { FRAMES_OFFSET, hex16, type Identity, PAGE_BYTES, roundUp } from "./format.ts";
import { saltCrcOf } from "./frame.ts";
import { assert } from "./log-store-error.ts";
import type { MetaFile } from "./meta-file.ts";
import { SEAL_BYTES } from "./seal.ts";
import { SegmentFile } from "./segment-file.ts";
import { encodeSegmentHeader, SALT_BYTES } from "./segment-header.ts";

/** Each segment of a process life is this many times larger than the one before, up to `segmentBytes`: restarts stay cheap. */
const GROWTH = 4;
/** Until a segment that found no space is tried again. */
const RETRY_MS = 1_000;

/** A segment in place: its number is in the meta file. The file stays open until it is full. */
export interface Segment {
  readonly number: number;
  readonly path: string;
  readonly file: SegmentFile;
  readonly saltCrc: number;
}

/** A segment that still has its temporary name. */
interface UnplacedSegment extends Omit<Segment, "path"> {
  readonly temp: string;
}

/** Whether a batch of `bytes` fits at `offset`, and a seal after it. */
export function fits(segment: Segment, offset: number, bytes: number): boolean {
  return offset + roundUp(bytes, PAGE_BYTES) + SEAL_BYTES <= segment.file.sizeBytes;
}

export interface SegmentSupplyOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly directory: DataDirectory;
  readonly meta: MetaFile;
  readonly reserve: DiskReserve;
  readonly identity: Identity;
  readonly bootGeneration: number;
  readonly firstNumber: number;
  /** Size of the first segment. */
  readonly firstBytes: number;
  readonly segmentBytes: number;
}

/**
 * Makes segments, one ahead of need: preparing one takes as long as writing it full of zeros, and must not stand in the way of an
 * append.
 */
export class SegmentSupply {
  readonly #options: SegmentSupplyOptions;
  #nextNumber: number;
  #nextBytes: number;
  #prepared: Promise<Segment | null> | null = null;
  /** When a segment that found no space is tried again, null if the last one found some. */
  #retryMs: number | null = null;

  constructor(options: SegmentSupplyOptions) {
    this.#options = options;
    this.#nextNumber = options.firstNumber;
    this.#nextBytes = Math.min(options.firstBytes, options.segmentBytes);
  }

  /** Begins to prepare the next segment if none is under way. `onFailure` is told of a failure that is final. */
  prepareAhead(onFailure: (reason: unknown) => void): void {
    if (this.#prepared !== null || this.#options.clock.monotonicMs() < (this.#retryMs ?? 0)) return;
    const preparing = this.#prepareIfSpace();
    this.#prepared = preparing;
    preparing.catch(onFailure);
  }

  /** A segment that holds a batch of `bytes`. One that was prepared and is too small is left unused. */
  async take(bytes: number): Promise<Segment> {
    const prepared = (await this.#prepared) ?? null;
    this.#prepared = null;
    if (prepared !== null && fits(prepared, FRAMES_OFFSET, bytes)) return prepared;
    await prepared?.file.close();
    return this.#putInPlace(await this.#make(bytes));
  }

  async close(): Promise<void> {
    // A failure was told to whoever asked for the segment.
    const prepared = await this.#prepared?.catch(() => null);
    await prepared?.file.close();
  }

  /** No space is not final: the segment is needed later, and space may be there by then. */
  async #prepareIfSpace(): Promise<Segment | null> {
    const { clock, logger } = this.#options;
    let made: UnplacedSegment;
    try {
      made = await this.#make(0);
    } catch (reason) {
      if (!isDiskFull(reason)) throw reason;
      if (this.#retryMs === null) {
        const advice = "free space on this disk: when the current segment is full, this member stops";
        logger.warn("there is no space for the next log segment", { reason: String(reason), advice });
      }
      this.#retryMs = clock.monotonicMs() + RETRY_MS;
      this.#prepared = null;
      return null;
    }
    if (this.#retryMs !== null) logger.info("there is space for the next log segment again");
    this.#retryMs = null;
    return this.#putInPlace(made);
  }

  /** A segment under a temporary name, synced. A reserve that is being made gives way. */
  async #make(batchBytes: number): Promise<UnplacedSegment> {
    const sizeBytes = Math.max(this.#nextBytes, FRAMES_OFFSET + roundUp(batchBytes, PAGE_BYTES) + SEAL_BYTES);
    try {
      return await this.#write(sizeBytes);
    } catch (reason) {
      if (!isDiskFull(reason) || !(await this.#options.reserve.giveWay())) throw reason;
      return this.#write(sizeBytes);
    }
  }

  async #write(sizeBytes: number): Promise<UnplacedSegment> {
    const { disk, clock, random, directory, meta, identity, bootGeneration } = this.#options;
    const number = this.#nextNumber;
    const salt = random.bytes(SALT_BYTES);
    assert(salt.length === SALT_BYTES, "The random source gives as many bytes as asked");
    const temp = directory.segmentTemp(hex16(random.below(0x1_0000_0000)));
    const file = await disk.open(temp, "create");
    try {
      const { storeId } = meta.durable;
      const header = encodeSegmentHeader({ ...identity, storeId, number, salt, sizeBytes, bootGeneration, createdMs: clock.wallMs() });
      return { number, temp, file: await SegmentFile.make(file, header, sizeBytes), saltCrc: saltCrcOf(salt) };
    } catch (reason) {
      await file.close();
      // The space counts; if this fails too, the next start removes it.
      await disk.remove(temp).catch(() => {});
      throw reason;
    }
  }

  /** Gives the segment its name, and the meta file its number. */
  async #putInPlace({ number, temp, file, saltCrc }: UnplacedSegment): Promise<Segment> {
    const { disk, directory, meta, bootGeneration } = this.#options;
    const path = directory.segment(number);
    try {
      await disk.rename(temp, path);
      await disk.syncDirectory(directory.wal);
      await meta.update({ lastSegment: number, bootGeneration });
    } catch (reason) {
      await file.close();
      throw reason;
    }
    this.#nextNumber = number + 1;
    this.#nextBytes = Math.min(this.#options.segmentBytes, GROWTH * this.#nextBytes);
    return { number, path, file, saltCrc };
  }
}
