import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CodecError } from "./codec-error.ts";
import { ProtobufReader } from "./protobuf-reader.ts";

const reader = new ProtobufReader();

function readerOf(...bytes: number[]): ProtobufReader {
  reader.reset(new Uint8Array(bytes));
  return reader;
}

function varintOf(value: bigint): number[] {
  return [...new BinaryWriter().uint64(BigInt.asUintN(64, value)).finish()];
}

const minusOne = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];

describe("integers", () => {
  test("every 64-bit integer reads as protobuf-es reads it", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.nat(63), (value, shift) => {
        const bytes = varintOf(value >> BigInt(shift));
        const theirs = new BinaryReader(new Uint8Array(bytes));
        expect(readerOf(...bytes).uint64()).toBe(theirs.uint64());
        expect(readerOf(...bytes).int64()).toBe(BigInt.asIntN(64, value >> BigInt(shift)));
        expect(readerOf(...bytes).int32()).toBe(new BinaryReader(new Uint8Array(bytes)).int32());
        expect(readerOf(...bytes).bool()).toBe(value >> BigInt(shift) !== 0n);
      }),
    );
  });

  test.each([0n, 1n, 127n, 128n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n - 1n])("%d is a safe unsigned integer", (value) => {
    expect(readerOf(...varintOf(value)).safeUint()).toBe(Number(value));
  });

  test.each([2n ** 53n, 2n ** 63n, 2n ** 64n - 1n])("%d is refused as a safe unsigned integer", (value) => {
    expect(() => readerOf(...varintOf(value)).safeUint()).toThrow(`Integer ${value} is not in 0..2^53-1`);
  });

  test.each([0n, -1n, 2n ** 53n - 1n, -(2n ** 53n) + 1n])("%d is a safe integer with sign", (value) => {
    expect(readerOf(...varintOf(value)).safeInt()).toBe(Number(value));
  });

  test.each([2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n)])(
    "%d is refused as a safe integer with sign, and clamped if asked",
    (value) => {
      expect(() => readerOf(...varintOf(value)).safeInt()).toThrow(`Integer ${value} is not in -(2^53-1)..2^53-1`);
      expect(readerOf(...varintOf(value)).clampedInt()).toBe(value > 0n ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER);
    },
  );

  test("a varint may be longer than needed, up to ten bytes", () => {
    expect(readerOf(0x85, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00).safeUint()).toBe(5);
  });

  test("a varint of more than 64 bits is refused", () => {
    expect(() => readerOf(...minusOne.slice(0, 9), 0x02).uint64()).toThrow("Varint at byte 0 is longer than 64 bits");
    expect(() => readerOf(...minusOne.slice(0, 9), 0x81, 0x00).uint64()).toThrow(CodecError);
  });

  test("eight bytes are little-endian", () => {
    expect(readerOf(1, 2, 3, 4, 5, 6, 7, 0xf8).fixed64()).toBe(0xf807060504030201n);
    expect(() => readerOf(1, 2, 3, 4, 5, 6, 7).fixed64()).toThrow("8-byte integer at byte 0 is cut off");
  });
});

describe("fields", () => {
  test.each([
    { name: "field 0", bytes: [0x02] },
    { name: "a field number above 2^29-1", bytes: [0x80, 0x80, 0x80, 0x80, 0x10] },
    { name: "nothing", bytes: [] },
  ])("a tag of $name is refused", ({ bytes }) => {
    expect(() => readerOf(...bytes).tag()).toThrow(CodecError);
  });

  test("the largest field number is read", () => {
    expect(readerOf(0xf8, 0xff, 0xff, 0xff, 0x0f).tag()).toBe(0xffff_fff8);
  });

  test("a length that leaves the message, or the message it is embedded in, is refused", () => {
    expect(() => readerOf(3, 1, 2).bytes()).toThrow("Length 3 is more than the 2 bytes left");
    expect(() => readerOf(...varintOf(2n ** 53n - 1n)).bytes()).toThrow("Length 9007199254740991 is more than the 0 bytes left");
    const outer = readerOf(2, 5, 1, 1, 1, 1, 1, 1);
    outer.enter();
    expect(() => outer.bytes()).toThrow("Length 5 is more than the 1 bytes left");
  });

  test("bytes are a view of the input, whatever kind of Uint8Array it is", () => {
    const input = Buffer.from([9, 9, 2, 7, 8]).subarray(2);
    reader.reset(input);
    const view = reader.bytes();
    expect(view).toEqual(new Uint8Array([7, 8]));
    expect(view.buffer).toBe(input.buffer);
  });

  test("a string must be UTF-8; a byte order mark is text", () => {
    expect(readerOf(4, 0xef, 0xbb, 0xbf, 0x61).string()).toBe("\ufeffa");
    expect(() => readerOf(2, 0xc3, 0x28).string()).toThrow("String of 2 bytes before byte 3 is not UTF-8");
  });

  test.each([
    { type: "varint", wireType: WireType.Varint, value: minusOne },
    { type: "8 bytes", wireType: WireType.Bit64, value: [1, 2, 3, 4, 5, 6, 7, 8] },
    { type: "length", wireType: WireType.LengthDelimited, value: [2, 1, 1] },
    { type: "4 bytes", wireType: WireType.Bit32, value: [1, 2, 3, 4] },
    { type: "group in a group", wireType: WireType.StartGroup, value: [0x13, 0x08, 0x01, 0x14, 0x7c] },
  ])("an unknown value is skipped as a whole and refused when it is cut ($type)", ({ wireType, value }) => {
    const tag = 15 * 8 + wireType;
    readerOf(...value).skip(tag);
    expect(reader.more()).toBe(false);
    for (let length = 0; length < value.length; length += 1) {
      expect(() => readerOf(...value.slice(0, length)).skip(tag)).toThrow(CodecError);
    }
  });

  test("a group that ends with another number, an end without a start and unknown wire types are refused", () => {
    expect(() => readerOf(0x74).skip(0x7b)).toThrow(CodecError);
    for (const wireType of [4, 6, 7])
      expect(() => readerOf(0, 0, 0, 0).skip(0x78 + wireType)).toThrow(`Field 15 has wire type ${wireType}`);
  });

  test("groups may be nested 100 deep and no deeper", () => {
    const nested = (depth: number) => [...new Array<number>(depth - 1).fill(0x0b), ...new Array<number>(depth).fill(0x0c)];
    readerOf(...nested(100)).skip(0x0b);
    expect(reader.more()).toBe(false);
    expect(() => readerOf(...nested(101)).skip(0x0b)).toThrow("Groups are nested deeper than 100");
  });
});
