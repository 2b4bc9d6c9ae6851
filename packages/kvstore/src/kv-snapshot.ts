import { assert } from "./assertion.ts";
import type { KeyValueView } from "./key-value.ts";
import type { RecordTable } from "./record-table.ts";
import { headBytes, magicHigh, magicLow, snapshotChunkBytes, snapshotFormat, writeSafeInteger } from "./snapshot-format.ts";
import type { TableImage } from "./table-image.ts";

const noBytes = new Uint8Array(0);

/**
 * The store as it was at `revision`, written chunk by chunk while writes go on. Holds what they replace until it is read past or
 * closed, so close it in any case.
 */
export class KVSnapshot {
  readonly revision: number;
  readonly #table: RecordTable;
  readonly #image: TableImage;
  #payloadBytes = 0;
  #recordCount = 0;
  /** Encoded, but behind the end of the last chunk. */
  #rest: Uint8Array;
  #phase: "records" | "done" | "closed" = "records";

  constructor(table: RecordTable, revision: number) {
    this.revision = revision;
    this.#table = table;
    this.#image = table.openImage(revision);
    this.#rest = encodeHeader(revision, this.#image.count);
  }

  /** Records in the snapshot. */
  get keyCount(): number {
    return this.#image.count;
  }

  /** Records that are held only for the snapshot, because a write replaced them. */
  get heldCount(): number {
    return this.#image.keptCount;
  }

  /**
   * The next bytes, `snapshotChunkBytes` of them but at the end, or null behind the last. The caller owns the array.
   * @throws Error if the snapshot is closed.
   */
  nextChunk(): Uint8Array | null {
    assert(this.#phase !== "closed", "A closed snapshot is not read");
    if (this.#phase === "done" && this.#rest.length === 0) return null;
    const chunk = new Uint8Array(snapshotChunkBytes);
    const begun = this.#takeRest(chunk, 0);
    const filled = this.#phase === "records" && begun < chunk.length ? this.#fill(chunk, begun) : begun;
    return chunk.subarray(0, filled);
  }

  /** Frees what is held. May be called twice. */
  close(): void {
    if (this.#phase === "closed") return;
    this.#phase = "closed";
    this.#rest = noBytes;
    this.#table.closeImage(this.#image);
  }

  #fill(chunk: Uint8Array, begun: number): number {
    const image = this.#image;
    const head = new DataView(chunk.buffer);
    let filled = begun;
    return this.#table.visit("records", (view) => {
      image.resume();
      while (filled < chunk.length) {
        const node = image.current();
        if (node === 0) return this.#end(chunk, filled);
        view.show(node);
        const size = headBytes + view.keyLength + view.valueLength;
        if (filled + size <= chunk.length) {
          encodeRecord(view, chunk, head, filled);
          filled += size;
        } else {
          this.#rest = new Uint8Array(size);
          encodeRecord(view, this.#rest, new DataView(this.#rest.buffer), 0);
          filled = this.#takeRest(chunk, filled);
        }
        this.#recordCount++;
        this.#payloadBytes += size - headBytes;
        image.advance();
      }
      return filled;
    });
  }

  #end(chunk: Uint8Array, filled: number): number {
    assert(this.#recordCount === this.#image.count, "A snapshot has as many records as there were when it was opened");
    this.#rest = encodeEnd(this.#recordCount, this.#payloadBytes);
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

function encodeHeader(revision: number, recordCount: number): Uint8Array {
  const head = new DataView(new ArrayBuffer(headBytes));
  head.setUint32(0, magicHigh);
  head.setUint32(4, magicLow);
  head.setUint32(8, snapshotFormat);
  writeSafeInteger(head, 16, revision);
  writeSafeInteger(head, 24, recordCount);
  return new Uint8Array(head.buffer);
}

function encodeRecord(view: KeyValueView, target: Uint8Array, head: DataView, offset: number): void {
  const { keyLength, valueLength } = view;
  head.setUint32(offset, keyLength);
  head.setUint32(offset + 4, valueLength);
  writeSafeInteger(head, offset + 8, view.createRevision);
  writeSafeInteger(head, offset + 16, view.modRevision);
  writeSafeInteger(head, offset + 24, view.version);
  head.setInt32(offset + 32, view.leaseHigh);
  head.setInt32(offset + 36, view.leaseLow);
  view.copyKey(target, offset + headBytes);
  view.copyValue(target, offset + headBytes + keyLength);
}

function encodeEnd(recordCount: number, payloadBytes: number): Uint8Array {
  const head = new DataView(new ArrayBuffer(headBytes));
  writeSafeInteger(head, 8, recordCount);
  writeSafeInteger(head, 16, payloadBytes);
  return new Uint8Array(head.buffer);
}
