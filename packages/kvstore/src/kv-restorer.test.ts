import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { KVStore } from "./kv-store.ts";
import { SnapshotFormatError } from "./snapshot-format.ts";

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const open = new Uint8Array([0]);

/** Revision 5 with the keys a, bb (twice written, leased) and c; 40 + (40+4) + (40+8) + (40+1) + 40 bytes. */
function smallImage(): Uint8Array {
  const store = new KVStore();
  store.set(bytes("a"), bytes("one"));
  store.set(bytes("bb"), bytes("two"));
  store.set(bytes("bb"), bytes("three!"), { lease: 77n });
  store.set(bytes("c"), new Uint8Array(0));
  const snapshot = store.snapshot();
  const image = snapshot.nextChunk() ?? new Uint8Array(0);
  snapshot.close();
  return image;
}

let store: KVStore;
beforeEach(() => {
  store = new KVStore();
  store.set(bytes("old"), bytes("state"));
  return () => store.verify();
});

function restore(...chunks: readonly Uint8Array[]): void {
  const restorer = store.createRestorer();
  for (const chunk of chunks) restorer.push(chunk);
  restorer.finish();
}

/** What the action throws, null for nothing. */
function failureOf(action: () => void): unknown {
  try {
    action();
    return null;
  } catch (reason) {
    return reason;
  }
}

function isOldState(): boolean {
  return store.revision === 2 && store.keyCount === 1 && store.get(bytes("old")).outcome === "found";
}

