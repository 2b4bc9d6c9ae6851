import { assert } from "./assertion.ts";
import { copyBytes } from "./copy-bytes.ts";
import type { Crc32c } from "./crc32c.ts";
import { LoadedVersion } from "./loaded-version.ts";
import { RetainedVersions } from "./retained-versions.ts";
import {
  headBytes,
  itemKinds,
  magicHigh,
  magicLow,
  snapshotChunkBytes,
  snapshotFormat,
  sumOffset,
  writeSafeInteger,
} from "./snapshot-format.ts";
import type { SnapshotSection } from "./snapshot-section.ts";
import { payloadBytesOf, type VersionRef } from "./version-store.ts";
import type { VersionTable } from "./version-table.ts";

const noBytes = new Uint8Array(0);
/** Versions to look at for one chunk, most of which may have to be passed over: a few milliseconds. */
const versionsPerChunk = 16_384;

export interface SnapshotParts {
  readonly crc32c: Crc32c;
  /** What is there beside the keys. */
  readonly sections: readonly SnapshotSection[];
}

/**
 * The store as it was at `revision`, written chunk by chunk while writes go on. Nothing is copied: the history has what it was. Until
 * it is closed no compacted memory is given back, so close it in any case.
 */
export class KVSnapshot {
  readonly revision: number;
  /** Keys that were there. */
  readonly keyCount: number;
  readonly #table: VersionTable;
  readonly #crc32c: Crc32c;
  readonly #versions: RetainedVersions;
  readonly #payloadBytes: number;
  /** The event number of the first place. */
  readonly #firstEvent: number;
  /** The version that is written, and the length of its key. */
  readonly #loaded = new LoadedVersion();
  #keyLength = 0;
  #versionCount = 0;
  #writtenBytes = 0;
  /** Pieces of sections that are still to come, null behind the last. */
  #sections: Iterator<Uint8Array> | null;
  /** Encoded, but behind the end of the last chunk. */
  #rest: Uint8Array;
  #sum = 0;
  #phase: "versions" | "done" | "closed" = "versions";

