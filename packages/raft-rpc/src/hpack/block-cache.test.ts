import fc from "fast-check";
import { expect, test } from "vitest";
import { HeaderBlockCache } from "./block-cache.ts";
import { HeaderList } from "./header-list.ts";

const list = new HeaderList();
const version = fc.nat({ max: 2 });
/** Few and alike, so that they meet in slots and differ in single octets. */
const block = fc.uint8Array({ minLength: 1, maxLength: 6, max: 2 });
const key = (bytes: Uint8Array, tableVersion: number): string => `${tableVersion}: ${bytes.join()}`;

test("a block means what was put for it under the same version of the table, or nothing is known of it", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ bytes: block, version, isPut: fc.boolean() }), { maxLength: 200 }), (steps) => {
      const cache = new HeaderBlockCache<string>();
      const put = new Set<string>();
      for (const { bytes, version: tableVersion, isPut } of steps) {
        const meaning = key(bytes, tableVersion);
        // In the middle of something larger, as in a received chunk.
        const chunk = Uint8Array.of(1, ...bytes, 1, 2);
        if (isPut) cache.put(chunk, 1, 1 + bytes.length, tableVersion, list, meaning);
        if (isPut) put.add(meaning);
        const found = cache.get(chunk, 1, 1 + bytes.length, tableVersion);
        expect(isPut ? [meaning] : [meaning, null]).toContain(found);
        expect(found === null || put.has(found)).toBe(true);
      }
    }),
  );
});

test("what takes much memory is not kept", () => {
  const cache = new HeaderBlockCache<string>();
  cache.put(new Uint8Array(513), 0, 513, 0, list, "long");
  expect(cache.get(new Uint8Array(513), 0, 513, 0)).toBe(null);
  const large = new HeaderList();
  large.listBytes = 2049;
  cache.put(new Uint8Array(9), 0, 9, 0, large, "large");
  expect(cache.get(new Uint8Array(9), 0, 9, 0)).toBe(null);
});
