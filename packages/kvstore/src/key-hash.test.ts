import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KeyHash } from "./key-hash.ts";
import { SearchKey } from "./search-key.ts";

const loaded = new SearchKey();

function hash(seed: number, bytes: Uint8Array): number {
  loaded.load(bytes);
  return new KeyHash(seed).of(loaded.words, 0, loaded.length);
}

const seeds = fc.maxSafeInteger();
const keys = fc.uint8Array({ minLength: 1, maxLength: 40 });

describe("KeyHash", () => {
  // Expected of a separate implementation that agrees with the published vectors of HalfSipHash-2-4.
  test("is HalfSipHash with 1 and 3 rounds over the words of the key and its length", () => {
    expect(new KeyHash(0).of(Int32Array.of(1), 0, 1)).toBe(0xaaf3729d | 0);
    expect(new KeyHash(0x100203040506).of(Int32Array.of(0x030201), 0, 3)).toBe(0xc4699ea0 | 0);
    expect(new KeyHash(Number.MAX_SAFE_INTEGER).of(Int32Array.of(0x04030201, 0x08070605), 0, 8)).toBe(0x13fc9c3b);
  });

  test("depends on every byte and on the length, but not on where the key lies", () => {
    fc.assert(
      fc.property(seeds, keys, fc.nat(), fc.integer({ min: 1, max: 255 }), (seed, key, position, change) => {
        const changed = key.slice();
        const at = position % key.length;
        changed[at] = (changed[at] ?? 0) ^ change;
        expect(hash(seed, changed)).not.toBe(hash(seed, key));
        expect(hash(seed, Uint8Array.from([...key, 0]))).not.toBe(hash(seed, key));
        const words = new Int32Array(20);
        new Uint8Array(words.buffer).set(key, 12);
        expect(new KeyHash(seed).of(words, 3, key.length)).toBe(hash(seed, key));
      }),
    );
  });

  test("depends on all 53 bits of the seed", () => {
    const key = new Uint8Array([1, 2, 3]);
    const hashes = new Set([hash(0, key)]);
    for (let bit = 0; bit < 53; bit++) hashes.add(hash(2 ** bit, key));
    expect(hashes.size).toBe(54);
  });

  test("keys that collide under one seed do not under another", () => {
    const bySeedOne = new Map<number, Uint8Array>();
    const pairs: (readonly [Uint8Array, Uint8Array])[] = [];
    for (let i = 0; i < 300_000; i++) {
      const key = Uint8Array.of(i, i >> 8, i >> 16, 7, 7);
      const of = hash(1, key);
      const other = bySeedOne.get(of);
      if (other === undefined) bySeedOne.set(of, key);
      else pairs.push([other, key]);
    }
    expect(pairs.length).toBeGreaterThan(0);
    for (const [a, b] of pairs) expect(hash(2, a)).not.toBe(hash(2, b));
  });

  test("spreads keys with a long common beginning over the low and the high bits as chance would", () => {
    const low = new Uint8Array(65_536);
    const high = new Uint8Array(65_536);
    const encoder = new TextEncoder();
    for (let i = 0; i < 65_536; i++) {
      const of = hash(5, encoder.encode(`registry/pods/default/${String(i).padStart(10, "0")}`));
      low[of & 0xffff] = 1;
      high[of >>> 16] = 1;
    }
    for (const taken of [low, high]) {
      const share = taken.reduce((sum, each) => sum + each, 0) / taken.length;
      expect(Math.abs(share - (1 - 1 / Math.E))).toBeLessThan(0.01);
    }
  });
});