  constructor(table: VersionTable, { crc32c, sections }: SnapshotParts) {
    const { events, revision } = table;
    const firstRevision = Math.max(table.compactRevision, 1);
    this.revision = revision;
    this.keyCount = table.liveCount;
    this.#table = table;
    this.#crc32c = crc32c;
    this.#versions = new RetainedVersions(table, revision);
    this.#payloadBytes = table.payloadBytes;
    this.#firstEvent = events.start(firstRevision);
    const eventCount = events.count(this.#firstEvent, events.start(revision + 1));
    this.#rest = encodeHeader(revision, table.compactRevision, eventCount, crc32c);
    this.#sections = encodedSections(sections.map((section) => ({ name: section.name, pieces: section.write() })));
  }

  /**
   * The next bytes, or null behind the last: `snapshotChunkBytes`, unless it is the last chunk or there was much to pass over; it may be
   * empty then. It lies in `memory`, which has so many bytes; without, the caller owns it. Memory outside the heap that comes and goes
   * with every chunk makes the collector run again and again.
   * @throws Error if the snapshot is closed.
   */
  nextChunk(memory?: Uint8Array): Uint8Array | null {
    assert(this.#phase !== "closed", "A closed snapshot is not read");
    assert(memory === undefined || memory.length === snapshotChunkBytes, "The memory for a chunk is as long as a chunk");
    if (this.#phase === "done" && this.#rest.length === 0) return null;
    const chunk = memory ?? new Uint8Array(snapshotChunkBytes);
    const begun = this.#takeRest(chunk, 0);
    const filled = this.#phase === "versions" ? this.#fill(chunk, begun) : begun;
    return chunk.subarray(0, filled);
  }

  /** Lets compacted memory be given back. May be called twice. */
  close(): void {
    if (this.#phase === "closed") return;
    this.#phase = "closed";
    this.#rest = noBytes;
    this.#versions.close();
  }

  #fill(chunk: Uint8Array, begun: number): number {
    const versions = this.#versions;
    const head = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
    let filled = this.#fillSections(chunk, begun);
    for (let i = 0; i < versionsPerChunk && filled < chunk.length && !versions.isDone; i++) {
      const version = versions.next();
      if (version === 0) continue;
      const size = this.#load(version);
      if (filled + size <= chunk.length) {
        this.#encodeVersion(chunk, head, filled);
        filled += size;
      } else {
        this.#rest = new Uint8Array(size);
        this.#encodeVersion(this.#rest, new DataView(this.#rest.buffer), 0);
        filled = this.#takeRest(chunk, filled);
      }
    }
    this.#sum = this.#crc32c(chunk, 0, filled, this.#sum);
    const isAll = this.#sections === null && versions.isDone && this.#rest.length === 0;
    return isAll ? this.#end(chunk, filled) : filled;
  }

  /** Returns how far the chunk is filled: up to its end, unless there are no more sections. */
  #fillSections(chunk: Uint8Array, begun: number): number {
    let filled = begun;
    while (filled < chunk.length && this.#sections !== null) {
      const section = this.#sections.next();
      if (section.done === true) {
        this.#sections = null;
      } else {
        this.#rest = section.value;
        filled = this.#takeRest(chunk, filled);
      }
    }
    return filled;
  }

  /** Reads the version that is shown and counts it. Returns the bytes that it takes. */
  #load(version: VersionRef): number {
    const { versions } = this.#table;
    const retained = this.#versions;
    const loaded = this.#loaded;
    versions.load(version, loaded);
    if (retained.isFirstOfKey) this.#keyLength = versions.nodes.keyLength(retained.node);
    this.#versionCount++;
    this.#writtenBytes += payloadBytesOf(this.#keyLength, loaded.valueLength);
    return headBytes + (retained.isFirstOfKey ? this.#keyLength : 0) + loaded.valueLength;
  }

  #encodeVersion(target: Uint8Array, head: DataView, offset: number): void {
    const { events } = this.#table;
    const { isFirstOfKey: isNewest, compactRevision } = this.#versions;
    const { createRevision, modRevision, version, leaseHigh, leaseLow, valueLength, event } = this.#loaded;
    const isEvent = modRevision >= compactRevision;
    head.setUint32(offset, isNewest ? itemKinds.newest : itemKinds.older);
    head.setUint32(offset + 4, isNewest ? this.#keyLength : 0);
    writeSafeInteger(head, offset + 8, valueLength);
    writeSafeInteger(head, offset + 16, createRevision);
    writeSafeInteger(head, offset + 24, modRevision);
    writeSafeInteger(head, offset + 32, version);
    head.setInt32(offset + 40, leaseHigh);
    head.setInt32(offset + 44, leaseLow);
    writeSafeInteger(head, offset + 48, isEvent ? events.count(this.#firstEvent, event) + 1 : 0);
    const keyEnd = isNewest ? this.#copyKey(target, offset + headBytes) : offset + headBytes;
    if (valueLength > 0) this.#copyValue(target, keyEnd);
  }

  /** Returns where the key ends. */
  #copyKey(target: Uint8Array, offset: number): number {
    const { nodes } = this.#table.versions;
    const { node } = this.#versions;
    copyBytes(nodes.keyPage(node), nodes.keyOffset(node), this.#keyLength, target, offset);
    return offset + this.#keyLength;
  }

  #copyValue(target: Uint8Array, offset: number): void {
    const { values } = this.#table.versions;
    const { valueCell, valueLength } = this.#loaded;
    copyBytes(values.page(valueCell), values.offset(valueCell), valueLength, target, offset);
  }

  #end(chunk: Uint8Array, filled: number): number {
    assert(this.#writtenBytes === this.#payloadBytes, "A snapshot has the payload that was accounted when it was opened");
    const end = new Uint8Array(headBytes);
    const head = new DataView(end.buffer);
    head.setUint32(0, itemKinds.end);
    writeSafeInteger(head, 8, this.#versionCount);
    writeSafeInteger(head, 16, this.keyCount);
    writeSafeInteger(head, 24, this.#payloadBytes);
    head.setUint32(sumOffset, this.#crc32c(end, 0, sumOffset, this.#sum));
    this.#rest = end;
    this.#phase = "done";
    return this.#takeRest(chunk, filled);
  }

  /** Moves as much of the rest to the chunk as there is room for, and returns how far the chunk is filled. */
  #takeRest(chunk: Uint8Array, filled: number): number {
    const taken = Math.min(this.#rest.length, chunk.length - filled);
    chunk.set(this.#rest.subarray(0, taken), filled);
    this.#rest = taken === this.#rest.length ? noBytes : this.#rest.subarray(taken);
    return filled + taken;
  }
}

function encodeHeader(revision: number, compactRevision: number, eventCount: number, crc32c: Crc32c): Uint8Array {
  const header = new Uint8Array(headBytes);
  const head = new DataView(header.buffer);
  head.setUint32(0, magicHigh);
  head.setUint32(4, magicLow);
  head.setUint32(8, snapshotFormat);
  writeSafeInteger(head, 16, revision);
  writeSafeInteger(head, 24, compactRevision + 1);
  writeSafeInteger(head, 32, eventCount);
  head.setUint32(sumOffset, crc32c(header, 0, sumOffset));
  return header;
}

/** Items of sections whose state was taken before. */
function* encodedSections(
  sections: readonly { readonly name: string; readonly pieces: Iterable<Uint8Array> }[],
): Generator<Uint8Array, undefined> {
  for (const { name, pieces } of sections) {
    for (const piece of pieces) yield encodeSection(name, piece);
  }
}

function encodeSection(name: string, piece: Uint8Array): Uint8Array {
  const item = new Uint8Array(headBytes + name.length + piece.length);
  const head = new DataView(item.buffer);
  head.setUint32(0, itemKinds.section);
  head.setUint32(4, name.length);
  writeSafeInteger(head, 8, piece.length);
  for (let i = 0; i < name.length; i++) item[headBytes + i] = name.charCodeAt(i);
  item.set(piece, headBytes + name.length);
  return item;
}
