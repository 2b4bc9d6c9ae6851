import { expect, test } from "vitest";
import { hexEscaped, quoted } from "./quoted.ts";

test.each([
  ["foo", '"foo"'],
  ['a "b" \\', '"a \\"b\\" \\\\"'],
  ["ä 世界 😀", '"ä 世界 😀"'],
  ["\u0000\u0007\n\t\u007f", '"\\x00\\a\\n\\t\\x7f"'],
  ["\u00a0\u200b\ufeff", '"\\u00a0\\u200b\\ufeff"'],
  ["\u{e0001}", '"\\U000e0001"'],
])("%j is %s", (text, shown) => {
  expect(quoted(text)).toBe(shown);
  expect(quoted(Buffer.from(text))).toBe(shown);
});

test("bytes that are no UTF-8 stand for themselves", () => {
  expect(quoted(Uint8Array.of(0x61, 0xff, 0xc3, 0xa4, 0xc3))).toBe('"a\\xffä\\xc3"');
});

test("hex shows every byte", () => {
  expect(hexEscaped(Buffer.from("foo\0"))).toBe("\\x66\\x6f\\x6f\\x00");
});
