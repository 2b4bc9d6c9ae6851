import fc from "fast-check";
import { expect, test } from "vitest";
import { NodeArena } from "./node-arena.ts";
import { SearchKey } from "./search-key.ts";
import { VersionTable } from "./version-table.ts";

const none = new Uint8Array(0);

test("the memory of the hash index is accounted", () => {
  const table = new RecordTable(1);
  const { towers, records } = table.nodes;
  for (let i = 0; i < 1000; i++) {
    table.find(Uint8Array.of(i, i >> 8));
    table.insert(none, 0n, 2 + i);
    expect(table.usedBytes - towers.liveBytes - records.liveBytes).toBe(8 * (i + 1));
    expect(table.reservedBytes - towers.reservedBytes - records.reservedBytes).toBeGreaterThanOrEqual((8 * (i + 1) * 4) / 3);
  }
});

test("a key that was found can't be inserted again", () => {
  const table = new RecordTable(1);
  table.find(Uint8Array.of(1));
  table.insert(none, 0n, 2);
  table.find(Uint8Array.of(1));
  expect(() => table.insert(none, 0n, 3)).toThrow("A node is linked where a seek just found its key missing");
});

test("a node that was found by hash alone can't be removed", () => {
  const table = new RecordTable(1);
  for (const first of [1, 2]) {
    table.find(Uint8Array.of(first));
    table.insert(none, 0n, 1 + first);
  }
  expect(() => table.remove(table.find(Uint8Array.of(2)))).toThrow("A node is unlinked where a seek just found it");
});

test("a node has the key it was made for, and none that differs in a byte or in zeros at the end", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 13 }), fc.integer({ min: 1, max: 255 }), (own, change) => {
      const nodes = new NodeArena();
      const key = new SearchKey();
      key.load(own);
      const node = nodes.create(key, 1);
      expect(nodes.hasKey(node, key)).toBe(true);
      key.load(Uint8Array.from([...own, 0]));
      expect(nodes.hasKey(node, key)).toBe(false);
      for (const [at, byte] of own.entries()) {
        key.load(own.with(at, byte ^ change));
        expect(nodes.hasKey(node, key)).toBe(false);
      }
    }),
  );
});
