import type { LogEntry } from "@raftkv/raft-core";
import type { LogPosition } from "./format.ts";
import { frameBytesAt, readEntry, readFrameTerm } from "./frame.ts";
import { assert } from "./log-store-error.ts";

/**
 * Consecutive entries of one batch as they lie on the disk, frame behind frame. Each is made when it is asked for: a log of a million
 * entries is not as many objects for the collector of garbage.
 */
export class EntryRun {
  readonly type = "entries";
  readonly firstIndex: number;
  #bytes: DataView;
  /** Where the frame of each entry begins in the bytes. */
  #frames: number[] = [];

  /** `segment` has the bytes of the whole file. */
  constructor(segment: DataView, firstIndex: number) {
    this.#bytes = segment;
    this.firstIndex = firstIndex;
  }

  get count(): number {
    return this.#frames.length;
  }

  get lastIndex(): number {
    return this.firstIndex + this.#frames.length - 1;
  }

  /** What its frames take. */
  get sizeBytes(): number {
    const last = this.#frameAt(this.lastIndex);
    return last + frameBytesAt(this.#bytes, last) - this.#frameAt(this.firstIndex);
  }

  /** The frame at `offset` is sound, has the next entry, and follows the one before. */
  add(offset: number): void {
    this.#frames.push(offset);
  }

  /** From now on the run needs only the copy of its frames at `offset` of `memory`. */
  moveTo(memory: Uint8Array, offset: number): void {
    const { buffer, byteOffset } = this.#bytes;
    const start = this.#frameAt(this.firstIndex);
    memory.set(new Uint8Array(buffer, byteOffset + start, this.sizeBytes), offset);
    this.#bytes = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
    this.#frames = this.#frames.map((frame) => frame - start + offset);
  }

  /** The term of an entry of the run. */
  termAt(index: number): number {
    return readFrameTerm(this.#bytes, this.#frameAt(index));
  }

  /** The entries from `from` to `to`, both in the run. */
  *entries(from: number = this.firstIndex, to: number = this.lastIndex): Generator<LogEntry, undefined> {
    for (let index = from; index <= to; index++) yield readEntry(this.#bytes, this.#frameAt(index));
  }

  /** As `entries`, but where they stand in the log. */
  *positions(from: number, to: number): Generator<LogPosition, undefined> {
    for (let index = from; index <= to; index++) yield { index, term: this.termAt(index) };
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
