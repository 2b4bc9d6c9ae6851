import type { Clock, LogStoreMetrics } from "@raftkv/raft-node";
import { BatchEncoder, type EncodedBatch } from "./batch-encoder.ts";
import { FRAMES_OFFSET } from "./format.ts";
import { assert } from "./log-store-error.ts";
import { encodeSeal } from "./seal.ts";
import { fits, type Segment } from "./segment-supply.ts";
import type { TermRuns } from "./term-runs.ts";
import { WriteMetrics } from "./write-metrics.ts";

export interface LogTailOptions {
  readonly clock: Clock;
  /** Positions of the log, kept by who adds entries. */
  readonly terms: TermRuns;
  /** Highest seq on the disk that counts, and its checksum; zeros for an empty log. */
  readonly before: { readonly seq: number; readonly crc: number };
  readonly nextSeq: number;
}

/**
 * The end of the log on the disk: which segment is written, where the next page goes, what links it to the frames before. One batch or
 * seal at a time.
 * ```
 * enter a segment ──► begin ──► add frames ──► write ──► begin ... ──► seal
 * ```
 */
export class LogTail {
  readonly #options: LogTailOptions;
  readonly #encoder = new BatchEncoder();
  readonly #metrics = new WriteMetrics();
  #segment: Segment | null = null;
  #offset = 0;
  #nextSeq: number;
  #durableSeq: number;
  #lastCrc: number;
  #isUnsealed = false;
  #lastWriteMs = 0;

  constructor(options: LogTailOptions) {
    this.#options = options;
    this.#nextSeq = options.nextSeq;
    this.#durableSeq = options.before.seq;
    this.#lastCrc = options.before.crc;
  }

  /** The one that is written, null before the first. */
  get segment(): Segment | null {
    return this.#segment;
  }

  /** Seq of the last frame, which is durable. */
  get lastSeq(): number {
    return this.#durableSeq;
  }

  /** Whether there is a batch that no seal proves. */
  get isUnsealed(): boolean {
    return this.#isUnsealed;
  }

  /** When the last write ended. */
  get lastWriteMs(): number {
    return this.#lastWriteMs;
  }

  get metrics(): LogStoreMetrics {
    return this.#metrics.read(this.#options.clock.monotonicMs());
  }

  /** Whether a batch of `bytes`, and a seal after it, fit in the segment that is written. */
  holds(bytes: number): boolean {
    return fits(this.#current, this.#offset, bytes);
  }

  /** Goes on in a new segment. The one before is the caller's to close. */
  enter(segment: Segment): void {
    this.#segment = segment;
    this.#offset = FRAMES_OFFSET;
  }

  /** Begins a batch; what it holds is added to the encoder. */
  begin(): BatchEncoder {
    const { terms } = this.#options;
    this.#encoder.begin({
      saltCrc: this.#current.saltCrc,
      offset: this.#offset,
      firstSeq: this.#nextSeq,
      durableSeq: this.#durableSeq,
      previousCrc: this.#lastCrc,
      index: terms.lastIndex,
      term: terms.lastTerm,
    });
    return this.#encoder;
  }

  /** Closes the batch that was begun and makes it durable. */
  async write(commitIndex: number): Promise<void> {
    const { clock, terms } = this.#options;
    const batch = this.#encoder.finish(Math.min(commitIndex, terms.lastIndex), clock.wallMs());
    assert(batch.index === terms.lastIndex, "The bytes and the bookkeeping agree where the log ends");
    await this.#append(batch);
    this.#isUnsealed = true;
  }

  /** Proves what was written last. Fits wherever a batch ended, see `fits`. */
  async seal(commitIndex: number): Promise<void> {
    const { clock, terms } = this.#options;
    const { pages, crcs } = encodeSeal(
      { durableSeq: this.#durableSeq, commitIndex: Math.min(commitIndex, terms.lastIndex), wallMs: clock.wallMs() },
      { seq: this.#durableSeq, crc: this.#lastCrc, index: terms.lastIndex, term: terms.lastTerm },
      { offset: this.#offset, saltCrc: this.#current.saltCrc },
    );
    await this.#append({ chunks: [pages], sizeBytes: pages.length, lastSeq: this.#durableSeq + 2, lastCrc: crcs[1], entries: 0 });
    this.#isUnsealed = false;
  }

  async close(): Promise<void> {
    await this.#segment?.file.close();
    this.#segment = null;
  }

  get #current(): Segment {
    assert(this.#segment !== null, "The first segment is begun before anything is appended");
    return this.#segment;
  }

  async #append({ chunks, sizeBytes, lastSeq, lastCrc, entries }: Omit<EncodedBatch, "index">): Promise<void> {
    const { clock } = this.#options;
    this.#metrics.started(clock.monotonicMs());
    let isDurable = false;
    try {
      await this.#current.file.append(this.#offset, chunks);
      isDurable = true;
    } finally {
      this.#lastWriteMs = clock.monotonicMs();
      this.#metrics.ended(this.#lastWriteMs, isDurable ? { entries, bytes: sizeBytes } : null);
    }
    this.#offset += sizeBytes;
    this.#durableSeq = lastSeq;
    this.#nextSeq = lastSeq + 1;
    this.#lastCrc = lastCrc;
  }
}
