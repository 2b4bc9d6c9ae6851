import { isDeepStrictEqual } from "node:util";
import { type DescMessage, equals, fromBinary, isMessage, type Message, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CodecError } from "../codec/codec-error.ts";
import { UnknownCommandError } from "../codec/command.ts";
import { uint64 } from "./arbitraries.ts";

/** A field that no message has, of a random wire type. */
const unknownField = fc
  .tuple(
    fc.integer({ min: 200, max: 2 ** 29 - 1 }),
    fc.constantFrom(WireType.Varint, WireType.Bit64, WireType.LengthDelimited, WireType.Bit32),
    uint64,
  )
  .map(([no, wireType, value]) => {
    const writer = new BinaryWriter();
    if (wireType === WireType.Varint) writer.uint64(value);
    else if (wireType === WireType.LengthDelimited) writer.bytes(new Uint8Array(Number(value % 200n)));
    else if (wireType === WireType.Bit64) writer.fixed64(value);
    else writer.fixed32(Number(value & 0xffff_ffffn));
    return { no, wireType, data: writer.finish() };
  });

/** A codec by hand, and the generated message that has to be the same on the wire. */
export interface CodecCase<P, D extends DescMessage> {
  readonly plain: fc.Arbitrary<P>;
  readonly schema: D;
  readonly toMessage: (plain: P) => MessageShape<D>;
  readonly encode: (plain: P) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => P;
  /** A field that is not known is refused in the outermost message. */
  readonly unknownFields?: "refused-at-top";
}

/** Compares a codec with protobuf-es in both directions, also on cut and damaged bytes. */
export function describeCodec<P, D extends DescMessage>(name: string, codec: CodecCase<P, D>): void {
  const { schema, toMessage, encode, decode } = codec;

  /** What our decoder makes of bytes; null: it refuses them, with one of its own errors and no other. */
  function decoded(input: Uint8Array): P | null {
    try {
      return decode(input);
    } catch (error) {
      if (error instanceof CodecError || error instanceof UnknownCommandError) return null;
      throw error;
    }
  }

  function decodedByProtobufEs(input: Uint8Array): MessageShape<D> | null {
    try {
      return fromBinary(schema, input);
    } catch {
      return null;
    }
  }

  describe(name, () => {
    test("what we write is what protobuf-es reads", () => {
      fc.assert(fc.property(codec.plain, (plain) => equals(schema, fromBinary(schema, encode(plain)), toMessage(plain))));
    });

    test("what protobuf-es writes is what we read", () => {
      fc.assert(fc.property(codec.plain, (plain) => isDeepStrictEqual(decode(toBinary(schema, toMessage(plain))), plain)));
    });

    test("what we write is no longer than what protobuf-es writes", () => {
      fc.assert(fc.property(codec.plain, (plain) => encode(plain).length === toBinary(schema, toMessage(plain)).length));
    });

    test("unknown fields are passed over on every level", () => {
      fc.assert(
        fc.property(codec.plain, fc.array(unknownField, { minLength: 1, maxLength: 3 }), (plain, unknown) => {
          const message = toMessage(plain);
          addUnknownFields(message, unknown);
          if (codec.unknownFields === "refused-at-top") delete message.$unknown;
          return isDeepStrictEqual(decode(toBinary(schema, message)), plain);
        }),
      );
    });

    test("a message that is cut anywhere is refused, or reads as protobuf-es reads it", () => {
      fc.assert(
        fc.property(codec.plain, (plain) => {
          const whole = toBinary(schema, toMessage(plain));
          for (let length = 0; length < whole.length; length += 1) {
            const ours = decoded(whole.slice(0, length));
            if (ours === null) continue;
            const theirs = decodedByProtobufEs(whole.slice(0, length));
            expect(theirs !== null && equals(schema, toMessage(ours), theirs), `cut at ${length}`).toBe(true);
          }
        }),
        { numRuns: 50 },
      );
    });

    test("random and damaged bytes are refused, or read as something that can be written and read again", () => {
      const damaged = fc.tuple(codec.plain, fc.nat(), fc.integer({ min: 1, max: 255 })).map(([plain, position, flip]) => {
        const whole = encode(plain).slice();
        if (whole.length > 0) whole[position % whole.length] = (whole[position % whole.length] ?? 0) ^ flip;
        return whole;
      });
      fc.assert(
        fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 60 })), (input) => {
          const once = decoded(input);
          return once === null || isDeepStrictEqual(decode(encode(once)), once);
        }),
        { numRuns: 500 },
      );
    });
  });
}

/** Also into all embedded messages. */
function addUnknownFields(message: Message, unknown: NonNullable<Message["$unknown"]>): void {
  message.$unknown = [...unknown];
  for (const value of Object.values(message)) {
    for (const element of Array.isArray(value) ? value : [value]) {
      if (isMessage(element)) addUnknownFields(element, unknown);
      else if (isOneof(element) && isMessage(element.value)) addUnknownFields(element.value, unknown);
    }
  }
}

function isOneof(value: unknown): value is { readonly value: unknown } {
  return typeof value === "object" && value !== null && "case" in value;
}
