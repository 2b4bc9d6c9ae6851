import { assert } from "../assert.ts";
import type { LogEntry, LogIndex } from "../types.ts";

const CHUNK_SHIFT = 10;
const CHUNK_SIZE = 1 << CHUNK_SHIFT;
const CHUNK_MASK = CHUNK_SIZE - 1;

/** Fills the places of dropped entries, so that their bytes can be collected before their whole chunk goes. */
const DROPPED: LogEntry = { index: 0, term: 0, kind: "empty", data: new Uint8Array(0) };

/**
 * Consecutive log entries in memory: access by index, growth at the end and dropping at the front without moving the others.
 *
 * ```text
 *   chunks   [ . . . a b c ] [ d e f g h i ] [ j k ]
 *              ^     ^                            ^
 *           origin  first                       end - 1
 * ```
 */
export class EntryList {
  private chunks: LogEntry[][] = [];
  /** Index that the first place of the first chunk stands for. */
  private origin: LogIndex;
  /** Lowest index held, if any is. */
  first: LogIndex;
  /** One above the highest index held. */
  end: LogIndex;

  constructor(first: LogIndex) {
    this.origin = first;
    this.first = first;
    this.end = first;
  }

  at(index: LogIndex): LogEntry {
    const place = index - this.origin;
    assert(index >= this.first && index < this.end, "Entry is in the list");
    const entry = this.chunks[place >> CHUNK_SHIFT]?.[place & CHUNK_MASK];
    assert(entry !== undefined, "Chunks hold every entry of the list");
    return entry;
  }

  push(entry: LogEntry): void {
    assert(entry.index === this.end, "Entries leave no gap");
    const place = this.end - this.origin;
    const chunk = this.chunks[place >> CHUNK_SHIFT];
    if (chunk === undefined) this.chunks.push([entry]);
    else chunk.push(entry);
    this.end++;
  }

  /** A copy of [from, end). */
  slice(from: LogIndex, end: LogIndex): readonly LogEntry[] {
    assert(from >= this.first && from < end && end <= this.end, "Slice is not empty and inside the list");
    const start = from - this.origin;
    const last = end - 1 - this.origin;
    const firstChunk = start >> CHUNK_SHIFT;
    const lastChunk = last >> CHUNK_SHIFT;
    if (firstChunk === lastChunk) return this.chunk(firstChunk).slice(start & CHUNK_MASK, (last & CHUNK_MASK) + 1);
    const head = this.chunk(firstChunk).slice(start & CHUNK_MASK);
    return head.concat(...this.chunks.slice(firstChunk + 1, lastChunk), this.chunk(lastChunk).slice(0, (last & CHUNK_MASK) + 1));
  }

  /** Drops every entry at or above `end`. */
  truncate(end: LogIndex): void {
    assert(end >= this.first && end <= this.end, "Truncation is inside the list");
    const place = end - this.origin;
    const inLast = place & CHUNK_MASK;
    this.chunks.length = (place + CHUNK_MASK) >> CHUNK_SHIFT;
    if (inLast > 0) this.chunk(this.chunks.length - 1).length = inLast;
    this.end = end;
  }

  /** Drops every entry below `first`. */
  dropBefore(first: LogIndex): void {
    assert(first >= this.first && first <= this.end, "Dropping is inside the list");
    const wholeChunks = (first - this.origin) >> CHUNK_SHIFT;
    if (wholeChunks > 0) {
      this.chunks.splice(0, wholeChunks);
      this.origin += wholeChunks * CHUNK_SIZE;
    }
    this.chunks[0]?.fill(DROPPED, Math.max(0, this.first - this.origin), first - this.origin);
    this.first = first;
  }

  /** Drops everything; the next entry is `first`. */
  restart(first: LogIndex): void {
    this.chunks = [];
    this.origin = first;
    this.first = first;
    this.end = first;
  }

  private chunk(position: number): LogEntry[] {
    const chunk = this.chunks[position];
    assert(chunk !== undefined, "Chunk exists");
    return chunk;
  }
}
