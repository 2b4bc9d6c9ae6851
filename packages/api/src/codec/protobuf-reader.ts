import { CodecError } from "./codec-error.ts";

/** What an absent `bytes` field reads as. */
export const emptyBytes: Uint8Array = new Uint8Array(0);

/** As protobuf implementations do by default; nothing of ours nests groups at all. */
const GROUP_DEPTH_MAX = 100;
const TWO_TO_32 = 4_294_967_296;
/** The upper half of the largest safe integer, 2^53 - 1. */
const SAFE_HIGH_MAX = 0x1f_ffff;

const WIRE_VARINT = 0;
const WIRE_FIXED64 = 1;
const WIRE_DELIMITED = 2;
const WIRE_GROUP_START = 3;
const WIRE_GROUP_END = 4;
const WIRE_FIXED32 = 5;

const textDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const halves = new DataView(new ArrayBuffer(8));

/**
 * Reads the protobuf wire format from one message held in memory. Every length is checked against what is left before it is
 * followed; every method throws a CodecError and nothing else. Byte strings are views into the input.
 *
 * One reader serves many messages, one at a time: `reset`, then `more`/`tag` and a read or `skip` for each field. An embedded
 * message is read between `enter` and `leave`.
 */
export class ProtobufReader {
  private input: Uint8Array = emptyBytes;
  private position = 0;
  private limit = 0;
  /** Halves of the varint that was read last, as 32-bit integers with sign. */
  private low = 0;
  private high = 0;

  reset(input: Uint8Array): void {
    this.input = input;
    this.position = 0;
    this.limit = input.length;
  }

  /** Lets go of the input. */
  release(): void {
    this.reset(emptyBytes);
  }

  /** True until the message, or the embedded message that was entered, is read to its end. */
  more(): boolean {
    return this.position < this.limit;
  }

  /** Field number * 8 + wire type of the next field. */
  tag(): number {
    if (this.position < this.limit) {
      const first = this.input[this.position] as number;
      if (first < 0x80 && first >= 8) {
        this.position += 1;
        return first;
      }
    }
    this.readVarint();
    const tag = this.low >>> 0;
    if (this.high !== 0 || tag < 8) throw new CodecError(`Field tag ${this.varintText()} at byte ${this.position} is not valid`);
    return tag;
  }

  /** A uint64 or non-negative int64 up to 2^53 - 1. */
  safeUint(): number {
    if (this.position < this.limit) {
      const first = this.input[this.position] as number;
      if (first < 0x80) {
        this.position += 1;
        return first;
      }
    }
    this.readVarint();
    if (this.high === 0) return this.low >>> 0;
    if (this.high < 0 || this.high > SAFE_HIGH_MAX) throw new CodecError(`Integer ${this.varintText()} is not in 0..2^53-1`);
    return this.high * TWO_TO_32 + (this.low >>> 0);
  }

  /** An int64 in -(2^53 - 1)..2^53 - 1. */
  safeInt(): number {
    const value = this.clampedInt();
    if (value === Number.MAX_SAFE_INTEGER || value === Number.MIN_SAFE_INTEGER) this.checkNotClamped(value);
    return value;
  }

  /** An int64; what lies outside of the safe integers becomes the nearest of them. */
  clampedInt(): number {
    this.readVarint();
    const { high } = this;
    if (high > SAFE_HIGH_MAX) return Number.MAX_SAFE_INTEGER;
    if (high < ~SAFE_HIGH_MAX) return Number.MIN_SAFE_INTEGER;
    return Math.max(high * TWO_TO_32 + (this.low >>> 0), Number.MIN_SAFE_INTEGER);
  }

  /** An int32 or an enum: the lower half of the varint, as every protobuf implementation takes it. */
  int32(): number {
    this.readVarint();
    return this.low;
  }

  bool(): boolean {
    this.readVarint();
    return (this.low | this.high) !== 0;
  }

  int64(): bigint {
    this.readVarint();
    if ((this.low | this.high) === 0) return 0n;
    return this.joinHalves().getBigInt64(0);
  }

  uint64(): bigint {
    this.readVarint();
    if ((this.low | this.high) === 0) return 0n;
    return this.joinHalves().getBigUint64(0);
  }

