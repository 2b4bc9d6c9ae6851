import { beforeEach, describe, expect, test } from "vitest";
import type { KeyValueView } from "./key-value.ts";
import { KVStore } from "./kv-store.ts";
import type { RangeQuery } from "./range-query.ts";

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const text = (content: Uint8Array): string => String.fromCharCode(...content);
const alone = new Uint8Array(0);
const open = new Uint8Array([0]);

let store: KVStore;
/** Revisions: a created at 2, b 3, c 4, ca 5; then b written at 6 and a at 7 and 8. */
beforeEach(() => {
  store = new KVStore();
  for (const [key, value] of ["a4", "b3", "c2", "ca1", "b9", "a5", "a5"].map((pair) => [pair.slice(0, -1), pair.slice(-1)])) {
    store.set(bytes(key ?? ""), bytes(value ?? ""));
  }
});

function keysOf(key: Uint8Array, rangeEnd: Uint8Array, query: RangeQuery = {}): string {
  const { records, count, more } = store.range(key, rangeEnd, query);
  return `${records.map((record) => text(record.key)).join(" ")} of ${count}${more ? ", more" : ""}`;
}

describe("the range", () => {
  test("an empty end is the key alone", () => {
    expect(keysOf(bytes("c"), alone)).toBe("c of 1");
    expect(keysOf(bytes("bb"), alone)).toBe(" of 0");
  });

  test("the end is not part of it", () => {
    expect(keysOf(bytes("a"), bytes("c"))).toBe("a b of 2");
    expect(keysOf(bytes("aa"), bytes("cb"))).toBe("b c ca of 3");
  });

  test("an end that is not above the key matches nothing", () => {
    expect(keysOf(bytes("c"), bytes("c"))).toBe(" of 0");
    expect(keysOf(bytes("c"), bytes("a"))).toBe(" of 0");
    expect(keysOf(bytes("x"), bytes("b"))).toBe(" of 0");
  });

  test("a single byte 0 as end is open, and as key too is everything", () => {
    expect(keysOf(bytes("b"), open)).toBe("b c ca of 3");
    expect(keysOf(open, open)).toBe("a b c ca of 4");
    expect(keysOf(bytes("x"), open)).toBe(" of 0");
  });
});

describe("the limit", () => {
  test("cuts the records but not the count, and tells if there is more", () => {
    expect(keysOf(open, open, { limit: 3 })).toBe("a b c of 4, more");
    expect(keysOf(open, open, { limit: 4 })).toBe("a b c ca of 4");
    expect(keysOf(bytes("b"), bytes("cb"), { limit: 1 })).toBe("b of 3, more");
    expect(keysOf(open, open, { limit: 0 })).toBe("a b c ca of 4");
    expect(keysOf(open, open, { limit: -1 })).toBe("a b c ca of 4");
  });

  test("cuts after sorting and filtering", () => {
    expect(keysOf(open, open, { limit: 1, sortOrder: "descend" })).toBe("ca of 4, more");
    expect(keysOf(open, open, { limit: 2, minModRevision: 6 })).toBe("a b of 4");
    expect(keysOf(open, open, { limit: 1, minModRevision: 6 })).toBe("a of 4, more");
  });
});

describe("the count", () => {
  test("is of the keys that are there, now and at any revision, far or near", () => {
    for (let i = 0; i < 300; i++) store.set(bytes(`k${String(i).padStart(3, "0")}`), bytes("1"));
    store.deleteRange(bytes("k100"), bytes("k200"));
    const counts: number[] = [];
    for (const revision of [307, 308, 309]) counts.push(store.range(bytes("k"), bytes("l"), { revision, countOnly: true }).count);
    store.set(bytes("k150"), bytes("again"));
    store.remove(bytes("k150"));
    store.remove(bytes("k050"));
    expect(counts).toEqual([299, 300, 200]);
    for (const revision of [150, 250, 308, 309, 310, 311, 312]) {
      for (const [key, end] of [
        ["a", "z"],
        ["k", "k150"],
        ["k050", "k250"],
        ["k15", "k16"],
        ["k300", "z"],
      ] as const) {
        const { records, count } = store.range(bytes(key), bytes(end), { revision });
        expect([revision, key, count]).toEqual([revision, key, records.length]);
        expect(store.range(bytes(key), bytes(end), { revision, countOnly: true }).count).toBe(count);
        expect(store.range(bytes(key), bytes(end), { revision, limit: 7 })).toMatchObject({ count, more: count > 7 });
      }
    }
  });
});

