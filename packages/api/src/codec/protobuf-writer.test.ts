import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CodecError } from "./codec-error.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";

function written(write: (writer: ProtobufWriter) => void): Uint8Array {
  const writer = new ProtobufWriter();
  writer.begin(0);
  write(writer);
  return writer.finish();
}

describe("integers", () => {
  test("every safe integer is written as protobuf-es writes it", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.nat(52), (value, shift) => {
        const small = Math.trunc(value / 2 ** shift) + 0;
        fc.pre(small !== 0);
        expect(written((writer) => writer.intField(0x08, small))).toEqual(new BinaryWriter().uint32(0x08).int64(small).finish());
      }),
    );
  });

  test("every 64-bit integer is written as protobuf-es writes it, whole or in halves", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), (value) => {
        const expected = new BinaryWriter().uint32(0x7a0).uint64(value).finish();
        expect(written((writer) => writer.bigintField(0x7a0, value))).toEqual(expected);
        const low = Number(value & 0xffff_ffffn);
        expect(written((writer) => writer.halvesField(0x7a0, Number(value >> 32n), low))).toEqual(expected);
        expect(written((writer) => writer.halvesField(0x7a0, Number(value >> 32n) | 0, low | 0))).toEqual(expected);
      }),
    );
  });

  test.each([-1, 2 ** 53, 0.5, Number.NaN, Number.POSITIVE_INFINITY])("%d is refused as an unsigned integer", (value) => {
    expect(() => written((writer) => writer.uintField(0x08, value))).toThrow(`Integer ${value} is not in 0..2^53-1`);
    expect(() => written((writer) => writer.packedUint(value))).toThrow(CodecError);
  });

  test.each([-(2 ** 53), -0.5, Number.NEGATIVE_INFINITY])("%d is refused as an integer with sign", (value) => {
    expect(() => written((writer) => writer.intField(0x08, value))).toThrow(`Integer ${value} is not in -(2^53-1)..2^53-1`);
  });
});

describe("embedded messages", () => {
  test("the size hint changes nothing but the speed", () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(20_000), fc.nat(20_000), fc.uint8Array({ maxLength: 5 }), (length, outerHint, innerHint, tail) => {
        const body = new Uint8Array(length).map((_, i) => i);
        const message = written((writer) => {
          writer.open(0x0a, outerHint);
          writer.open(0x12, innerHint);
          writer.bytesElement(0x1a, body);
          writer.close();
          writer.bytesField(0x22, tail);
          writer.close();
          writer.boolField(0x28, true);
        });
        const inner = new BinaryWriter().uint32(0x1a).bytes(body).finish();
        const outer = new BinaryWriter().uint32(0x12).bytes(inner);
        if (tail.length > 0) outer.uint32(0x22).bytes(tail);
        expect(message).toEqual(new BinaryWriter().uint32(0x0a).bytes(outer.finish()).uint32(0x28).bool(true).finish());
      }),
    );
  });

  test("a message is finished only when all that was opened is closed", () => {
    expect(() => written((writer) => writer.open(0x0a, 0))).toThrow("Every message that was opened is closed");
    expect(() => written((writer) => writer.close())).toThrow("A message is closed that was not opened");
  });
});

describe("the chunk", () => {
  test("finished messages never change, however many follow", () => {
    const writer = new ProtobufWriter();
    const messages: Uint8Array[] = [];
    for (let i = 0; i < 400; i += 1) {
      writer.begin(0);
      writer.bytesElement(0x0a, new Uint8Array(1 + ((i * 37) % 900)).fill(i));
      messages.push(writer.finish());
    }
    messages.forEach((message, i) => {
      const bytes = readBytes(message);
      expect(bytes.length).toBe(1 + ((i * 37) % 900));
      expect(bytes.every((byte) => byte === (i & 0xff))).toBe(true);
    });
  });

  test("a message larger than a chunk grows while it is written and keeps its chunk to itself", () => {
    const writer = new ProtobufWriter();
    writer.begin(0);
    for (let i = 0; i < 300; i += 1) writer.bytesElement(0x0a, new Uint8Array(1000).fill(i));
    const large = writer.finish();
    writer.begin(0);
    writer.boolField(0x08, true);
    const small = writer.finish();
    expect(small.buffer).not.toBe(large.buffer);
    const reader = new BinaryReader(large);
    for (let i = 0; i < 300; i += 1) {
      expect(reader.tag()[0]).toBe(1);
      expect(reader.bytes()).toEqual(new Uint8Array(1000).fill(i));
    }
    expect(reader.pos).toBe(large.length);
  });

  test("what an error left unfinished is dropped by the next message", () => {
    const writer = new ProtobufWriter();
    writer.begin(0);
    writer.open(0x0a, 0);
    writer.boolField(0x08, true);
    expect(() => writer.uintField(0x10, -1)).toThrow(CodecError);
    writer.begin(0);
    writer.boolField(0x08, true);
    expect(writer.finish()).toEqual(new Uint8Array([0x08, 1]));
  });
});

function readBytes(message: Uint8Array): Uint8Array {
  const reader = new BinaryReader(message);
  expect(reader.tag()[0]).toBe(1);
  return reader.bytes();
}
