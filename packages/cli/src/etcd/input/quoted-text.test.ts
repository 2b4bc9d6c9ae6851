import fc from "fast-check";
import { expect, test } from "vitest";
import { quoted } from "../output/quoted.ts";
import { unquote } from "./quoted-text.ts";

test("all bytes come back from their quoted form", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect([...unquote(quoted(bytes))]).toEqual([...bytes]);
    }),
  );
});

test("every text comes back from its quoted form", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(Buffer.from(unquote(quoted(text))).toString()).toBe(text);
    }),
  );
});

test.each([
  ['"\\a\\b\\f\\n\\r\\t\\v\\\\\\""', [7, 8, 12, 10, 13, 9, 11, 92, 34]],
  ['"\\x41\\101"', [0x41, 0x41]],
  ['"\\U0001f600"', [0xf0, 0x9f, 0x98, 0x80]],
  ["`a\\n`", [0x61, 0x5c, 0x6e]],
])("%s", (text, bytes) => {
  expect([...unquote(text)]).toEqual(bytes);
});

test.each(['"\\U00110000"', '"\\x4"', '"\\"'])("%s is no quoted text", (text) => {
  expect(() => unquote(text)).toThrow(expect.objectContaining({ exitStatus: 3 }));
});
