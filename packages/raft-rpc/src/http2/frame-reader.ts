import { ConnectionError, ErrorCode, frameHeaderBytes, readUint32 } from "./frame.ts";

export interface FrameSink {
  /**
   * One whole frame; its payload is `bytes` from `start` to `end`, a view that may be kept. Throws ConnectionError.
   * Returning false ends this `read`.
   */
  frame(type: number, flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): boolean;
}

/**
 * Cuts a byte stream into frames without copying: whole frames are handed out as ranges of the received chunk; only a frame that is cut by
 * the end of a chunk is put together in a buffer of its own size.
 *
 *   chunk   [ frame | frame | fra            pending = [ fra_____ ]
 *   chunk            me | frame | frame ]    pending filled, handed out, then on from the chunk
 */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #payloadMax: number;
  readonly #header = new Uint8Array(frameHeaderBytes);
  #headerLength = 0;
  /** The cut frame with its header, once the header is complete. */
  #pending: Uint8Array | null = null;
  #pendingLength = 0;
  #stopped = false;

  /** `payloadMax`: the MAX_FRAME_SIZE that this side advertised. */
  constructor(sink: FrameSink, payloadMax: number) {
    this.#sink = sink;
    this.#payloadMax = payloadMax;
  }

  /** Memory for the frame that is cut off at the end of what was read; 0 if none is. */
  get retainedBytes(): number {
    return this.#pending?.length ?? this.#headerLength;
  }

  /**
   * Returns the offset behind what was read: all of the chunk, if the sink didn't stop it. Throws ConnectionError: FRAME_SIZE_ERROR for a
   * length above the maximum, before anything of the frame is kept.
   */
  read(chunk: Uint8Array, from: number): number {
    let offset = from;
    this.#stopped = false;
    if (this.#headerLength > 0) offset = this.#completePending(chunk, offset);
    while (!this.#stopped && chunk.length - offset >= frameHeaderBytes) {
      const length = this.#payloadLength(chunk, offset);
      const start = offset + frameHeaderBytes;
      if (chunk.length - start < length) break;
      this.#deliver(chunk, offset, start + length);
      offset = start + length;
    }
    return this.#stopped || offset === chunk.length ? offset : this.#completePending(chunk, offset);
  }

  #deliver(bytes: Uint8Array, offset: number, end: number): void {
    const type = bytes[offset + 3] as number;
    const flags = bytes[offset + 4] as number;
    const streamId = readUint32(bytes, offset + 5) & 0x7fffffff;
    if (!this.#sink.frame(type, flags, streamId, bytes, offset + frameHeaderBytes, end)) this.#stopped = true;
  }

  #payloadLength(bytes: Uint8Array, offset: number): number {
    const length = ((bytes[offset] as number) << 16) | ((bytes[offset + 1] as number) << 8) | (bytes[offset + 2] as number);
    if (length > this.#payloadMax) {
      throw new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, `Frame of ${length} bytes is above the maximum ${this.#payloadMax}`);
    }
    return length;
  }

  /** Takes what the cut frame still needs. Returns the offset behind it: the end of the chunk if the frame is still cut. */
  #completePending(chunk: Uint8Array, from: number): number {
    let offset = from;
    while (this.#headerLength < frameHeaderBytes) {
      if (offset === chunk.length) return offset;
      this.#header[this.#headerLength++] = chunk[offset++] as number;
    }
    if (this.#pending === null) {
      this.#pending = new Uint8Array(frameHeaderBytes + this.#payloadLength(this.#header, 0));
      this.#pending.set(this.#header);
      this.#pendingLength = frameHeaderBytes;
    }
    const pending = this.#pending;
    const count = Math.min(pending.length - this.#pendingLength, chunk.length - offset);
    pending.set(chunk.subarray(offset, offset + count), this.#pendingLength);
    this.#pendingLength += count;
    if (this.#pendingLength < pending.length) return offset + count;
    this.#pending = null;
    this.#headerLength = 0;
    this.#deliver(pending, 0, pending.length);
    return offset + count;
  }
}
