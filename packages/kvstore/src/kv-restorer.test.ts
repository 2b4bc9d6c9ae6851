import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { crc32c } from "./crc32c.ts";
import { KVStore } from "./kv-store.ts";
import { SnapshotFormatError } from "./snapshot-format.ts";

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const open = new Uint8Array([0]);

/** Compacted to 2; a since 2, bb at 3 and 4, then with a lease, c from 5 to 6. */
function smallImage(): Uint8Array {
  const store = new KVStore();
  store.leases.grant(77n, 10, 1);
  store.set(bytes("a"), bytes("one"));
  store.set(bytes("bb"), bytes("two"));
  store.set(bytes("bb"), bytes("three!"), { lease: 77n });
  store.set(bytes("c"), new Uint8Array(0));
  store.compact(2);
  store.remove(bytes("c"));
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
    expect([store.revision, store.compactRevision]).toEqual([6, 2]);
    expect(store.range(open, open, { revision: 5 }).records).toEqual([
      { key: bytes("a"), value: bytes("one"), createRevision: 2, modRevision: 2, version: 1, lease: 0n },
      { key: bytes("bb"), value: bytes("three!"), createRevision: 3, modRevision: 4, version: 2, lease: 77n },
      { key: bytes("c"), value: new Uint8Array(0), createRevision: 5, modRevision: 5, version: 1, lease: 0n },
    ]);
    expect(store.range(open, open).count).toBe(2);
    expect(store.set(bytes("d"), bytes("4")).revision).toBe(7);
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
        expect(store.keyCount).toBe(2);
        store.verify();
      }),
    );
    store = new KVStore();
    restore(...Array.from(image, (byte) => new Uint8Array([byte])));
    expect(store.keyCount).toBe(2);
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

  test("refuses every flipped bit and keeps the old state", () => {
    const image = smallImage();
    for (let bit = 0; bit < image.length * 8; bit++) {
      const damaged = image.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const reason = failureOf(() => restore(damaged));
      expect(reason instanceof SnapshotFormatError && isOldState(), `bit ${bit}: ${String(reason)}`).toBe(true);
    }
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

  /** Where the items of the small image begin, and what is there. */
  const at = { header: 0, a: 230, bb: 290, oldBb: 354, c: 413, oldC: 470, end: 526 };
  const damages: readonly [string, number, number, string][] = [
    ["another magic", at.header, 0x12345678, "It does not begin as a snapshot does (behind 0 versions, byte 0)"],
    ["a newer format", at.header + 8, 4, "Format 4 is not known, only 3"],
    ["a revision below the compact revision", at.header + 20, 1, "Revision 1 is below 2"],
    ["a revision above 2^53", at.header + 16, 0xffffffff, "Revision 18446744069414584000 is above 9007199254740991"],
    ["fewer events than revisions", at.header + 36, 3, "3 events are fewer than the revisions from 2 to 6"],
    ["events that are missing", at.header + 36, 6, "Events of some revision are missing"],
    ["more events than there can be", at.header + 32, 1, "4294967301 events are more than 2147483648"],
    ["an item that is none", at.a, 9, "An item of kind 9 is not known"],
    ["a key above the limit", at.a + 4, 0x01000001, "Key length 16777217 is above 16777216"],
    ["a value above the limit", at.a + 12, 0x04000001, "Value length 67108865 is above 67108864"],
    ["a key without bytes", at.a + 4, 0, "The newest version of a key has the key, others have none"],
    ["a record older than any", at.a + 20, 1, "Create revision 1 is below 2"],
    ["a record newer than the store", at.bb + 28, 7, "Create revision 3 and mod revision 7 are not in order within 2 to 6"],
    ["a deletion with a lease", at.c + 44, 5, "A deletion at revision 6 has a value, or is compacted"],
    ["a version whose beginning is missing", at.oldC + 36, 2, "Versions before version 2 of a key are missing"],
    ["a version that skips one", at.bb + 36, 3, "Version 1 can't be followed by version 3"],
    ["a key that is created twice", at.bb + 36, 1, "Version 1 can't be followed by version 1"],
    ["versions that do not descend", at.oldBb + 28, 5, "Revision 5 of a key comes behind its revision 4"],
    ["an event that is another's", at.oldBb + 52, 3, "Event 3 came twice"],
    ["an event beyond all", at.oldBb + 52, 6, "Event 6 is not one of revision 3"],
    ["an event of what is older than the events", at.a + 52, 0, "Event 0 is not one of revision 2"],
    ["a lease that is not there", at.bb + 44, 78, "Lease 78 is not among the leases"],
    ["a key that does not ascend", at.bb + 56, 0x60616161, "Keys do not ascend (behind 1 versions, byte 290)"],
    ["a wrong number of versions", at.end + 12, 6, "5 versions came, 6 were written"],
    ["a wrong number of keys", at.end + 20, 3, "2 keys came, 3 were written"],
    ["a wrong number of bytes", at.end + 28, 1, "bytes, 1 were written"],
    ["a wrong sum", at.end + 52, 1, "The sum of the snapshot is not right"],
  ];
  test.each(damages)("tells %s", (_, offset, word, message) => {
    const image = smallImage();
    const view = new DataView(image.buffer, image.byteOffset);
    view.setUint32(offset, word);
    // The header is checked for itself first.
    if (offset < 52) view.setUint32(52, crc32c(image, 0, 52));
    expect(() => restore(image)).toThrow(message);
    expect(isOldState()).toBe(true);
  });

  test("tells sections that are missing or unknown", () => {
    const image = smallImage();
    expect(() => restore(image.subarray(0, 56), image.subarray(at.a))).toThrow("Section leases is missing");
    expect(() => restore(image.subarray(0, at.bb), image.subarray(56))).toThrow('Section "leases" comes behind keys');
    image[112] = 0x4c;
    expect(() => restore(image)).toThrow('Section "Leases" is not known here');
    expect(isOldState()).toBe(true);
  });

  test("tells a header that was changed", () => {
    const image = smallImage();
    image[20] = 1;
    expect(() => restore(image)).toThrow("The sum of the header is not right");
  });

  test("takes no memory for a length that is only announced", () => {
    const image = smallImage();
    new DataView(image.buffer, image.byteOffset).setUint32(at.a + 12, 64 * 1024 * 1024);
    const restorer = store.createRestorer();
    restorer.push(image);
    expect(() => restorer.finish()).toThrow(`Snapshot is cut off after ${image.length} bytes`);
  });

  test("is of no more use after it failed or finished", () => {
    const failed = store.createRestorer();
    expect(() => failed.push(new Uint8Array(56))).toThrow(SnapshotFormatError);
    expect(() => failed.push(smallImage())).toThrow("A restorer takes chunks until it fails or finishes");
    expect(() => failed.finish()).toThrow("A restorer finishes once, and not after it failed");
    const finished = store.createRestorer();
    finished.push(smallImage());
    finished.finish();
    expect(() => finished.finish()).toThrow("A restorer finishes once, and not after it failed");
  });
});
