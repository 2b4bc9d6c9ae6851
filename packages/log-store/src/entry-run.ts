import type { LogEntry } from "@raftkv/raft-core";
import type { LogPosition } from "./format.ts";
import { readEntry, readFrameTerm } from "./frame.ts";

/**
 * Consecutive entries of one batch, where they lie in their segment. Each is made when it is asked for: a log of a million entries is not
 * as many objects for the collector of garbage. The bytes of the segment stay as long as the run, or the data of one of its entries.
 */
export class EntryRun {
  readonly type = "entries";
  readonly firstIndex: number;
  /** Over the bytes of the whole segment. */
  readonly #segment: DataView;
  /** Where the frame of each entry begins. */
  readonly #frames: number[] = [];

  constructor(segment: DataView, firstIndex: number) {
    this.#segment = segment;
    this.firstIndex = firstIndex;
  }

  get count(): number {
    return this.#frames.length;
  }

  get lastIndex(): number {
    return this.firstIndex + this.#frames.length - 1;
  }

  /** The frame at `offset` is sound and has the next entry. */
  add(offset: number): void {
    this.#frames.push(offset);
  }

  /** The term of an entry of the run. */
  termAt(index: number): number {
    return readFrameTerm(this.#segment, this.#frameAt(index));
  }

  /** The entries from `from` to `to`, both in the run. */
  *entries(from: number = this.firstIndex, to: number = this.lastIndex): Generator<LogEntry, undefined> {
    for (let index = from; index <= to; index++) yield readEntry(this.#segment, this.#frameAt(index));
  }

  /** As `entries`, but where they stand in the log. */
  *positions(from: number, to: number): Generator<LogPosition, undefined> {
    for (let index = from; index <= to; index++) yield { index, term: this.termAt(index) };
  }

  #frameAt(index: number): number {
    return this.#frames[index - this.firstIndex] ?? 0;
  }
}
