import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProtobufWriter, readProtobuf, textOf } from "./protobuf-fields.ts";
import { StatusCode } from "./status.ts";
import { decodeStatusDetails, type ErrorDetail, encodeStatusDetails } from "./status-details.ts";

const detail: ErrorDetail = { typeUrl: "type.googleapis.com/google.rpc.RetryInfo", value: Uint8Array.of(10, 2, 8, 5) };
const written = (code: StatusCode, message = "not now"): Uint8Array => encodeStatusDetails(code, message, [detail]) ?? new Uint8Array(0);

describe("details of a status", () => {
  test("are a google.rpc.Status with the same code and message", () => {
    const bytes = encodeStatusDetails(StatusCode.NOT_FOUND, "a", [{ typeUrl: "u", value: Uint8Array.of(1) }]);
    expect(bytes).toEqual(Uint8Array.of(0x08, 5, 0x12, 1, 0x61, 0x1a, 6, 0x0a, 1, 0x75, 0x12, 1, 1));
  });

  test("are read as they were written", () => {
    expect(decodeStatusDetails(written(StatusCode.UNAVAILABLE), StatusCode.UNAVAILABLE)).toEqual([detail]);
  });

  test("of another code than the status are not believed", () => {
    expect(decodeStatusDetails(written(StatusCode.UNAVAILABLE), StatusCode.INTERNAL)).toEqual([]);
  });

  test("are not sent if there are none, or too many bytes of them", () => {
    expect(encodeStatusDetails(StatusCode.INTERNAL, "x", [])).toBe(null);
    expect(encodeStatusDetails(StatusCode.INTERNAL, "x", [{ typeUrl: "u", value: new Uint8Array(6 * 1024) }])).toBe(null);
  });

  test("that are cut off or damaged are none, or some, but never throw", () => {
    const whole = written(StatusCode.UNAVAILABLE);
    for (let length = 0; length < whole.length; length++) {
      expect(Array.isArray(decodeStatusDetails(whole.subarray(0, length), StatusCode.UNAVAILABLE))).toBe(true);
    }
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(Array.isArray(decodeStatusDetails(bytes, StatusCode.UNKNOWN))).toBe(true);
      }),
    );
  });
});

describe("protobuf fields", () => {
  test("are the same after both ways", () => {
    const number = fc.record({ field: fc.integer({ min: 1, max: 2 ** 29 - 1 }), number: fc.integer({ min: 1, max: 2 ** 32 - 1 }) });
    const bytes = fc.record({ field: fc.integer({ min: 1, max: 2 ** 28 - 1 }), bytes: fc.uint8Array({ maxLength: 300 }) });
    fc.assert(
      fc.property(fc.array(fc.oneof(number, bytes)), (fields) => {
        const writer = new ProtobufWriter();
        for (const field of fields) {
          if ("number" in field) writer.number(field.field, field.number);
          else writer.bytes(field.field, field.bytes);
        }
        const expected = fields.map((field) => ({ number: 0, bytes: null, ...field }));
        expect([...readProtobuf(writer.finish())]).toEqual(expected);
      }),
    );
  });

  test("of fixed size are passed over, and numbers of 64 bits give their low half", () => {
    const message = Uint8Array.of(
      0x0d,
      1,
      2,
      3,
      4,
      0x11,
      1,
      2,
      3,
      4,
      5,
      6,
      7,
      8,
      0x18,
      0xff,
      0xff,
      0xff,
      0xff,
      0xff,
      0xff,
      0xff,
      0xff,
      0xff,
      1,
    );
    expect([...readProtobuf(message)]).toEqual([{ field: 3, number: 0xffffffff, bytes: null }]);
  });

  test.each([
    ["a number that is cut off", [0x08, 0x80]],
    ["a number above 64 bits", [0x08, ...new Array<number>(10).fill(0x80), 1]],
    ["a length beyond the end", [0x0a, 2, 0]],
    ["a fixed number that is cut off", [0x0d, 1, 2, 3]],
    ["field 0", [0x02, 0]],
    ["a group", [0x0b]],
  ])("throw RangeError for %s", (_what, octets) => {
    expect(() => [...readProtobuf(Uint8Array.from(octets))]).toThrow(RangeError);
  });

  test("of text leave malformed UTF-8 visible", () => {
    const [field] = readProtobuf(Uint8Array.of(0x0a, 2, 0x61, 0xff));
    expect(field === undefined ? null : textOf(field)).toBe("a\ufffd");
  });
});
