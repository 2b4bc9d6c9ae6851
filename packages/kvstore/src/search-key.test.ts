import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { orderOfBytes } from "./byte-order.ts";
import { allBits, bitsAt, SearchKey, sharedBitsOf, wordCount } from "./search-key.ts";

const keys = fc.uint8Array({ maxLength: 12 });

function loaded(bytes: Uint8Array): SearchKey {
  const key = new SearchKey();
  key.load(new Uint8Array(100).fill(255));
  key.load(bytes);
  return key;
}

function bitString(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
}

describe("SearchKey", () => {
  test("bits are read in byte order, with zeros behind the end", () => {
    fc.assert(
      fc.property(keys, fc.nat(200), (bytes, bit) => {
        const key = loaded(bytes);
        const expected = bitString(bytes)
          .padEnd(300, "0")
          .slice(bit, bit + 32);
        expect(bitsAt(key.words, 0, wordCount(key.length), bit)).toBe(Number.parseInt(expected, 2) | 0);
      }),
    );
  });

  test("shared bits end where zero-padded keys first differ", () => {
    fc.assert(
      fc.property(keys, keys, (a, b) => {
        const left = loaded(a);
        const right = loaded(b);
        const shared = sharedBitsOf(left.words, 0, wordCount(a.length), right.words, 0, wordCount(b.length), 0);
        const leftBits = bitString(a).padEnd(128, "0");
        const rightBits = bitString(b).padEnd(128, "0");
        const expected = Array.from(leftBits).findIndex((bit, i) => bit !== rightBits[i]);
        expect(shared).toBe(expected < 0 ? allBits : expected);
      }),
    );
  });

  test("nothing of a longer key stays behind", () => {
    const key = loaded(new Uint8Array([1]));
    expect(bitsAt(key.words, 0, wordCount(key.length), 0)).toBe(0x01000000);
  });

  test("a key that needs a large buffer lets it go again", () => {
    const key = new SearchKey();
    key.load(new Uint8Array(100_000).fill(1));
    expect(key.words.length).toBe(25_000);
    key.load(new Uint8Array([7]));
    expect(key.words.length).toBe(64);
  });
});

describe("orderOfBytes", () => {
  test("compares unsigned bytes, a prefix first", () => {
    const ascending = [[], [0], [0, 0], [0, 255], [1], [127], [128], [255], [255, 0]].map((bytes) => new Uint8Array(bytes));
    for (let i = 0; i < ascending.length; i++) {
      for (let j = 0; j < ascending.length; j++) {
        expect(Math.sign(orderOfBytes(ascending[i] as Uint8Array, ascending[j] as Uint8Array))).toBe(Math.sign(i - j));
      }
    }
  });
});
