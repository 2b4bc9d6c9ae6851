import fc from "fast-check";
import { expect, test } from "vitest";
import { jsonText } from "./json-text.ts";

test("ids of 64 bits keep every digit", () => {
  expect(jsonText({ member_id: 10221683743416816908n, lease: -1n })).toBe('{"member_id":10221683743416816908,"lease":-1}');
});

test("bytes are base64, and what is undefined is left out", () => {
  expect(jsonText({ key: Buffer.from("foo"), value: undefined, keys: null, list: [true, 1, "x"] })).toBe(
    '{"key":"Zm9v","keys":null,"list":[true,1,"x"]}',
  );
});

test("what HTML means something by is escaped, as by Go", () => {
  expect(jsonText("<a & b>\u2028")).toBe('"\\u003ca \\u0026 b\\u003e\\u2028"');
});

test("everything else is what JSON.stringify writes", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null))), (value) => {
      expect(JSON.parse(jsonText(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