  fixed64(): bigint {
    if (this.limit - this.position < 8) throw new CodecError(`8-byte integer at byte ${this.position} is cut off`);
    const { input, position } = this;
    for (let i = 0; i < 8; i += 1) halves.setUint8(7 - i, input[position + i] as number);
    this.position += 8;
    return halves.getBigUint64(0);
  }

  /** A view into the input. */
  bytes(): Uint8Array {
    const length = this.length();
    if (length === 0) return emptyBytes;
    const { input, position } = this;
    this.position = position + length;
    // `subarray` would make a Buffer of a Buffer, at several times the price.
    return new Uint8Array(input.buffer, input.byteOffset + position, length);
  }

  string(): string {
    const bytes = this.bytes();
    try {
      return textDecoder.decode(bytes);
    } catch {
      throw new CodecError(`String of ${bytes.length} bytes before byte ${this.position} is not UTF-8`);
    }
  }

  /** Goes into an embedded message. The result belongs to `leave`, which must be called at its end. */
  enter(): number {
    const length = this.length();
    const outer = this.limit;
    this.limit = this.position + length;
    return outer;
  }

  leave(outer: number): void {
    this.limit = outer;
  }

  /** Passes over the value of a field that is not known. */
  skip(tag: number): void {
    this.skipValue(tag, 0);
  }

  private skipValue(tag: number, depth: number): void {
    switch (tag & 7) {
      case WIRE_VARINT:
        this.readVarint();
        return;
      case WIRE_FIXED64:
        this.skipBytes(8);
        return;
      case WIRE_DELIMITED:
        this.skipBytes(this.length());
        return;
      case WIRE_GROUP_START:
        this.skipGroup(tag, depth + 1);
        return;
      case WIRE_FIXED32:
        this.skipBytes(4);
        return;
      default:
        throw new CodecError(`Field ${tag >>> 3} has wire type ${tag & 7} before byte ${this.position}`);
    }
  }

  private skipGroup(startTag: number, depth: number): void {
    if (depth > GROUP_DEPTH_MAX) throw new CodecError(`Groups are nested deeper than ${GROUP_DEPTH_MAX}`);
    const endTag = startTag - WIRE_GROUP_START + WIRE_GROUP_END;
    for (let tag = this.tag(); tag !== endTag; tag = this.tag()) this.skipValue(tag, depth);
  }

  private skipBytes(count: number): void {
    if (this.limit - this.position < count) throw new CodecError(`Value of ${count} bytes at byte ${this.position} is cut off`);
    this.position += count;
  }

  private length(): number {
    const length = this.safeUint();
    const left = this.limit - this.position;
    if (length > left) throw new CodecError(`Length ${length} is more than the ${left} bytes left`);
    return length;
  }

  /**
   * ```
   *   byte   0    1    2    3       4        5    6    7    8    9
   *   bits  0-6 7-13 14-20 21-27 28-34    35-41 ...        56-62  63
   *        └────────── low ──────────┴──────────── high ───────────┘
   * ```
   */
  private readVarint(): void {
    const { input, limit } = this;
    let { position } = this;
    let low = 0;
    let high = 0;
    for (let shift = 0; ; shift += 7) {
      if (position >= limit) throw new CodecError(`Varint at byte ${this.position} is cut off`);
      const byte = input[position] as number;
      position += 1;
      if (shift < 28) low |= (byte & 0x7f) << shift;
      else if (shift === 28) {
        low |= (byte & 0x0f) << 28;
        high = (byte & 0x7f) >>> 4;
      } else if (shift < 63) high |= (byte & 0x7f) << (shift - 32);
      else if (byte > 1) throw new CodecError(`Varint at byte ${this.position} is longer than 64 bits`);
      else high |= byte << 31;
      if (byte < 0x80) break;
    }
    this.position = position;
    this.low = low;
    this.high = high;
  }

  private joinHalves(): DataView {
    halves.setInt32(0, this.high);
    halves.setInt32(4, this.low);
    return halves;
  }

  private varintText(): string {
    return this.joinHalves().getBigUint64(0).toString();
  }

  private checkNotClamped(value: number): void {
    const exact = this.joinHalves().getBigInt64(0);
    if (exact !== BigInt(value)) throw new CodecError(`Integer ${exact} is not in -(2^53-1)..2^53-1`);
  }
}
