import fc from "fast-check";
import { expect, test } from "vitest";
import { hex } from "../testing/raw-peer.ts";
import { huffmanDecode, huffmanDecodedBytesMax, huffmanEncode } from "./huffman.ts";
import { readLatin1 } from "./latin1.ts";

function decode(encoded: Uint8Array): string {
  const out = new Uint8Array(huffmanDecodedBytesMax(encoded.length));
  return readLatin1(out, 0, huffmanDecode(encoded, 0, encoded.length, out));
}

test.each([
  ["www.example.com", "f1e3c2e5f23a6ba0ab90f4ff"],
  ["no-cache", "a8eb10649cbf"],
  ["custom-value", "25a849e95bb8e8b4bf"],
  ["302", "6402"],
  ["", ""],
])("%s has the code of RFC 7541", (text, code) => {
  expect(huffmanEncode(text)).toEqual(hex(code));
  expect(decode(hex(code))).toBe(text);
});

test("every octet, alone and in any order, is decoded again", () => {
  for (let octet = 0; octet < 256; octet++) expect(decode(huffmanEncode(String.fromCharCode(octet)))).toBe(String.fromCharCode(octet));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), (octets) => {
      const text = readLatin1(octets, 0, octets.length);
      expect(decode(huffmanEncode(text))).toBe(text);
    }),
  );
});
