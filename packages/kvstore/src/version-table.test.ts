import fc from "fast-check";
import { expect, test } from "vitest";
import { NodeArena } from "./node-arena.ts";
import { SearchKey } from "./search-key.ts";
import { verifyTable } from "./table-verification.ts";
import { now, VersionTable } from "./version-table.ts";

const none = new Uint8Array(0);

test("the memory of index and events is accounted", () => {
  const table = new VersionTable(1, -1);
  const { towers, records } = table.versions.nodes;
  const emptyBytes = table.events.usedBytes;
  for (let i = 0; i < 1000; i++) {
    table.find(Uint8Array.of(i, i >> 8));
    table.beginRevision();
    table.insert(none, 0n);
    expect(table.usedBytes - towers.liveBytes - records.liveBytes - emptyBytes).toBe((8 + 4 + 4 + 8) * (i + 1));
    expect(table.reservedBytes - towers.reservedBytes - records.reservedBytes).toBeGreaterThanOrEqual((8 * (i + 1) * 4) / 3);
  }
});

test("a key that was found can't be inserted again", () => {
  const table = new VersionTable(1, -1);
  table.beginRevision();
  table.find(Uint8Array.of(1));
  table.insert(none, 0n);
  table.find(Uint8Array.of(1));
  expect(() => table.insert(none, 0n)).toThrow("A node is linked where a seek just found its key missing");
});

test("a key that is deleted can't be deleted again, but written", () => {
  const table = new VersionTable(1, -1);
  table.beginRevision();
  table.find(Uint8Array.of(1));
  const node = table.insert(none, 0n);
  table.remove(node);
  expect(table.find(Uint8Array.of(1))).toBe(node);
  expect([table.liveAt(node, now), table.liveCount]).toEqual([0, 0]);
  expect(() => table.remove(node)).toThrow("Only a key that is there is deleted");
  table.overwrite(node, none, 0n);
  expect([table.liveAt(node, now), table.liveCount]).toEqual([node, 1]);
  verifyTable(table);
});

test("nothing is freed while there is a reader", () => {
  const table = new VersionTable(1, -1);
  for (let i = 0; i < 10; i++) {
    table.beginRevision();
    const node = table.find(Uint8Array.of(1));
    if (node === 0) table.insert(none, 0n);
    else table.overwrite(node, none, 0n);
  }
  table.compact(11);
  table.addReader();
  table.addReader();
  expect([table.reclaim(100), table.versions.history.cells.liveCells]).toEqual([true, 9]);
  table.removeReader();
  expect(table.reclaim(100)).toBe(true);
  table.removeReader();
  expect([table.reclaim(5), table.versions.history.cells.liveCells]).toEqual([true, 5]);
  verifyTable(table);
  expect([table.reclaim(100), table.versions.history.cells.liveCells]).toEqual([false, 0]);
  expect(() => table.removeReader()).toThrow("A reader leaves once");
  verifyTable(table);
});

test("a node has the key it was made for, and none that differs in a byte or in zeros at the end", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 13 }), fc.integer({ min: 1, max: 255 }), (own, change) => {
      const nodes = new NodeArena();
      const key = new SearchKey();
      key.load(own);
      const node = nodes.create(key, 1);
      expect(nodes.hasKey(node, key.words, key.length)).toBe(true);
      key.load(Uint8Array.from([...own, 0]));
      expect(nodes.hasKey(node, key.words, key.length)).toBe(false);
      for (const [at, byte] of own.entries()) {
        key.load(own.with(at, byte ^ change));
        expect(nodes.hasKey(node, key.words, key.length)).toBe(false);
      }
    }),
  );
});
