import { assert } from "./assertion.ts";
import { orderOfBytes } from "./byte-order.ts";
import { keyBytesMax, valueBytesMax } from "./record-limits.ts";
import type { RecordFields, RecordTable } from "./record-table.ts";
import { headBytes, magicHigh, magicLow, readSafeInteger, SnapshotFormatError, snapshotFormat } from "./snapshot-format.ts";

const noBytes = new Uint8Array(0);

/**
 * Builds a table from the bytes of a snapshot, in whatever pieces they come. It trusts no length: memory is taken for bytes that
 * have come, not for bytes that are announced. The store keeps its old state until `finish`.
 */
export class KVRestorer {
  readonly #table: RecordTable;
  readonly #install: (table: RecordTable, revision: number) => void;
  #phase: "header" | "records" | "ended" | "failed" | "finished" = "header";
  #revision = 0;
  #announcedCount = 0;
  #lastKey: Uint8Array = noBytes;
  #consumedBytes = 0;
  /** The beginning of an item whose end has not come yet. */
  #partial = noBytes;
  #partialLength = 0;

  constructor(table: RecordTable, install: (table: RecordTable, revision: number) => void) {
    this.#table = table;
    this.#install = install;
  }

  /**
   * Takes the next bytes, which are not kept.
   * @throws SnapshotFormatError if they can't be part of a snapshot; then the restorer is of no more use.
   */
  push(chunk: Uint8Array): void {
    assert(this.#phase !== "failed" && this.#phase !== "finished", "A restorer takes chunks until it fails or finishes");
    try {
      const used = this.#completePartial(chunk);
      const rest = used + this.#readItems(chunk.subarray(used));
      this.#keepPartial(chunk.subarray(rest));
    } catch (reason) {
      this.#phase = "failed";
      throw reason;
    }
  }

  /**
   * Replaces the state of the store by the snapshot, as a whole.
   * @throws SnapshotFormatError if the end has not come; the store is unchanged.
   */
  finish(): void {
    assert(this.#phase !== "failed" && this.#phase !== "finished", "A restorer finishes once, and not after it failed");
    if (this.#phase !== "ended") {
      this.#phase = "failed";
      throw new SnapshotFormatError(`Snapshot is cut off after ${this.#consumedBytes + this.#partialLength} bytes`);
    }
    this.#phase = "finished";
    this.#install(this.#table, this.#revision);
  }

  /** Adds bytes to the unfinished item until it is whole or the chunk is used up. Returns the bytes used. */
  #completePartial(chunk: Uint8Array): number {
    let used = 0;
    while (this.#partialLength > 0 && used < chunk.length) {
      const wanted = this.#itemBytes(this.#partial.subarray(0, this.#partialLength)) - this.#partialLength;
      const piece = chunk.subarray(used, used + wanted);
      this.#keepPartial(piece);
      used += piece.length;
      const partial = this.#partial.subarray(0, this.#partialLength);
      if (this.#readItems(partial) > 0) this.#partialLength = 0;
    }
    return used;
  }

  #keepPartial(piece: Uint8Array): void {
    const needed = this.#partialLength + piece.length;
    if (needed > this.#partial.length) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.#partial.length));
      grown.set(this.#partial.subarray(0, this.#partialLength));
      this.#partial = grown;
    }
    this.#partial.set(piece, this.#partialLength);
    this.#partialLength = needed;
  }

  /** Reads the whole items of `bytes` and returns how many bytes they are. */
  #readItems(bytes: Uint8Array): number {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    while (bytes.length - at >= headBytes) {
      const size = this.#itemBytes(bytes.subarray(at, at + headBytes));
      if (bytes.length - at < size) break;
      this.#readItem(bytes, view, at);
      at += size;
      this.#consumedBytes += size;
    }
    if (this.#phase === "ended" && at < bytes.length) throw new SnapshotFormatError(`Bytes follow the end of the snapshot`);
    return at;
  }

  /** Length of the item that begins here: what its head says, or that of a head while that is not whole. */
  #itemBytes(item: Uint8Array): number {
    if (item.length < headBytes || this.#phase === "header") return headBytes;
    const view = new DataView(item.buffer, item.byteOffset, headBytes);
    const keyLength = view.getUint32(0);
    const valueLength = view.getUint32(4);
    this.#require(keyLength <= keyBytesMax, `Key length ${keyLength} is above ${keyBytesMax}`);
    this.#require(valueLength <= valueBytesMax, `Value length ${valueLength} is above ${valueBytesMax}`);
    return headBytes + keyLength + valueLength;
  }

  #readItem(bytes: Uint8Array, view: DataView, at: number): void {
    if (this.#phase === "header") return this.#readHeader(view, at);
    this.#require(this.#phase === "records", "Bytes follow the end of the snapshot");
    if (view.getUint32(at) === 0) return this.#readEnd(view, at);
    this.#readRecord(bytes, view, at);
  }

  #readHeader(view: DataView, at: number): void {
    this.#require(view.getUint32(at) === magicHigh && view.getUint32(at + 4) === magicLow, "It does not begin as a snapshot does");
    const format = view.getUint32(at + 8);
    this.#require(format === snapshotFormat, `Format ${format} is not known, only ${snapshotFormat}`);
    this.#require(view.getUint32(at + 12) === 0 && isZero(view, at + 32), "Unused bytes of the header are not 0");
    this.#revision = readSafeInteger(view, at + 16, "Revision");
    this.#require(this.#revision >= 1, `Revision ${this.#revision} is below 1`);
    this.#announcedCount = readSafeInteger(view, at + 24, "Number of records");
    this.#phase = "records";
  }

