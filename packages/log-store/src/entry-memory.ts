import { runsOf, type SegmentScan } from "./segment-scan.ts";

interface HeldSegment {
  readonly scan: SegmentScan;
  readonly bytes: number;
}

/**
 * Bounds what entries take in memory while segments are read, the oldest first: above `bytesMax` the oldest are released again. What
 * nothing proves to be durable yet is kept, because a start writes it once more.
 */
export class EntryMemory {
  readonly #bytesMax: number;
  #bytes = 0;
  #provenSeq = 0;
  #held: HeldSegment[] = [];

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(scan: SegmentScan): void {
    let bytes = 0;
    for (const run of runsOf(scan.batches)) bytes += run.sizeBytes;
    this.#held.push({ scan, bytes });
    this.#bytes += bytes;
    this.#provenSeq = Math.max(this.#provenSeq, scan.evidenceSeq);
    while (this.#bytes > this.#bytesMax && this.#releaseOldest());
  }

  /** False if there is none of which all is proven. */
  #releaseOldest(): boolean {
    const [oldest] = this.#held;
    if (oldest === undefined) return false;
    const { scan, bytes } = oldest;
    const proven = scan.batches.filter(({ lastSeq }) => lastSeq <= this.#provenSeq);
    for (const run of runsOf(proven)) run.release();
    if (proven.length < scan.batches.length) return false;
    this.#held.shift();
    this.#bytes -= bytes;
    return true;
  }
}
