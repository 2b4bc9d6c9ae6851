import { CodecError } from "./codec-error.ts";

/** Messages share chunks of this size; a larger message gets a chunk of its own. */
const CHUNK_BYTES = 65_536;
/** gRPC carries lengths in 32 bits; half of that is far above every limit of ours. */
const MESSAGE_BYTES_MAX = 0x7fff_ffff;
/** Transactions in transactions, which take two levels each, are the deepest messages. */
const DEPTH_MAX = 400;
/** A loop beats `set` up to about here. */
const SHORT_COPY_BYTES = 24;
const TAG_BYTES_MAX = 5;
const VARINT_BYTES_MAX = 10;
const TWO_TO_32 = 4_294_967_296;

const textEncoder = new TextEncoder();
const halves = new DataView(new ArrayBuffer(8));

/** Bytes of a non-negative safe integer as a varint. */
function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}

/**
 * Writes the protobuf wire format. `begin`, fields in any order, `finish`; a message that is not finished is dropped by the next
 * `begin`. The fields of a name ending in `Field` leave out the default value, as proto3 asks.
 *
 * ```
 *   chunk  │ message │ message │ message being written ...      │
 *          └ handed out, never ┘ └ start          └ position
 *            written again
 * ```
 *
 * Finished messages are views of the chunk they were written in, so nothing is copied; the chunk lives as long as one of them.
 */
export class ProtobufWriter {
  private chunk = new Uint8Array(0);
  private start = 0;
  private position = 0;
  private depth = 0;
  /** Where the open embedded messages begin, from `start`, and how many bytes are kept free for their length. */
  private readonly marks = new Uint32Array(DEPTH_MAX);
  private readonly reserved = new Uint8Array(DEPTH_MAX);

  /** `sizeHint` bytes are made available at once; more are when needed. */
  begin(sizeHint: number): void {
    this.position = this.start;
    this.depth = 0;
    this.ensure(sizeHint);
  }

  finish(): Uint8Array {
    if (this.depth !== 0) throw new Error("Assertion failed: Every message that was opened is closed");
    const message = new Uint8Array(this.chunk.buffer, this.start, this.position - this.start);
    this.start = this.position;
    // What is left of a large chunk is not worth keeping the large one alive.
    if (this.chunk.length > CHUNK_BYTES) {
      this.chunk = new Uint8Array(0);
      this.start = 0;
      this.position = 0;
    }
    return message;
  }

  /** A uint64, or an int64 that is never negative. */
  uintField(tag: number, value: number): void {
    if (value === 0) return;
    if (!Number.isSafeInteger(value) || value < 0) throw new CodecError(`Integer ${value} is not in 0..2^53-1`);
    this.ensure(TAG_BYTES_MAX + VARINT_BYTES_MAX);
    this.putVarint(tag);
    this.putVarint(value);
  }

  /** An int64. */
  intField(tag: number, value: number): void {
    if (value >= 0) {
      this.uintField(tag, value);
      return;
    }
    if (!Number.isSafeInteger(value)) throw new CodecError(`Integer ${value} is not in -(2^53-1)..2^53-1`);
    this.ensure(TAG_BYTES_MAX + VARINT_BYTES_MAX);
    this.putVarint(tag);
    this.putHalves(Math.floor(value / TWO_TO_32) >>> 0, value >>> 0);
  }

  /** A uint64 or an int64 given as its upper and lower 32 bits. */
  halvesField(tag: number, high: number, low: number): void {
    if ((high | low) === 0) return;
    this.ensure(TAG_BYTES_MAX + VARINT_BYTES_MAX);
    this.putVarint(tag);
    this.putHalves(high >>> 0, low >>> 0);
  }

  /** A uint64 or an int64. */
  bigintField(tag: number, value: bigint): void {
    if (value === 0n) return;
    halves.setBigUint64(0, value);
    this.halvesField(tag, halves.getUint32(0), halves.getUint32(4));
  }

  fixed64Field(tag: number, value: bigint): void {
    if (value === 0n) return;
    this.ensure(TAG_BYTES_MAX + 8);
    this.putVarint(tag);
    halves.setBigUint64(0, value);
    for (let i = 7; i >= 0; i -= 1) this.chunk[this.position++] = halves.getUint8(i);
  }

  boolField(tag: number, value: boolean): void {
    if (!value) return;
    this.ensure(TAG_BYTES_MAX + 1);
    this.putVarint(tag);
    this.chunk[this.position++] = 1;
  }

  bytesField(tag: number, value: Uint8Array): void {
    if (value.length !== 0) this.bytesElement(tag, value);
  }

  stringField(tag: number, value: string): void {
    if (value !== "") this.bytesElement(tag, textEncoder.encode(value));
  }

