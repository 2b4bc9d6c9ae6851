import { type Clock, type Disk, DiskError, type Logger, type Random } from "@raftkv/raft-node";
import type { DataDirectory } from "./data-directory.ts";
import { FRAMES_OFFSET, hex16, type Identity, PAGE_BYTES, roundUp } from "./format.ts";
import { saltCrcOf } from "./frame.ts";
import { assert } from "./log-store-error.ts";
import type { MetaFile } from "./meta-file.ts";
import { SEAL_BYTES } from "./seal.ts";
import { SegmentFile } from "./segment-file.ts";
import { encodeSegmentHeader, SALT_BYTES } from "./segment-header.ts";

/** Each segment of a process life is this many times larger than the one before, up to `segmentBytes`: restarts stay cheap. */
const GROWTH = 4;

/** A segment in place: its number is in the meta file. The file stays open until it is full. */
export interface Segment {
  readonly number: number;
  readonly path: string;
  readonly file: SegmentFile;
  readonly saltCrc: number;
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

  constructor(options: SegmentSupplyOptions) {
    this.#options = options;
    this.#nextNumber = options.firstNumber;
    this.#nextBytes = Math.min(options.firstBytes, options.segmentBytes);
  }

  /** Begins to prepare the next segment if none is under way. `onFailure` is told of a failure that is final. */
  prepareAhead(onFailure: (reason: unknown) => void): void {
    this.#prepared ??= this.#create(0).catch((reason: unknown) => {
      if (reason instanceof DiskError && reason.code === "no-space") {
        // Not final: the segment is needed later, and space may be there by then.
        this.#options.logger.warn("no space to prepare the next log segment", { path: reason.path });
      } else {
        onFailure(reason);
      }
      return null;
    });
  }

  /** A segment that holds a batch of `bytes`. One that was prepared and is too small is left unused. */
  async take(bytes: number): Promise<Segment> {
    const prepared = (await this.#prepared) ?? null;
    this.#prepared = null;
    if (prepared !== null && fits(prepared, FRAMES_OFFSET, bytes)) return prepared;
    await prepared?.file.close();
    return this.#create(bytes);
  }

  async close(): Promise<void> {
    const prepared = await this.#prepared;
    await prepared?.file.close();
  }

  async #create(batchBytes: number): Promise<Segment> {
    const { disk, clock, random, directory, meta, identity, bootGeneration } = this.#options;
    const number = this.#nextNumber;
    const sizeBytes = Math.max(this.#nextBytes, FRAMES_OFFSET + roundUp(batchBytes, PAGE_BYTES) + SEAL_BYTES);
    const salt = random.bytes(SALT_BYTES);
    assert(salt.length === SALT_BYTES, "The random source gives as many bytes as asked");
    const temp = directory.segmentTemp(hex16(random.below(0x1_0000_0000)));
    const path = directory.segment(number);
    const file = await disk.open(temp, "create");
    let inPlace = false;
    try {
      const { storeId } = meta.durable;
      const header = encodeSegmentHeader({ ...identity, storeId, number, salt, sizeBytes, bootGeneration, createdMs: clock.wallMs() });
      const segmentFile = await SegmentFile.make(file, header, sizeBytes);
      await disk.rename(temp, path);
      inPlace = true;
      await disk.syncDirectory(directory.wal);
      await meta.update({ lastSegment: number, bootGeneration });
      this.#nextNumber = number + 1;
      this.#nextBytes = Math.min(this.#options.segmentBytes, GROWTH * this.#nextBytes);
      return { number, path, file: segmentFile, saltCrc: saltCrcOf(salt) };
    } catch (reason) {
      await file.close();
      // The space counts; if this fails too, the next start removes it.
      if (!inPlace) await disk.remove(temp).catch(() => {});
      throw reason;
    }
  }
}
