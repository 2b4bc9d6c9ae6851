import { type Clock, type Disk, DiskError, type DiskFile, type Logger, type Timer } from "@raftkv/raft-node";
import { LogStoreError } from "./log-store-error.ts";

export const RESERVE_NAME = "reserve";

/** A start is not the time to write so much, and a process that lives for less does not need it. */
const MAKE_DELAY_MS = 60_000;
/** What is written at once, so that others get their turn, and a making that is in the way can end soon. */
const PIECE_BYTES = 1024 * 1024;
const zeroPiece = new Uint8Array(PIECE_BYTES);

export interface DiskReserveOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The data directory. */
  readonly directory: string;
  /** 0: no reserve. */
  readonly sizeBytes: number;
}

/**
 * A file of zeros that keeps space for a start on a full disk: with what it gives back the member can begin its first segment, take a
 * snapshot and compact its log, and so free more.
 * ```
 * open ──► a minute later: make it ─────────────► made ──► disk full at a later start: release ──► gone
 *            ▲  no space, or others need it now: gone                                               │
 *            └───────────────────────────── old segments were removed ◄─────────────────────────────┘
 * ```
 * It is made by writing, because the port does not tell how much space is free.
 */
export class DiskReserve {
  readonly #options: DiskReserveOptions;
  readonly #path: string;
  #isMade = false;
  #wasReleased = false;
  #isInTheWay = false;
  #timer: Timer | null = null;
  #making: Promise<void> | null = null;

  constructor(options: DiskReserveOptions) {
    this.#options = options;
    this.#path = `${options.directory}/${RESERVE_NAME}`;
  }

  /** Runs `open`; if that finds the disk full and there is a reserve, gives it up and runs `open` once more. */
  async openWithin<T>(open: () => Promise<T>): Promise<T> {
    try {
      return await open();
    } catch (reason) {
      if (!isDiskFull(reason) || !(await this.#release())) throw reason;
      return open();
    }
  }

  /** The store is open. A reserve that had to be given up is not made before something was removed. */
  opened(): void {
    if (!this.#wasReleased) this.#makeSoon();
  }

  /** Something was removed. */
  spaceWasFreed(): void {
    this.#makeSoon();
  }

  /** Ends a making that is under way, because the log needs the space now. False if none is. */
  async giveWay(): Promise<boolean> {
    const making = this.#making;
    if (making === null) return false;
    this.#isInTheWay = true;
    await making;
    return true;
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    await this.giveWay();
  }

  #makeSoon(): void {
    const { clock, sizeBytes } = this.#options;
    if (sizeBytes === 0 || this.#isMade || this.#timer !== null || this.#making !== null) return;
    this.#timer = clock.setTimer(MAKE_DELAY_MS, () => {
      this.#timer = null;
      this.#isInTheWay = false;
      this.#making = this.#make().finally(() => {
        this.#making = null;
      });
    });
  }

  /** Never rejects: the member works without a reserve. */
  async #make(): Promise<void> {
    const { disk, logger, sizeBytes } = this.#options;
    try {
      const found = await this.#foundBytes();
      if (found !== sizeBytes) {
        if (found !== null) await disk.remove(this.#path);
        if (!(await this.#write())) return;
        logger.info("a reserve for a full disk was made", { path: this.#path, sizeBytes });
      }
      this.#isMade = true;
    } catch (reason) {
      const message = isDiskFull(reason)
        ? "there is no space for the reserve: free some, or this member can't start once the disk is full"
        : "the reserve for a full disk can't be made";
      logger.warn(message, { path: this.#path, sizeBytes, reason: String(reason) });
    }
  }

  async #foundBytes(): Promise<number | null> {
    let file: DiskFile;
    try {
      file = await this.#options.disk.open(this.#path, "read");
    } catch (reason) {
      if (reason instanceof DiskError && reason.code === "not-found") return null;
      throw reason;
    }
    try {
      return await file.sizeBytes();
    } finally {
      await file.close();
    }
  }

  /** False if it had to give way. Leaves the whole file or none. */
  async #write(): Promise<boolean> {
    const { disk, sizeBytes } = this.#options;
    const file = await disk.open(this.#path, "create");
    let isWhole = false;
    try {
      for (let offset = 0; offset < sizeBytes && !this.#isInTheWay; offset += PIECE_BYTES) {
        await file.write(offset, [zeroPiece.subarray(0, Math.min(PIECE_BYTES, sizeBytes - offset))]);
      }
      if (!this.#isInTheWay) {
        await file.sync();
        isWhole = !this.#isInTheWay;
      }
    } finally {
      await file.close();
      if (!isWhole) await disk.remove(this.#path);
    }
    return isWhole;
  }

  async #release(): Promise<boolean> {
    const { disk, logger, directory } = this.#options;
    try {
      await disk.remove(this.#path);
      await disk.syncDirectory(directory);
    } catch (reason) {
      if (reason instanceof DiskError && reason.code === "not-found") return false;
      throw reason;
    }
    this.#wasReleased = true;
    const advice = "free space on this disk; the reserve is made again when old log segments are removed";
    logger.warn("the disk is full, the reserve was given up so that this member can start", { path: this.#path, advice });
    return true;
  }
}

/** Whether a failure is about space. */
export function isDiskFull(reason: unknown): boolean {
  return reason instanceof DiskError ? reason.code === "no-space" : reason instanceof LogStoreError && reason.code === "ERR_DISK_FULL";
}
