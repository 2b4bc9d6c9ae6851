import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { orderOfBytes } from "./byte-order.ts";
import type { KVSnapshot } from "./kv-snapshot.ts";
import { KVStore } from "./kv-store.ts";
import { snapshotChunkBytes } from "./snapshot-format.ts";

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const open = new Uint8Array([0]);

let store: KVStore;
beforeEach(() => {
  store = new KVStore();
});

function readAll(snapshot: KVSnapshot): Uint8Array {
  const chunks: Uint8Array[] = [];
  for (let chunk = snapshot.nextChunk(); chunk !== null; chunk = snapshot.nextChunk()) chunks.push(chunk);
  snapshot.close();
  return join(chunks);
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function restored(image: Uint8Array): KVStore {
  const copy = new KVStore({ seed: 99 });
  const restorer = copy.createRestorer();
  restorer.push(image);
  restorer.finish();
  copy.verify();
  return copy;
}

/** Faster on megabytes than `toEqual`. */
function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return orderOfBytes(a, b) === 0;
}

function fill(count: number, valueBytes: number): void {
  for (let i = 0; i < count; i++) store.set(bytes(`key ${i}`), new Uint8Array(valueBytes).fill(i & 255), { lease: BigInt(i % 3) });
}

describe("a snapshot", () => {
  test("of an empty store is a header and an end", () => {
    const hex = (part: Uint8Array): string => [...part].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const image = readAll(store.snapshot());
    expect(hex(image.subarray(0, 40))).toBe(`${hex(bytes("RaftKVst"))}00000001000000000000000000000001${"00".repeat(16)}`);
    expect(hex(image.subarray(40))).toBe("00".repeat(40));
  });

  test("has the documented bytes", () => {
    store.set(bytes("k"), bytes("old"));
    store.set(bytes("k"), bytes("new"), { lease: -2n });
    const view = new DataView(readAll(store.snapshot()).buffer);
    const words = Array.from({ length: view.byteLength / 4 }, (_, i) => view.getUint32(i * 4));
    expect(words.slice(4, 10)).toEqual([0, 3, 0, 1, 0, 0]);
    expect(words.slice(10, 20)).toEqual([1, 3, 0, 2, 0, 3, 0, 2, 0xffffffff, 0xfffffffe]);
    expect(view.getUint32(80)).toBe(0x6b6e6577);
    expect(words.slice(21)).toEqual([0, 0, 0, 1, 0, 4, 0, 0, 0, 0]);
  });

  test("comes in chunks of 256 KiB, the last one shorter, also through records that are longer", () => {
    fill(3000, 300);
    store.set(bytes("key 5"), new Uint8Array(1_000_000).fill(5));
    const snapshot = store.snapshot();
    const chunks: Uint8Array[] = [];
    for (let chunk = snapshot.nextChunk(); chunk !== null; chunk = snapshot.nextChunk()) chunks.push(chunk);
    expect(snapshot.nextChunk()).toBe(null);
    snapshot.close();
    expect(chunks.length).toBe(8);
    expect(chunks.slice(0, -1).every((chunk) => chunk.length === snapshotChunkBytes)).toBe(true);
    const copy = restored(join(chunks));
    expect(copy.revision).toBe(store.revision);
    expect(areEqual(readAll(copy.snapshot()), readAll(store.snapshot()))).toBe(true);
    expect(copy.get(bytes("key 5"))).toMatchObject({ record: { modRevision: 3002, version: 2 } });
  });

  test("is the same bytes for the same records, however they came about", () => {
    const key = fc.array(fc.constantFrom(0, 1, 0x61, 255), { minLength: 1, maxLength: 4 }).map((each) => new Uint8Array(each));
    const value = fc.uint8Array({ maxLength: 40 });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3), key, value), { maxLength: 60 }), fc.integer(), (operations, seed) => {
        const original = new KVStore();
        for (const [kind, eachKey, eachValue] of operations) {
          if (kind === 0) original.deleteRange(eachKey, open);
          else original.set(eachKey, eachValue, { lease: BigInt(kind - 1) });
        }
        const image = readAll(original.snapshot());
        const rebuilt = new KVStore({ seed });
        const restorer = rebuilt.createRestorer();
        restorer.push(image);
        restorer.finish();
        rebuilt.verify();
        expect(readAll(rebuilt.snapshot())).toEqual(image);
        original.set(new Uint8Array([7]), new Uint8Array(3));
        rebuilt.set(new Uint8Array([7]), new Uint8Array(3));
        expect(readAll(rebuilt.snapshot())).toEqual(readAll(original.snapshot()));
      }),
    );
  });

  test("shows nothing of what is written while it is read", () => {
    fill(4000, 300);
    const expected = readAll(store.snapshot());
    const snapshot = store.snapshot();
    const chunks: Uint8Array[] = [];
    let round = 0;
    for (let chunk = snapshot.nextChunk(); chunk !== null; chunk = snapshot.nextChunk()) {
      chunks.push(chunk);
      round++;
      for (let i = round; i < 4000; i += 7) store.set(bytes(`key ${i}`), new Uint8Array(310).fill(round));
      for (let i = round; i < 4000; i += 11) store.remove(bytes(`key ${i}`));
      for (let i = round; i < 4000; i += 13) store.set(bytes(`key ${i} new`), new Uint8Array(10));
      store.verify();
    }
    snapshot.close();
    expect(round).toBe(6);
    expect(areEqual(join(chunks), expected)).toBe(true);
    store.verify();
  });

  test.each([
    ["overwriting", (last: Uint8Array): unknown => store.set(last, new Uint8Array(1))],
    ["removing", (last: Uint8Array): unknown => store.remove(last)],
  ])("holds nothing for %s the very record it was read up to", (_, write) => {
    fill(2000, 300);
    const expected = readAll(store.snapshot());
    const snapshot = store.snapshot();
    const chunks = [snapshot.nextChunk() ?? new Uint8Array(0)];
    const names = store.range(open, open, { keysOnly: true }).records;
    let held = 0;
    const readCount = names.findIndex(({ key }) => {
      write(key);
      held = snapshot.heldCount;
      return held > 0;
    });
    expect(held).toBe(1);
    for (let chunk = snapshot.nextChunk(); chunk !== null; chunk = snapshot.nextChunk()) chunks.push(chunk);
    snapshot.close();
    expect(areEqual(join(chunks), expected)).toBe(true);
    const bytesUpTo = (count: number): number => 40 + names.slice(0, count).reduce((sum, { key }) => sum + 340 + key.length, 0);
    expect(bytesUpTo(readCount)).toBeGreaterThanOrEqual(snapshotChunkBytes);
    expect(bytesUpTo(readCount - 1)).toBeLessThan(snapshotChunkBytes);
    store.verify();
  });

  test("holds replaced records only ahead of where it is read, once each, and none when it is closed", () => {
    fill(2000, 300);
    const snapshot = store.snapshot();
    expect(snapshot.keyCount).toBe(2000);
    snapshot.nextChunk();
    for (let round = 0; round < 3; round++) for (let i = 0; i < 2000; i++) store.set(bytes(`key ${i}`), new Uint8Array(300));
    const readCount = Math.ceil((snapshotChunkBytes - 40) / (40 + 300 + "key 1234".length));
    expect(Math.abs(snapshot.heldCount - (2000 - readCount))).toBeLessThan(5);
    const heldBytes = store.bytesUsed.used;
    snapshot.nextChunk();
    expect(store.bytesUsed.used).toBeLessThan(heldBytes);
    store.verify();
    snapshot.close();
    snapshot.close();
    expect(snapshot.heldCount).toBe(0);
    store.verify();
    expect(() => snapshot.nextChunk()).toThrow("A closed snapshot is not read");
  });

  test("is the only one until it is closed", () => {
    const snapshot = store.snapshot();
    expect(() => store.snapshot()).toThrow("At most one snapshot is open");
    snapshot.close();
    store.snapshot().close();
  });

  test("stays what it is when the store is restored meanwhile", () => {
    fill(10, 10);
    const expected = readAll(store.snapshot());
    const empty = readAll(new KVStore().snapshot());
    const snapshot = store.snapshot();
    const restorer = store.createRestorer();
    restorer.push(empty);
    restorer.finish();
    expect(store.keyCount).toBe(0);
    const other = store.snapshot();
    expect(readAll(snapshot)).toEqual(expected);
    other.close();
    store.verify();
  });
});
