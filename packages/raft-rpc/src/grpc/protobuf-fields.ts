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
  /** Numbers and tags; and what was given as bytes, which is copied once, at the end. */
  readonly #pieces: Uint8Array[] = [];
  #byteCount = 0;

  /** Numbers from 0 to 2^32 - 1. Zero is left out, as proto3 does. */
  number(field: number, value: number): this {
    if (value === 0) return this;
    return this.#append(varint((field << 3) | wireVarint)).#append(varint(value));
  }

  /** An empty text is left out, as proto3 does. */
  text(field: number, value: string): this {
    return value === "" ? this : this.bytes(field, encoder.encode(value));
  }

  /** Bytes or a message; written also if it is empty, for it may be an element of a list or a chosen alternative. */
  bytes(field: number, value: Uint8Array): this {
    return this.#append(varint((field << 3) | wireBytes))
      .#append(varint(value.length))
      .#append(value);
  }

  finish(): Uint8Array {
    const message = new Uint8Array(this.#byteCount);
    let at = 0;
    for (const piece of this.#pieces) {
      message.set(piece, at);
      at += piece.length;
    }
    return message;
  }

  #append(piece: Uint8Array): this {
    this.#pieces.push(piece);
    this.#byteCount += piece.length;
    return this;
  }
}

function varint(value: number): Uint8Array {
  const octets: number[] = [];
  let left = value >>> 0;
  while (left >= 0x80) {
    octets.push((left & 0x7f) | 0x80);
    left >>>= 7;
  }
  octets.push(left);
  return Uint8Array.from(octets);
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
  const readVarint = (): number => {
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
    const tag = readVarint();
    const field = tag >>> 3;
    if (field === 0) throw new RangeError("Field number is 0");
    switch (tag & 7) {
      case wireVarint:
        yield { field, number: readVarint(), bytes: null };
        break;
      case wireBytes: {
        const length = readVarint();
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