describe("a restorer", () => {
  test("replaces the whole state when it finishes and not before", () => {
    const restorer = store.createRestorer();
    restorer.push(smallImage());
    expect(isOldState()).toBe(true);
    restorer.finish();
    expect(store.revision).toBe(5);
    expect(store.range(open, open).records).toEqual([
      { key: bytes("a"), value: bytes("one"), createRevision: 2, modRevision: 2, version: 1, lease: 0n },
      { key: bytes("bb"), value: bytes("three!"), createRevision: 3, modRevision: 4, version: 2, lease: 77n },
      { key: bytes("c"), value: new Uint8Array(0), createRevision: 5, modRevision: 5, version: 1, lease: 0n },
    ]);
    expect(store.set(bytes("d"), bytes("4")).revision).toBe(6);
  });

  test("takes the bytes in pieces of any size", () => {
    const image = smallImage();
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 90 }), { maxLength: 300 }), (sizes) => {
        const pieces: Uint8Array[] = [];
        let at = 0;
        for (const size of sizes) {
          pieces.push(image.slice(at, at + size));
          at += size;
        }
        pieces.push(image.slice(at));
        store = new KVStore();
        restore(...pieces);
        expect(store.keyCount).toBe(3);
        store.verify();
      }),
    );
    store = new KVStore();
    restore(...Array.from(image, (byte) => new Uint8Array([byte])));
    expect(store.keyCount).toBe(3);
  });

  test("keeps nothing of the chunks it was given", () => {
    const image = smallImage();
    const restorer = store.createRestorer();
    const first = image.slice(0, 100);
    restorer.push(first);
    first.fill(255);
    restorer.push(image.slice(100));
    restorer.finish();
    expect(store.get(bytes("bb"))).toMatchObject({ record: { value: bytes("three!") } });
  });

  test("refuses every truncation and keeps the old state", () => {
    const image = smallImage();
    for (let length = 0; length < image.length; length++) {
      expect(() => restore(image.subarray(0, length))).toThrow(`Snapshot is cut off after ${length} bytes`);
      expect(isOldState()).toBe(true);
    }
  });

  test("refuses bytes behind the end", () => {
    const image = smallImage();
    expect(() => restore(image, new Uint8Array(1))).toThrow("Bytes follow the end of the snapshot");
    expect(() => restore(image, image)).toThrow(SnapshotFormatError);
    expect(() => restore(new Uint8Array([...image, 0]))).toThrow(SnapshotFormatError);
    expect(isOldState()).toBe(true);
  });

  test("with any byte changed either refuses or restores a sound state", () => {
    const image = smallImage();
    let refused = 0;
    for (let at = 0; at < image.length; at++) {
      for (const flip of [0x01, 0x10, 0x80, 0xff]) {
        const damaged = image.slice();
        damaged[at] = (damaged[at] ?? 0) ^ flip;
        store = new KVStore();
        store.set(bytes("old"), bytes("state"));
        const reason = failureOf(() => restore(damaged));
        if (reason !== null) refused++;
        expect(reason === null || (reason instanceof SnapshotFormatError && isOldState())).toBe(true);
        store.verify();
      }
    }
    expect(refused).toBeGreaterThan(image.length * 2);
  });

  test("survives any bytes after a good beginning", () => {
    const image = smallImage();
    fc.assert(
      fc.property(fc.nat(image.length), fc.uint8Array({ maxLength: 200 }), (length, noise) => {
        const reason = failureOf(() => restore(image.subarray(0, length), noise));
        expect(reason === null || reason instanceof SnapshotFormatError).toBe(true);
        store.verify();
      }),
    );
  });

  const damages: readonly [string, number, number, string][] = [
    ["another magic", 0, 0x12345678, "It does not begin as a snapshot does (record 1, byte 0)"],
    ["a newer format", 8, 2, "Format 2 is not known, only 1"],
    ["revision 0", 20, 0, "Revision 0 is below 1"],
    ["a revision above 2^53", 16, 0xffffffff, "Revision 18446744069414584000 is above 9007199254740991"],
    ["more records than announced", 28, 2, "More than the announced 2 records (record 3, byte 132)"],
    ["fewer records than announced", 28, 4, "3 records came, 4 were announced and 3 confirmed"],
    ["a key above the limit", 40, 0x01000001, "Key length 16777217 is above 16777216"],
    ["a value above the limit", 44, 0x04000001, "Value length 67108865 is above 67108864"],
    ["a record older than any", 52, 1, "Create revision 1 and mod revision 2 are not in order within 2 to 5"],
    ["a record newer than the store", 60, 6, "Create revision 2 and mod revision 6 are not in order within 2 to 5"],
    ["version 0", 68, 0, "Version 0 can't be reached from revision 2 to 2"],
    ["a version that took more revisions than there were", 68, 2, "Version 2 can't be reached from revision 2 to 2"],
    ["a key that does not ascend", 80, 0x636f6e65, "Keys do not ascend (record 2, byte 84)"],
    ["a wrong number of bytes at the end", 193, 14, "Keys and values are 13 bytes, not the confirmed 14"],
  ];
  test.each(damages)("tells %s", (_, offset, word, message) => {
    const image = smallImage();
    new DataView(image.buffer, image.byteOffset).setUint32(offset, word);
    expect(() => restore(image)).toThrow(message);
    expect(isOldState()).toBe(true);
  });

  test("takes no memory for a length that is only announced", () => {
    const image = smallImage();
    new DataView(image.buffer, image.byteOffset).setUint32(44, 64 * 1024 * 1024);
    const restorer = store.createRestorer();
    restorer.push(image);
    expect(() => restorer.finish()).toThrow(`Snapshot is cut off after ${image.length} bytes`);
  });

  test("is of no more use after it failed or finished", () => {
    const failed = store.createRestorer();
    expect(() => failed.push(new Uint8Array(40))).toThrow(SnapshotFormatError);
    expect(() => failed.push(smallImage())).toThrow("A restorer takes chunks until it fails or finishes");
    expect(() => failed.finish()).toThrow("A restorer finishes once, and not after it failed");
    const finished = store.createRestorer();
    finished.push(smallImage());
    finished.finish();
    expect(() => finished.finish()).toThrow("A restorer finishes once, and not after it failed");
  });
});
