const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** How a field's value is written (Protocol Buffers, encoding, "message structure"). Groups are not read. */
const wireVarint = 0;
const wireFixed64 = 1;
const wireBytes = 2;
const wireFixed32 = 5;
/** A 64-bit number is at most this long. */
const varintBytesMax = 10;

/**
 * Writes the fields of a protobuf message. For the few small messages that gRPC itself defines, so that this package needs no library.
 *
 *   field  +-----------------------+----------------------------------- - -
 *          | number << 3 | wire    | varint, or length and that many bytes
 *          +-----------------------+----------------------------------- - -
 */
export class ProtobufWriter {
  readonly #bytes: number[] = [];

  /** Numbers from 0 to 2^32 - 1. Zero is left out, as proto3 does. */
  number(field: number, value: number): this {
    if (value === 0) return this;
    this.#varint((field << 3) | wireVarint);
    this.#varint(value);
    return this;
  }

  /** An empty text is left out, as proto3 does. */
  text(field: number, value: string): this {
    return value === "" ? this : this.bytes(field, encoder.encode(value));
  }

  /** Bytes or a message; written also if it is empty, for it may be an element of a list or a chosen alternative. */
  bytes(field: number, value: Uint8Array): this {
    this.#varint((field << 3) | wireBytes);
    this.#varint(value.length);
    for (const octet of value) this.#bytes.push(octet);
    return this;
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  #varint(value: number): void {
    let left = value >>> 0;
    while (left >= 0x80) {
      this.#bytes.push((left & 0x7f) | 0x80);
      left >>>= 7;
    }
    this.#bytes.push(left);
  }
}

/** One field as it was read: a number (its low 32 bits) or bytes, which are a view. */
export interface ProtobufField {
  readonly field: number;
  readonly number: number;
  readonly bytes: Uint8Array | null;
}

/**
 * Reads the fields of a protobuf message in their order; fixed numbers are skipped, since none of gRPC's own messages has one. Throws
 * RangeError for what is no message.
 */
export function* readProtobuf(input: Uint8Array): IterableIterator<ProtobufField> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let place = 0; place < varintBytesMax; place++) {
      const octet = input[at++];
      if (octet === undefined) throw new RangeError("Number is cut off");
      if (place < 5) value |= (octet & 0x7f) << (7 * place);
      if (octet < 0x80) return value >>> 0;
    }
    throw new RangeError("Number has more than 64 bits");
  };
  const skip = (count: number): number => {
    if (count > input.length - at) throw new RangeError(`Field of ${count} bytes has ${input.length - at} left`);
    at += count;
    return at;
  };
  while (at < input.length) {
    const tag = varint();
    const field = tag >>> 3;
    if (field === 0) throw new RangeError("Field number is 0");
    switch (tag & 7) {
      case wireVarint:
        yield { field, number: varint(), bytes: null };
        break;
      case wireBytes: {
        const length = varint();
        yield { field, number: 0, bytes: input.subarray(at, skip(length)) };
        break;
      }
      case wireFixed64:
        skip(8);
        break;
      case wireFixed32:
        skip(4);
        break;
      default:
        throw new RangeError(`Wire type ${tag & 7} is not known`);
    }
  }
}

/** The text of a field; malformed UTF-8 becomes U+FFFD. */
export function textOf({ bytes }: ProtobufField): string {
  return bytes === null ? "" : decoder.decode(bytes);
}
