import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32c } from "./crc32c.ts";

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

test.each([
  // RFC 3720 appendix B.4, and the check value of the polynomial.
  ["32 zeros", new Uint8Array(32), 0x8a9136aa],
  ["32 ones", new Uint8Array(32).fill(255), 0x62a8ab43],
  ["0 to 31", Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
  ["31 to 0", Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  ["123456789", bytes("123456789"), 0xe3069283],
  ["nothing", new Uint8Array(0), 0],
])("the sum of %s is the documented one", (_, content, sum) => {
  expect(crc32c(content, 0, content.length)).toBe(sum);
});

test("a sum can be taken in pieces, from anywhere in an array", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(60), fc.nat(9), (content, cut, offset) => {
      const moved = new Uint8Array(offset + content.length);
      moved.set(content, offset);
      const middle = Math.min(offset + cut, moved.length);
      const first = crc32c(moved, offset, middle);
      expect(crc32c(moved, middle, moved.length, first)).toBe(crc32c(content, 0, content.length));
    }),
  );
});
