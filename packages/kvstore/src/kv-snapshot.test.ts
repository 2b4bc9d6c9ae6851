import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { orderOfBytes } from "./byte-order.ts";
import { crc32c } from "./crc32c.ts";
import type { KVSnapshot } from "./kv-snapshot.ts";
import { KVStore } from "./kv-store.ts";
import { snapshotChunkBytes } from "./snapshot-format.ts";

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const text = (content: Uint8Array): string => String.fromCharCode(...content);
const open = new Uint8Array([0]);

let store: KVStore;
beforeEach(() => {
  store = new KVStore();
  for (const id of [1n, 2n]) store.leases.grant(id, 10, 1);
  return () => store.verify();
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
  const wordsOf = (bytes: Uint8Array): number[] => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: bytes.length >> 2 }, (_, i) => view.getUint32(i * 4));
  };

  test("of an empty store is a header, two sections and an end", () => {
    const image = readAll(new KVStore().snapshot());
    expect(wordsOf(image.subarray(0, 52))).toEqual([0x52616674, 0x4b567374, 3, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    expect(wordsOf(image.subarray(56, 112))).toEqual([1, 6, ...Array<number>(12).fill(0)]);
    expect(text(image.subarray(112, 118))).toBe("leases");
    expect(wordsOf(image.subarray(118, 118 + 56))).toEqual([1, 8, 0, 16, ...Array<number>(10).fill(0)]);
    expect(text(image.subarray(174, 182))).toBe("sessions");
    expect(image.subarray(182, 198)).toEqual(new Uint8Array(16));
    expect(wordsOf(image.subarray(198, 198 + 52))).toEqual([4, ...Array<number>(12).fill(0)]);
    expect(image.length).toBe(254);
  });

  test("has the documented bytes", () => {
    store = new KVStore();
    store.leases.grant(-2n, 10, 1);
    store.set(bytes("gone"), bytes("?"));
    store.set(bytes("k"), bytes("base"));
    store.remove(bytes("gone"));
    store.compact(3);
    store.set(bytes("k"), bytes("new!"), { lease: -2n });
    store.remove(bytes("k"));
    const image = readAll(store.snapshot());
    expect(wordsOf(image.subarray(8, 40))).toEqual([3, 0, 0, 6, 0, 4, 0, 4]);
    const items: unknown[] = [];
    for (let at = 56, size = 0; at < image.length; at += size) {
      const head = wordsOf(image.subarray(at, at + 56));
      const [kind = 0, keyLength = 0, , valueLength = 0] = head;
      size = 56 + (kind === 4 ? 0 : keyLength + valueLength);
      if (kind === 4) items.push(head.slice(0, 13));
      else if (kind !== 1) items.push([...head, text(image.subarray(at + 56, at + size))]);
    }
    expect(items).toEqual([
      [2, 4, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 2, "gone"],
      [3, 0, 0, 1, 0, 2, 0, 2, 0, 1, 0, 0, 0, 0, "?"],
      [2, 1, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 4, "k"],
      [3, 0, 0, 4, 0, 3, 0, 5, 0, 2, 0xffffffff, 0xfffffffe, 0, 3, "new!"],
      [3, 0, 0, 4, 0, 3, 0, 3, 0, 1, 0, 0, 0, 1, "base"],
      [4, 0, 0, 5, 0, 0, 0, 340, 0, 0, 0, 0, 0],
    ]);
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
        for (const id of [1n, 2n]) original.leases.grant(id, 10, 1);
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

  test("is the same bytes whether compacted versions are freed or not", () => {
    const write = (target: KVStore): void => {
      for (let i = 0; i < 300; i++) target.set(bytes(`key ${i % 70}`), new Uint8Array(i));
      target.deleteRange(bytes("key 1"), bytes("key 3"));
      target.compact(target.revision);
      target.set(bytes("key 1"), bytes("again"));
    };
    const copy = new KVStore();
    store = new KVStore();
    for (const each of [store, copy]) write(each);
    while (store.reclaim(7));
    expect(areEqual(readAll(store.snapshot()), readAll(copy.snapshot()))).toBe(true);
    expect(store.payloadBytes).toBe(copy.payloadBytes);
    expect(store.usedBytes).toBeLessThan(copy.usedBytes);
  });

  test("shows nothing of what is written, compacted and reclaimed while it is read", () => {
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
      store.compact(store.revision);
      expect(store.reclaim(1000)).toBe(true);
      store.verify();
    }
    snapshot.close();
    expect(round).toBe(6);
    expect(areEqual(join(chunks), expected)).toBe(true);
    while (store.reclaim(10_000));
    store.verify();
  });

  test("goes on within the versions of a key, whatever is written to it", () => {
    for (let i = 0; i < 20_000; i++) store.set(bytes("hot"), new Uint8Array(10));
    const snapshot = store.snapshot();
    const { revision } = store;
    const chunks: Uint8Array[] = [];
    for (let chunk = snapshot.nextChunk(); chunk !== null; chunk = snapshot.nextChunk()) {
      chunks.push(chunk);
      for (let i = 0; i < 100; i++) store.set(bytes("hot"), bytes("newer"));
    }
    snapshot.close();
    expect(chunks.length).toBeGreaterThan(4);
    const copy = restored(join(chunks));
    const seen: number[] = [];
    copy.visitEvents(1, revision, ({ revision: each }) => seen.push(each));
    expect(seen).toEqual(Array.from({ length: 20_000 }, (_, i) => i + 2));
    expect(copy.payloadBytes).toBe(20_000 * (3 + 10 + 64));
  });

  test("passes over what is newer a chunk at a time, however much that is", () => {
    store.set(bytes("a"), bytes("1"));
    const snapshot = store.snapshot();
    for (let i = 0; i < 50_000; i++) store.set(bytes("a"), bytes("2"));
    const lengths: number[] = [];
    for (let chunk = snapshot.nextChunk(); chunk !== null; chunk = snapshot.nextChunk()) lengths.push(chunk.length);
    snapshot.close();
    expect(lengths.length).toBeGreaterThan(3);
    expect(lengths.slice(1, -1)).toEqual(lengths.slice(1, -1).fill(0));
  });

  test("keeps compacted memory until it is closed", () => {
    fill(2000, 300);
    const snapshots = [store.snapshot(), store.snapshot()];
    expect(snapshots.map(({ keyCount }) => keyCount)).toEqual([2000, 2000]);
    store.deleteRange(open, open);
    store.compact(store.revision);
    const { usedBytes } = store;
    for (const snapshot of snapshots) {
      expect(store.reclaim(100_000)).toBe(true);
      expect(store.usedBytes).toBe(usedBytes);
      snapshot.close();
      snapshot.close();
    }
    expect(store.reclaim(100_000)).toBe(false);
    expect(store.usedBytes).toBeLessThan(10_000);
    expect(() => snapshots[0]?.nextChunk()).toThrow("A closed snapshot is not read");
  });

  test("has leases and the keys attached to them", () => {
    store.leases.checkpoint(2n, 7);
    store.set(bytes("b"), bytes("1"), { lease: 2n });
    store.set(bytes("a"), bytes("1"), { lease: 2n });
    store.set(bytes("c"), bytes("1"), { lease: 1n });
    store.remove(bytes("c"));
    const copy = restored(readAll(store.snapshot()));
    expect([...copy.leases.list()]).toEqual([...store.leases.list()]);
    expect(copy.leases.keysOf(2n)).toEqual([bytes("a"), bytes("b")]);
    expect(copy.leases.keysOf(1n)).toEqual([]);
    expect(copy.leases.revoke(2n)).toMatchObject({ outcome: "revoked", deleted: 2 });
    copy.verify();
  });

  test("does not end when a chunk is just full of one section and another is to come", () => {
    store = new KVStore();
    // Eleven whole pieces and one of 2023 leases: with their heads, three chunks to the byte.
    for (let id = 1n; id <= 11n * 2048n + 2023n; id++) store.leases.grant(id, 10, 1);
    const snapshot = store.snapshot();
    const chunks: Uint8Array[] = [];
    for (let chunk = snapshot.nextChunk(); chunk !== null; chunk = snapshot.nextChunk()) chunks.push(chunk);
    snapshot.close();
    expect(chunks.map((chunk) => chunk.length)).toEqual([...Array<number>(3).fill(snapshotChunkBytes), 80 + 56]);
    expect(restored(join(chunks)).leases.count).toBe(11 * 2048 + 2023);
  });

  test("stays what it is when the store is restored meanwhile", () => {
    fill(10, 10);
    const expected = readAll(store.snapshot());
    const empty = readAll(new KVStore().snapshot());
    const snapshot = store.snapshot();
    const restorer = store.createRestorer();
    restorer.push(empty);
    restorer.finish();
    expect([store.keyCount, store.leases.count]).toEqual([0, 0]);
    const other = store.snapshot();
    expect(readAll(snapshot)).toEqual(expected);
    other.close();
  });
});

test("a snapshot is summed up by the function that the store was given, to the same bytes", () => {
  let summed = 0;
  const given = new KVStore({
    crc32c: (content, start, end, before) => {
      summed += end - start;
      return crc32c(content, start, end, before);
    },
  });
  for (const each of [store, given]) for (const key of ["a", "b", "c"]) each.set(bytes(key), bytes(`value of ${key}`), {});
  for (const id of [1n, 2n]) given.leases.grant(id, 10, 1);
  const image = readAll(given.snapshot());
  expect(image).toEqual(readAll(store.snapshot()));
  expect(summed).toBeGreaterThan(image.length / 2);
  const written = summed;
  const restorer = given.createRestorer();
  restorer.push(image);
  restorer.finish();
  expect(summed - written).toBeGreaterThan(image.length / 2);
});

test("a snapshot that is read into the same memory again and again has the same bytes", () => {
  for (let i = 0; i < 40; i++) store.set(bytes(`key ${i % 30}`), new Uint8Array(20_000).fill(i), {});
  const memory = new Uint8Array(snapshotChunkBytes).fill(0xff);
  const snapshot = store.snapshot();
  const chunks: Uint8Array[] = [];
  for (let chunk = snapshot.nextChunk(memory); chunk !== null; chunk = snapshot.nextChunk(memory)) {
    expect(chunk.buffer).toBe(memory.buffer);
    chunks.push(chunk.slice());
  }
  snapshot.close();
  expect(chunks.length).toBeGreaterThan(3);
  expect(join(chunks)).toEqual(readAll(store.snapshot()));
});