describe("the order", () => {
  test("is that of keys unless another target is asked for, which is then ascending", () => {
    expect(keysOf(open, open, { sortOrder: "ascend" })).toBe("a b c ca of 4");
    expect(keysOf(open, open, { sortOrder: "descend" })).toBe("ca c b a of 4");
    expect(keysOf(open, open, { sortTarget: "mod" })).toBe("c ca b a of 4");
    expect(keysOf(open, open, { sortTarget: "mod", sortOrder: "descend" })).toBe("a b ca c of 4");
    expect(keysOf(open, open, { sortTarget: "create", sortOrder: "descend" })).toBe("ca c b a of 4");
    expect(keysOf(open, open, { sortTarget: "value" })).toBe("ca c a b of 4");
  });

  test("of records that are equal in the target is that of keys, both ways", () => {
    expect(keysOf(open, open, { sortTarget: "version" })).toBe("c ca b a of 4");
    expect(keysOf(open, open, { sortTarget: "version", sortOrder: "descend" })).toBe("a b c ca of 4");
  });
});

describe("the bounds on revisions", () => {
  test("are inclusive and do not change the count", () => {
    expect(keysOf(open, open, { minModRevision: 5, maxModRevision: 6 })).toBe("b ca of 4");
    expect(keysOf(open, open, { minCreateRevision: 3, maxCreateRevision: 4 })).toBe("b c of 4");
    expect(keysOf(open, open, { maxModRevision: -1 })).toBe(" of 4");
  });
});

describe("keysOnly and countOnly", () => {
  test("leave values, or records, out", () => {
    const { records } = store.range(bytes("a"), alone, { keysOnly: true });
    expect(records).toMatchObject([{ key: bytes("a"), value: alone, version: 3 }]);
    expect(store.range(open, open, { countOnly: true, limit: 1 })).toEqual({ records: [], count: 4, more: false });
    expect(store.range(bytes("b"), bytes("d"), { countOnly: true })).toEqual({ records: [], count: 3, more: false });
  });
});

describe("visitRange", () => {
  test("shows each record in place and copies it where the encoder wants it", () => {
    const long = Uint8Array.from({ length: 500 }, (_, i) => i & 255);
    store.leases.grant(-2n, 10, 1);
    store.set(long, long, { lease: -2n });
    const target = new Uint8Array(1010);
    store.visitRange(long, alone, {}, (view) => {
      expect([view.createRevision, view.modRevision, view.version, view.keyLength, view.valueLength]).toEqual([9, 9, 1, 500, 500]);
      expect([view.leaseHigh, view.leaseLow]).toEqual([-1, -2]);
      expect(view.keyView()).toEqual(long);
      expect(view.valueView()).toEqual(long);
      view.copyKey(target, 5);
      view.copyValue(target, 510);
      expect(() => view.copyKey(target, 511)).toThrow("500 bytes at offset 511 are more than the 1010 bytes of the target");
    });
    expect(target.subarray(0, 6)).toEqual(new Uint8Array(6));
    expect(target.subarray(5, 505)).toEqual(long);
    expect(target.subarray(510)).toEqual(long);
  });

  test("a view can't be used after its visit", () => {
    const kept: KeyValueView[] = [];
    store.visitRange(open, open, {}, (view) => kept.push(view));
    expect(() => kept[0]?.modRevision).toThrow("A view is used only while its record is visited");
  });

  test("the store can't be written while it is visited, but can be read", () => {
    const write = (): void => void store.visitRange(open, open, {}, () => store.set(bytes("z"), alone));
    expect(write).toThrow("The store is not written while a range is visited");
    const seen: string[] = [];
    store.visitRange(open, open, {}, (view) => {
      const { records } = store.range(bytes("b"), alone);
      seen.push(text(view.keyView()) + text(records[0]?.value ?? alone));
    });
    expect(seen).toEqual(["a9", "b9", "c9", "ca9"]);
    expect(store.set(bytes("z"), alone).revision).toBe(9);
    store.verify();
  });
});