  /** An element of a repeated string, or the chosen string of a oneof: written also if it is empty. */
  stringElement(tag: number, value: string): void {
    this.bytesElement(tag, textEncoder.encode(value));
  }

  /** An element of repeated bytes, or the chosen bytes of a oneof: written also if they are empty. */
  bytesElement(tag: number, value: Uint8Array): void {
    const { length } = value;
    this.ensure(TAG_BYTES_MAX + VARINT_BYTES_MAX + length);
    this.putVarint(tag);
    this.putVarint(length);
    this.putBytes(value);
  }

  /** Fields that are encoded already, tags and all. */
  encodedFields(fields: Uint8Array): void {
    this.ensure(fields.length);
    this.putBytes(fields);
  }

  /** An element of packed integers; there is no tag between them. */
  packedUint(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new CodecError(`Integer ${value} is not in 0..2^53-1`);
    this.ensure(VARINT_BYTES_MAX);
    this.putVarint(value);
  }

  /** A packed int64. */
  packedInt(value: number): void {
    if (value >= 0) this.packedUint(value);
    else this.packedBigint(BigInt(value));
  }

  /** A packed uint64 or int64. */
  packedBigint(value: bigint): void {
    halves.setBigUint64(0, value);
    this.ensure(VARINT_BYTES_MAX);
    this.putHalves(halves.getUint32(0), halves.getUint32(4));
  }

  /** Begins an embedded message. A good `sizeHint` spares moving its bytes when the length is known. */
  open(tag: number, sizeHint: number): void {
    if (this.depth === DEPTH_MAX) throw new Error(`Assertion failed: Messages are nested at most ${DEPTH_MAX} deep`);
    this.ensure(TAG_BYTES_MAX + VARINT_BYTES_MAX);
    this.putVarint(tag);
    const lengthBytes = varintBytes(sizeHint);
    this.marks[this.depth] = this.position - this.start;
    this.reserved[this.depth] = lengthBytes;
    this.depth += 1;
    this.position += lengthBytes;
  }

  /** Ends the embedded message that was opened last. */
  close(): void {
    if (this.depth === 0) throw new Error("Assertion failed: A message is closed that was not opened");
    this.depth -= 1;
    const lengthBytes = this.reserved[this.depth] as number;
    const length = this.position - this.start - (this.marks[this.depth] as number) - lengthBytes;
    const needed = varintBytes(length);
    if (needed !== lengthBytes) {
      this.ensure(needed);
      const body = this.start + (this.marks[this.depth] as number) + lengthBytes;
      this.chunk.copyWithin(body + needed - lengthBytes, body, body + length);
    }
    this.position = this.start + (this.marks[this.depth] as number);
    this.putVarint(length);
    this.position += length;
  }

  private ensure(bytes: number): void {
    if (this.chunk.length - this.position < bytes) this.grow(bytes);
  }

  private grow(bytes: number): void {
    const written = this.position - this.start;
    const needed = written + bytes;
    if (needed > MESSAGE_BYTES_MAX) throw new CodecError(`Message of ${needed} bytes is above the limit ${MESSAGE_BYTES_MAX}`);
    const size = needed <= CHUNK_BYTES ? CHUNK_BYTES : Math.min(Math.max(needed, 2 * written), MESSAGE_BYTES_MAX);
    const chunk = new Uint8Array(size);
    chunk.set(this.chunk.subarray(this.start, this.position));
    this.chunk = chunk;
    this.start = 0;
    this.position = written;
  }

  /** Room for them is there already. */
  private putBytes(bytes: Uint8Array): void {
    const { chunk, position } = this;
    const { length } = bytes;
    if (length <= SHORT_COPY_BYTES) for (let i = 0; i < length; i += 1) chunk[position + i] = bytes[i] as number;
    else chunk.set(bytes, position);
    this.position = position + length;
  }

  /** Room for it is there already. */
  private putVarint(value: number): void {
    const { chunk } = this;
    let { position } = this;
    let rest = value;
    while (rest > 0x7fff_ffff) {
      chunk[position++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    while (rest > 0x7f) {
      chunk[position++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    chunk[position++] = rest;
    this.position = position;
  }

  private putHalves(high: number, low: number): void {
    if (high <= 0x1f_ffff) {
      this.putVarint(high * TWO_TO_32 + low);
      return;
    }
    const { chunk } = this;
    let { position } = this;
    // 28 bits of the lower half, the byte that both share, 28 bits of the upper half, the last bit.
    for (let shift = 0; shift < 28; shift += 7) chunk[position++] = ((low >>> shift) & 0x7f) | 0x80;
    let rest = high >>> 3;
    chunk[position++] = (low >>> 28) | ((high & 7) << 4) | 0x80;
    while (rest > 0x7f) {
      chunk[position++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    chunk[position++] = rest;
    this.position = position;
  }
}
