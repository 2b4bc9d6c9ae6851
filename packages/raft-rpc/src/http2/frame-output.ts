import { FrameType, frameHeaderBytes } from "./frame.ts";

const slabBytesMin = 4 * 1024;
const slabBytesMax = 64 * 1024;
/** A slab that had to be larger than this, for a peer that did not read, is not used again. */
const reusedSlabBytesMax = 2 * slabBytesMax;

/**
 * Frames on their way out, one after another in a slab. What was taken is not written into while somebody may still read it: the slab is used
 * on behind it, and from its front again as soon as nobody does.
 *
 *   slab  [ taken by the socket | pending frames | free ............ ]
 *                               ^ start          ^ end
 */
export class FrameOutput {
  readonly #isTakenFree: () => boolean;
  #slab = new Uint8Array(slabBytesMin);
  #start = 0;
  #end = 0;

  /** `isTakenFree`: nobody reads any more what was taken. */
  constructor(isTakenFree: () => boolean) {
    this.#isTakenFree = isTakenFree;
  }

  /** Bytes that wait to be taken. */
  get pendingBytes(): number {
    return this.#end - this.#start;
  }

  /** Everything that is pending, for one write. */
  take(): Uint8Array {
    const bytes = this.#slab.subarray(this.#start, this.#end);
    this.#start = this.#end;
    return bytes;
  }

  /** Writes the header of a frame and makes room for its payload, which must be written next. */
  beginFrame(payloadBytes: number, type: number, flags: number, streamId: number): void {
    this.#reserve(frameHeaderBytes + payloadBytes);
    const slab = this.#slab;
    const at = this.#end;
    slab[at] = payloadBytes >>> 16;
    slab[at + 1] = payloadBytes >>> 8;
    slab[at + 2] = payloadBytes;
    slab[at + 3] = type;
    slab[at + 4] = flags;
    slab[at + 5] = streamId >>> 24;
    slab[at + 6] = streamId >>> 16;
    slab[at + 7] = streamId >>> 8;
    slab[at + 8] = streamId;
    this.#end = at + frameHeaderBytes;
  }

  /** `bytes` from `from` to `to`, into room that was reserved. */
  append(bytes: Uint8Array, from: number, to: number): void {
    const count = to - from;
    const slab = this.#slab;
    // A loop is faster than `set` with a view for the short pieces that most frames are.
    if (count <= 64) {
      let at = this.#end;
      for (let place = from; place < to; place++) slab[at++] = bytes[place] as number;
    } else {
      slab.set(count === bytes.length ? bytes : bytes.subarray(from, to), this.#end);
    }
    this.#end += count;
  }

  appendByte(value: number): void {
    this.#slab[this.#end++] = value;
  }

  appendUint32(value: number): void {
    const slab = this.#slab;
    const at = this.#end;
    slab[at] = value >>> 24;
    slab[at + 1] = value >>> 16;
    slab[at + 2] = value >>> 8;
    slab[at + 3] = value;
    this.#end = at + 4;
  }

  /** A frame whose payload is one 32-bit number: RST_STREAM, WINDOW_UPDATE. */
  uint32Frame(type: number, streamId: number, value: number): void {
    this.beginFrame(4, type, 0, streamId);
    this.appendUint32(value);
  }

  /** A frame whose payload is `bytes`. */
  bytesFrame(type: number, flags: number, streamId: number, bytes: Uint8Array): void {
    this.beginFrame(bytes.length, type, flags, streamId);
    this.append(bytes, 0, bytes.length);
  }

  /** Bytes that are no frame: the client's preface. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.append(bytes, 0, bytes.length);
  }

  settings(entries: readonly (readonly [id: number, value: number])[]): void {
    this.beginFrame(entries.length * 6, FrameType.SETTINGS, 0, 0);
    for (const [id, value] of entries) {
      this.appendByte(id >>> 8);
      this.appendByte(id & 0xff);
      this.appendUint32(value);
    }
  }

  #reserve(byteCount: number): void {
    if (this.#start === this.#end && this.#start > 0 && this.#isTakenFree()) this.#startOver();
    if (this.#slab.length - this.#end >= byteCount) return;
    const pending = this.#end - this.#start;
    // A connection that fills its slabs gets larger ones; an idle one keeps a small one.
    const size = Math.max(Math.min(this.#slab.length * 2, slabBytesMax), pending + byteCount);
    const slab = new Uint8Array(size);
    slab.set(this.#slab.subarray(this.#start, this.#end));
    this.#slab = slab;
    this.#start = 0;
    this.#end = pending;
  }

  #startOver(): void {
    if (this.#slab.length > reusedSlabBytesMax) this.#slab = new Uint8Array(slabBytesMax);
    this.#start = 0;
    this.#end = 0;
  }
}
