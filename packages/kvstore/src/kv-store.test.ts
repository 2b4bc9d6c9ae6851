import { beforeEach, describe, expect, test } from "vitest";
import type { KeyValue } from "./key-value.ts";
import { KVStore } from "./kv-store.ts";
import { keyBytesMax, RecordLimitError, valueBytesMax } from "./record-limits.ts";

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const text = (content: Uint8Array): string => String.fromCharCode(...content);
const alone = new Uint8Array(0);
const open = new Uint8Array([0]);

let store: KVStore;
beforeEach(() => {
  store = new KVStore();
  return () => store.verify();
});

function recordOf(key: string): KeyValue | undefined {
  const result = store.get(bytes(key));
  return result.outcome === "found" ? result.record : undefined;
}

describe("put", () => {
  test("stores a new key at the next revision", () => {
    expect(store.revision).toBe(1);
    expect(store.put(bytes("a"), bytes("1"))).toEqual({ outcome: "created", revision: 2 });
    expect(recordOf("a")).toEqual({ key: bytes("a"), value: bytes("1"), createRevision: 2, modRevision: 2, version: 1, lease: 0n });
  });

  test("refuses an existing key and changes nothing", () => {
    store.put(bytes("a"), bytes("1"));
    expect(store.put(bytes("a"), bytes("2"))).toEqual({ outcome: "already-exists" });
    expect(store.revision).toBe(2);
    expect(recordOf("a")?.value).toEqual(bytes("1"));
  });
});

describe("update", () => {
  test("creates a missing key and replaces an existing one", () => {
    expect(store.update(bytes("a"), bytes("1"))).toEqual({ outcome: "created", revision: 2 });
    expect(store.update(bytes("a"), bytes("2"))).toEqual({ outcome: "updated", revision: 3 });
    expect(recordOf("a")).toMatchObject({ value: bytes("2"), createRevision: 2, modRevision: 3, version: 2 });
  });

  test("takes values of any length in turn", () => {
    for (const length of [0, 1, 8, 9, 256, 257, 70_000, 3, 0, 70_000, 70_001, 200_000, 0]) {
      const value = new Uint8Array(length).fill(length & 255);
      store.update(bytes("a"), value);
      expect(recordOf("a")?.value).toEqual(value);
      expect(store.bytesUsed.payload).toBe(1 + length);
      store.verify();
    }
  });
});

describe("get and remove", () => {
  test("need an existing key", () => {
    store.put(bytes("a"), bytes("1"));
    expect(store.get(bytes("b"))).toEqual({ outcome: "not-found" });
    expect(store.remove(bytes("b"))).toEqual({ outcome: "not-found" });
    expect(store.revision).toBe(2);
  });

  test("a removed key is gone, and one created again starts over", () => {
    store.put(bytes("a"), bytes("1"));
    store.update(bytes("a"), bytes("2"));
    expect(store.remove(bytes("a"))).toEqual({ outcome: "removed", revision: 4 });
    expect(store.get(bytes("a"))).toEqual({ outcome: "not-found" });
    store.put(bytes("a"), bytes("3"));
    expect(recordOf("a")).toMatchObject({ createRevision: 5, modRevision: 5, version: 1 });
  });

  test("results belong to the caller and arguments are copied", () => {
    const key = bytes("a");
    const value = bytes("1");
    store.put(key, value);
    key.fill(0);
    value.fill(0);
    const first = recordOf("a");
    first?.value.fill(9);
    first?.key.fill(9);
    expect(recordOf("a")?.value).toEqual(bytes("1"));
  });
});

describe("results", () => {
  test("never share bytes, whatever their lengths", () => {
    for (let i = 0; i < 300; i++) store.set(bytes(`key ${i}`), new Uint8Array(i * 7).fill(i & 255));
    const { records } = store.range(open, open);
    for (const { key, value } of records) {
      key.fill(1);
      value.fill(2);
    }
    expect(records.every(({ key, value }) => key.every((each) => each === 1) && value.every((each) => each === 2))).toBe(true);
    expect(recordOf("key 77")?.value).toEqual(new Uint8Array(539).fill(77));
  });
});

describe("set", () => {
  test("gives the previous record if it is asked for and there was one", () => {
    expect(store.set(bytes("a"), bytes("1"), { wantPrevious: true })).toEqual({ revision: 2, previous: null });
    expect(store.set(bytes("a"), bytes("22"))).toEqual({ revision: 3, previous: null });
    const { revision, previous } = store.set(bytes("a"), bytes("333"), { wantPrevious: true });
    expect(revision).toBe(4);
    expect(previous).toMatchObject({ value: bytes("22"), modRevision: 3, version: 2 });
  });

  test.each([1n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0x1_0000_0000n, 2n ** 53n + 1n, 2n ** 63n - 1n, -1n, -(2n ** 63n)])(
    "attaches the lease %s exactly",
    (lease) => {
      store.set(bytes("a"), bytes("1"), { lease });
      expect(recordOf("a")?.lease).toBe(lease);
    },
  );

  test("without a lease detaches the one the key had", () => {
    store.set(bytes("a"), bytes("1"), { lease: 7n });
    store.set(bytes("a"), bytes("1"));
    expect(recordOf("a")?.lease).toBe(0n);
  });

  test("an empty value and a key of any bytes are fine", () => {
    const key = new Uint8Array([0, 255, 0, 0]);
    store.set(key, alone);
    const result = store.get(key);
    expect(result.outcome === "found" && result.record.value.length).toBe(0);
    expect(store.get(key.subarray(0, 3))).toEqual({ outcome: "not-found" });
  });
});

