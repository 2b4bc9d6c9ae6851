import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Crc32c, crc32c, nativeCrc32c, tableCrc32c } from "./crc32c.ts";

const ascending = Uint8Array.from({ length: 32 }, (_, at) => at);

/** RFC 3720 B.4, the check value of the catalogue of parametrised CRCs, and the empty string. */
const vectors: readonly (readonly [string, Uint8Array, number])[] = [
  ["nothing", new Uint8Array(0), 0],
  ["123456789", new TextEncoder().encode("123456789"), 0xe3069283],
  ["32 bytes of zeros", new Uint8Array(32), 0x8a9136aa],
  ["32 bytes of ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ["32 bytes ascending", ascending, 0x46dd794e],
  ["32 bytes descending", ascending.toReversed(), 0x113fdb5c],
];

const variants: readonly (readonly [string, Crc32c])[] = [
  ["table", tableCrc32c],
  ["chosen", crc32c],
  ...(nativeCrc32c === null ? [] : [["native", nativeCrc32c] as const]),
];

describe.each(variants)("CRC-32C by %s", (_, checksum) => {
  test.each(vectors)("of %s is the published value", (_title, bytes, expected) => {
    expect(checksum(bytes)).toBe(expected);
  });

  test("goes on where an earlier checksum ended", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.nat(600), (bytes, cut) => {
        expect(checksum(bytes.subarray(cut), checksum(bytes.subarray(0, cut)))).toBe(tableCrc32c(bytes));
      }),
    );
  });
});
