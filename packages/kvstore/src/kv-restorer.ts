import { assert } from "./assertion.ts";
import type { Crc32c } from "./crc32c.ts";
import type { LeaseTable } from "./lease/lease-table.ts";
import { joinHalves } from "./lease-id.ts";
import { keyBytesMax, valueBytesMax } from "./record-limits.ts";
import {
  headBytes,
  itemKinds,
  magicHigh,
  magicLow,
  readSafeInteger,
  refuse,
  SnapshotFormatError,
  snapshotFormat,
  sumOffset,
} from "./snapshot-format.ts";
import type { SnapshotSection } from "./snapshot-section.ts";
import { TableBuilder } from "./table-builder.ts";
import type { VersionFields } from "./version-store.ts";
import type { VersionTable } from "./version-table.ts";

const noBytes = new Uint8Array(0);
const sectionBytesMax = 1024 * 1024 * 1024;

export interface RestorerOptions {
  /** Of the table to build. */
  readonly seed: number;
  readonly crc32c: Crc32c;
  /** The leases that keys will be attached to: one of the sections. */
  readonly leases: LeaseTable;
  /** What is there beside the keys, in the order of the snapshot. */
  readonly sections: readonly SnapshotSection[];
  /** Called once, when all has come and was right. */
  readonly install: (table: VersionTable) => void;
}

/**
 * Builds a table from the bytes of a snapshot, in whatever pieces they come. It trusts no length: memory is taken for bytes that
 * have come, not for bytes that are announced. The store keeps its old state until `finish`.
 */
export class KVRestorer {
  readonly #options: RestorerOptions;
  #builder: TableBuilder | null = null;
  #phase: "header" | "items" | "ended" | "failed" | "finished" = "header";
  #sectionCount = 0;
  #sum = 0;
  #consumedBytes = 0;
  /** The beginning of an item whose end has not come yet. */
  #partial = noBytes;
  #partialLength = 0;