describe("limits", () => {
  test("an empty key is refused everywhere", () => {
    const message = "Key of 0 bytes is not between 1 and 16777216 bytes long";
    expect(() => store.set(alone, alone)).toThrow(message);
    expect(() => store.get(alone)).toThrow(message);
    expect(() => store.deleteRange(alone, open)).toThrow(message);
    expect(() => store.range(alone, alone)).toThrow(message);
  });

  test("a key or value above the limit is refused and changes nothing", () => {
    expect(() => store.put(new Uint8Array(keyBytesMax + 1), alone)).toThrow(RecordLimitError);
    expect(() => store.put(bytes("a"), new Uint8Array(valueBytesMax + 1))).toThrow(RecordLimitError);
    expect(store.revision).toBe(1);
    expect(store.keyCount).toBe(0);
  });

  test("keys of a megabyte are kept and told apart by their last byte", () => {
    const long = new Uint8Array(1 << 20).fill(120);
    const longer = Uint8Array.from(long);
    longer[longer.length - 1] = 121;
    store.set(long, bytes("x"));
    store.set(longer, bytes("y"));
    expect(store.range(long, open).records.map(({ value }) => text(value))).toEqual(["x", "y"]);
    expect(store.remove(long).outcome).toBe("removed");
    expect(store.keyCount).toBe(1);
  });
});

describe("deleteRange", () => {
  beforeEach(() => {
    for (const key of ["a", "b", "c", "d"]) store.set(bytes(key), bytes(`value of ${key}`));
  });

  test("removes all keys of the range at one revision", () => {
    expect(store.deleteRange(bytes("b"), bytes("d"))).toEqual({ revision: 6, deleted: 2, previous: [] });
    expect(store.range(open, open).records.map(({ key }) => text(key))).toEqual(["a", "d"]);
  });

  test("removes a single key, whatever was done between", () => {
    for (const key of ["b", "d", "a"]) {
      store.get(bytes("c"));
      store.set(bytes("z"), bytes("again"));
      expect(store.deleteRange(bytes(key), alone)).toMatchObject({ deleted: 1 });
      expect(store.get(bytes(key))).toEqual({ outcome: "not-found" });
      store.verify();
    }
    expect(store.range(open, open).records.map(({ key }) => text(key))).toEqual(["c", "z"]);
  });

  test("takes no revision if nothing matches", () => {
    expect(store.deleteRange(bytes("x"), alone)).toEqual({ revision: 5, deleted: 0, previous: [] });
    expect(store.deleteRange(bytes("d"), bytes("a"))).toEqual({ revision: 5, deleted: 0, previous: [] });
    expect(store.revision).toBe(5);
  });

  test("gives what it removed in key order", () => {
    const { previous } = store.deleteRange(bytes("b"), open, { wantPrevious: true });
    expect(previous.map(({ key, value }) => [text(key), text(value)])).toEqual([
      ["b", "value of b"],
      ["c", "value of c"],
      ["d", "value of d"],
    ]);
  });
});

describe("the seed", () => {
  test("is any safe integer, and a number that is none is refused by name", () => {
    for (const seed of [0, -1, Number.MAX_SAFE_INTEGER]) expect(new KVStore({ seed }).set(bytes("a"), bytes("1")).revision).toBe(2);
    for (const seed of [0.5, 2 ** 53, Number.NaN]) expect(() => new KVStore({ seed })).toThrow(`Seed ${seed} is not a safe integer`);
  });
});

describe("memory", () => {
  test("is accounted, and all of it is free again when all keys are removed", () => {
    for (let i = 0; i < 5000; i++) store.set(bytes(`key ${i}`), new Uint8Array(i % 700));
    const { payload, used, reserved } = store.bytesUsed;
    expect(used).toBeGreaterThan(payload);
    expect(reserved).toBeGreaterThanOrEqual(used);
    const emptyUse = new KVStore().bytesUsed.used;
    store.deleteRange(open, open);
    store.verify();
    expect(store.bytesUsed).toMatchObject({ payload: 0, used: emptyUse });
  });

  test("does not grow while the same keys are written again and again", () => {
    const write = (round: number): void => {
      for (let i = 0; i < 2000; i++) store.set(bytes(`key ${i}`), new Uint8Array(100 + ((i + round) % 50)));
    };
    for (let round = 0; round < 5; round++) write(round);
    const { reserved } = store.bytesUsed;
    for (let round = 5; round < 40; round++) write(round);
    expect(store.bytesUsed.reserved).toBe(reserved);
  });
});