  #readRecord(bytes: Uint8Array, view: DataView, at: number): void {
    const keyEnd = at + headBytes + view.getUint32(at);
    const key = bytes.subarray(at + headBytes, keyEnd);
    const value = bytes.subarray(keyEnd, keyEnd + view.getUint32(at + 4));
    this.#require(this.#table.count < this.#announcedCount, `More than the announced ${this.#announcedCount} records`);
    this.#require(orderOfBytes(this.#lastKey, key) < 0, "Keys do not ascend");
    const fields: RecordFields = {
      createRevision: readSafeInteger(view, at + 8, "Create revision"),
      modRevision: readSafeInteger(view, at + 16, "Mod revision"),
      version: readSafeInteger(view, at + 24, "Version"),
      leaseHigh: view.getInt32(at + 32),
      leaseLow: view.getInt32(at + 36),
    };
    const { createRevision, modRevision, version } = fields;
    this.#require(
      createRevision > 1 && createRevision <= modRevision && modRevision <= this.#revision,
      `Create revision ${createRevision} and mod revision ${modRevision} are not in order within 2 to ${this.#revision}`,
    );
    this.#require(
      version >= 1 && version <= modRevision - createRevision + 1,
      `Version ${version} can't be reached from revision ${createRevision} to ${modRevision}`,
    );
    this.#table.append(key, value, fields);
    this.#lastKey = key.slice();
  }

  #readEnd(view: DataView, at: number): void {
    this.#require(view.getUint32(at + 4) === 0 && isZero(view, at + 24) && isZero(view, at + 32), "Unused bytes of the end are not 0");
    const count = readSafeInteger(view, at + 8, "Number of records");
    const payloadBytes = readSafeInteger(view, at + 16, "Number of bytes");
    this.#require(
      count === this.#table.count && count === this.#announcedCount,
      `${this.#table.count} records came, ${this.#announcedCount} were announced and ${count} confirmed`,
    );
    this.#require(
      payloadBytes === this.#table.payloadBytes,
      `Keys and values are ${this.#table.payloadBytes} bytes, not the confirmed ${payloadBytes}`,
    );
    this.#phase = "ended";
  }

  #require(condition: boolean, sentence: string): void {
    if (!condition) throw new SnapshotFormatError(`${sentence} (record ${this.#table.count + 1}, byte ${this.#consumedBytes})`);
  }
}

function isZero(view: DataView, offset: number): boolean {
  return view.getUint32(offset) === 0 && view.getUint32(offset + 4) === 0;
}