  constructor(options: RestorerOptions) {
    this.#options = options;
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
      throw this.#placed(reason);
    }
  }

  /**
   * Replaces the state of the store by the snapshot, as a whole.
   * @throws SnapshotFormatError if the end has not come; the store is unchanged.
   */
  finish(): void {
    assert(this.#phase !== "failed" && this.#phase !== "finished", "A restorer finishes once, and not after it failed");
    if (this.#phase !== "ended" || this.#builder === null) {
      this.#phase = "failed";
      throw new SnapshotFormatError(`Snapshot is cut off after ${this.#consumedBytes + this.#partialLength} bytes`);
    }
    this.#phase = "finished";
    this.#options.install(this.#builder.table);
  }

  /** Adds bytes to the unfinished item until it is whole or the chunk is used up. Returns the bytes used. */
  #completePartial(chunk: Uint8Array): number {
    let used = 0;
    while (this.#partialLength > 0 && used < chunk.length) {
      const wanted = this.#itemBytes(viewOf(this.#partial), 0, this.#partialLength) - this.#partialLength;
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
    const view = viewOf(bytes);
    let summed = 0;
    let at = 0;
    while (bytes.length - at >= headBytes) {
      const size = this.#itemBytes(view, at, bytes.length - at);
      if (bytes.length - at < size) break;
      if (view.getUint32(at) === itemKinds.end) {
        this.#sum = this.#options.crc32c(bytes, summed, at, this.#sum);
        summed = at;
      }
      this.#readItem(bytes, view, at, size);
      at += size;
      this.#consumedBytes += size;
    }
    this.#sum = this.#options.crc32c(bytes, summed, at, this.#sum);
    if (this.#phase === "ended" && at < bytes.length) refuse("Bytes follow the end of the snapshot");
    return at;
  }

  /** Length of the item of which `length` bytes begin at `at`: what its head says, or that of a head while that is not whole. */
  #itemBytes(view: DataView, at: number, length: number): number {
    if (length < headBytes || this.#phase === "header") return headBytes;
    if (this.#phase !== "items") refuse("Bytes follow the end of the snapshot");
    const kind = view.getUint32(at);
    if (kind === itemKinds.end) return headBytes;
    const keyLength = view.getUint32(at + 4);
    const valueLength = readSafeInteger(view, at + 8, "Length");
    if (kind === itemKinds.section) {
      if (keyLength > 255 || valueLength > sectionBytesMax) refuse(`Section of ${valueLength} bytes is above ${sectionBytesMax}`);
      return headBytes + keyLength + valueLength;
    }
    if (kind !== itemKinds.newest && kind !== itemKinds.older) refuse(`An item of kind ${kind} is not known`);
    if (keyLength > keyBytesMax) refuse(`Key length ${keyLength} is above ${keyBytesMax}`);
    if (keyLength > 0 !== (kind === itemKinds.newest)) refuse("The newest version of a key has the key, others have none");
    if (valueLength > valueBytesMax) refuse(`Value length ${valueLength} is above ${valueBytesMax}`);
    return headBytes + keyLength + valueLength;
  }

  #readItem(bytes: Uint8Array, view: DataView, at: number, size: number): void {
    const { sections } = this.#options;
    if (this.#phase === "header") this.#builder = this.#readHeader(bytes, view, at);
    else if (this.#builder !== null) {
      const kind = view.getUint32(at);
      if (kind === itemKinds.section) this.#readSection(this.#builder, bytes, view, at, size);
      else if (this.#sectionCount < sections.length) refuse(`Section ${sections[this.#sectionCount]?.name} is missing`);
      if (kind === itemKinds.newest || kind === itemKinds.older) this.#readVersion(this.#builder, bytes, view, at);
      if (kind === itemKinds.end) this.#readEnd(this.#builder, bytes, view, at);
    }
  }

  #readHeader(bytes: Uint8Array, view: DataView, at: number): TableBuilder {
    if (view.getUint32(at) !== magicHigh || view.getUint32(at + 4) !== magicLow) refuse("It does not begin as a snapshot does");
    const format = view.getUint32(at + 8);
    if (format !== snapshotFormat) refuse(`Format ${format} is not known, only ${snapshotFormat}`);
    if (view.getUint32(at + sumOffset) !== this.#options.crc32c(bytes, at, at + sumOffset)) refuse("The sum of the header is not right");
    this.#phase = "items";
    return new TableBuilder(this.#options.seed, {
      revision: readSafeInteger(view, at + 16, "Revision"),
      compactRevision: readSafeInteger(view, at + 24, "Compact revision") - 1,
      eventCount: readSafeInteger(view, at + 32, "Number of events"),
    });
  }

  #readSection(builder: TableBuilder, bytes: Uint8Array, view: DataView, at: number, size: number): void {
    const nameEnd = at + headBytes + view.getUint32(at + 4);
    const name = String.fromCharCode(...bytes.subarray(at + headBytes, nameEnd));
    if (builder.versionCount > 0) refuse(`Section ${JSON.stringify(name)} comes behind keys`);
    const { sections } = this.#options;
    if (sections[this.#sectionCount - 1]?.name !== name) this.#sectionCount++;
    const section = sections[this.#sectionCount - 1];
    if (section?.name !== name) refuse(`Section ${JSON.stringify(name)} is not known here`);
    section.read(bytes.subarray(nameEnd, at + size));
  }

  #readVersion(builder: TableBuilder, bytes: Uint8Array, view: DataView, at: number): void {
    const keyEnd = at + headBytes + view.getUint32(at + 4);
    const key = bytes.subarray(at + headBytes, keyEnd);
    const value = bytes.subarray(keyEnd, keyEnd + view.getUint32(at + 12));
    const fields: VersionFields = {
      createRevision: readSafeInteger(view, at + 16, "Create revision"),
      modRevision: readSafeInteger(view, at + 24, "Mod revision"),
      version: readSafeInteger(view, at + 32, "Version"),
      leaseHigh: view.getInt32(at + 40),
      leaseLow: view.getInt32(at + 44),
    };
    const place = readSafeInteger(view, at + 48, "Event");
    if (view.getUint32(at) === itemKinds.older) return builder.addOlder(value, fields, place);
    const node = builder.addNewest(key, value, fields, place);
    const lease = joinHalves(fields.leaseHigh, fields.leaseLow);
    if (lease === 0n) return;
    if (!this.#options.leases.has(lease)) refuse(`Lease ${lease} is not among the leases`);
    this.#options.leases.attach(lease, node);
  }

  #readEnd(builder: TableBuilder, bytes: Uint8Array, view: DataView, at: number): void {
    const versionCount = readSafeInteger(view, at + 8, "Number of versions");
    const keyCount = readSafeInteger(view, at + 16, "Number of keys");
    const payloadBytes = readSafeInteger(view, at + 24, "Number of bytes");
    const table = builder.finish();
    if (versionCount !== builder.versionCount) refuse(`${builder.versionCount} versions came, ${versionCount} were written`);
    if (keyCount !== table.liveCount) refuse(`${table.liveCount} keys came, ${keyCount} were written`);
    if (payloadBytes !== table.payloadBytes) refuse(`The payload is ${table.payloadBytes} bytes, ${payloadBytes} were written`);
    const sum = this.#options.crc32c(bytes, at, at + sumOffset, this.#sum);
    if (view.getUint32(at + sumOffset) !== sum) refuse("The sum of the snapshot is not right");
    this.#phase = "ended";
  }

  /** The reason with where it was found. */
  #placed(reason: unknown): unknown {
    if (!(reason instanceof SnapshotFormatError)) return reason;
    const count = this.#builder?.versionCount ?? 0;
    return new SnapshotFormatError(`${reason.message} (behind ${count} versions, byte ${this.#consumedBytes})`);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
