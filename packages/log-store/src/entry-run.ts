import type { LogEntry } from "@raftkv/raft-core";
import type { LogPosition } from "./format.ts";
import { frameBytesAt, readEntry } from "./frame.ts";
import { assert } from "./log-store-error.ts";

/** Of all runs that were released. */
const NO_FRAMES: number[] = [];

/**
 * Consecutive entries of one batch as they lie on the disk, frame behind frame. Each is made when it is asked for: a log of a million
 * entries is not as many objects for the collector of garbage. A run that was released knows its positions only.
 */
export class EntryRun {
  readonly type = "entries";
  /** Where it begins on the disk: number of the segment, and offset of the first frame. */
  readonly segment: number;
  readonly offset: number;
  readonly firstIndex: number;
  #bytes: DataView | null;
  /** Where the frame of each entry begins in the bytes. */
  #frames: number[];
  #count = 1;
  readonly #firstTerm: number;
  /** Where the term changes behind the first entry, ascending; null if it does not. */
  #laterTerms: LogPosition[] | null = null;

  /** Of one entry, whose frame begins at `offset` of the segment; `bytes` are those of the whole of it. */
  constructor(bytes: DataView, segment: number, offset: number, { index, term }: LogPosition) {
    this.#bytes = bytes;
    this.segment = segment;
    this.offset = offset;
    this.firstIndex = index;
    this.#firstTerm = term;
    this.#frames = [offset];
  }

  get count(): number {
    return this.#count;
  }

  get lastIndex(): number {
    return this.firstIndex + this.#count - 1;
  }

  get isReleased(): boolean {
    return this.#bytes === null;
  }

  /** What its frames take. */
  get sizeBytes(): number {
    const last = this.#frameAt(this.lastIndex);
    return last + frameBytesAt(this.#memory, last) - this.#frameAt(this.firstIndex);
  }

  /** The frame at `offset` is sound, has the next entry, of that term, and follows the one before. */
  add(offset: number, term: number): void {
    assert(!this.isReleased, "A run that was released does not grow");
    const isTermNew = term !== this.termAt(this.lastIndex);
    this.#count += 1;
    this.#frames.push(offset);
    if (!isTermNew) return;
    this.#laterTerms ??= [];
    this.#laterTerms.push({ index: this.lastIndex, term });
  }

  /** From now on the run needs only the copy of its frames at `offset` of `memory`. */
  moveTo(memory: Uint8Array, offset: number): void {
    const { buffer, byteOffset } = this.#memory;
    const start = this.#frameAt(this.firstIndex);
    memory.set(new Uint8Array(buffer, byteOffset + start, this.sizeBytes), offset);
    this.#bytes = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
    this.#frames = this.#frames.map((frame) => frame - start + offset);
  }

  /** From now on the run has no entries. */
  release(): void {
    this.#bytes = null;
    this.#frames = NO_FRAMES;
  }

  /** The term of an entry of the run. */
  termAt(index: number): number {
    assert(index >= this.firstIndex && index <= this.lastIndex, "The run has the entry");
    return this.#laterTerms?.findLast((change) => change.index <= index)?.term ?? this.#firstTerm;
  }

  /** The entries from `from` to `to`, both in the run. */
  *entries(from: number = this.firstIndex, to: number = this.lastIndex): Generator<LogEntry, undefined> {
    for (let index = from; index <= to; index++) yield readEntry(this.#memory, this.#frameAt(index));
  }

  /** As `entries`, but where they stand in the log. */
  *positions(from: number, to: number): Generator<LogPosition, undefined> {
    for (let index = from; index <= to; index++) yield { index, term: this.termAt(index) };
  }

  get #memory(): DataView {
    assert(this.#bytes !== null, "The entries of the run are in memory");
    return this.#bytes;
  }

  #frameAt(index: number): number {
    const frame = this.#frames[index - this.firstIndex];
    assert(frame !== undefined, "The run has the entry");
    return frame;
  }
}

/** Moves the runs of a segment together, so that its file, of which they may be a small part, does not stay in memory. */
export function gather(runs: readonly EntryRun[]): void {
  const memory = new Uint8Array(runs.reduce((sum, run) => sum + run.sizeBytes, 0));
  let offset = 0;
  for (const run of runs) {
    const { sizeBytes } = run;
    run.moveTo(memory, offset);
    offset += sizeBytes;
  }
}
