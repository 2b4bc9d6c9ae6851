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
      store.leases.grant(lease, 10, 1);
      store.set(bytes("a"), bytes("1"), { lease });
      expect(recordOf("a")?.lease).toBe(lease);
      expect(store.leases.keysOf(lease)).toEqual([bytes("a")]);
    },
  );

  test("without a lease, or with another, detaches the one the key had", () => {
    for (const lease of [7n, 8n]) store.leases.grant(lease, 10, 1);
    for (const key of ["b", "a", "c"]) store.set(bytes(key), bytes("1"), { lease: 7n });
    store.set(bytes("a"), bytes("1"), { lease: 8n });
    store.set(bytes("b"), bytes("1"));
    store.remove(bytes("c"));
    expect([recordOf("a")?.lease, recordOf("b")?.lease]).toEqual([8n, 0n]);
    expect([store.leases.keysOf(7n), store.leases.keysOf(8n)]).toEqual([[], [bytes("a")]]);
  });

  test("a lease that is revoked takes its keys along, in key order at one revision", () => {
    store.leases.grant(7n, 10, 1);
    for (const key of ["b", "a", "c"]) store.set(bytes(key), bytes("1"), { lease: 7n });
    store.set(bytes("d"), bytes("1"));
    expect(store.leases.revoke(7n)).toEqual({ outcome: "revoked", revision: 6, deleted: 3 });
    expect(store.range(open, open).records.map(({ key }) => text(key))).toEqual(["d"]);
    const deleted: string[] = [];
    store.visitEvents(6, 1, ({ current }) => deleted.push(text(current.keyView())));
    expect(deleted).toEqual(["a", "b", "c"]);
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

describe("atOneRevision", () => {
  test("gives all writes one revision, which reads in it see", () => {
    store.set(bytes("a"), bytes("1"));
    const result = store.atOneRevision(() => {
      expect(store.revision).toBe(2);
      store.set(bytes("b"), bytes("2"));
      store.deleteRange(bytes("a"), alone);
      expect(store.get(bytes("a"))).toEqual({ outcome: "not-found" });
      store.set(bytes("a"), bytes("3"));
      return store.revision;
    });
    expect([result, store.revision]).toEqual([3, 3]);
    expect(recordOf("a")).toMatchObject({ value: bytes("3"), createRevision: 3, version: 1 });
    expect(store.set(bytes("c"), bytes("4")).revision).toBe(4);
  });

  test("takes no revision for nothing, and is part of another around it", () => {
    store.atOneRevision(() => store.remove(bytes("missing")));
    expect(store.revision).toBe(1);
    store.atOneRevision(() => {
      store.atOneRevision(() => store.set(bytes("a"), bytes("1")));
      store.atOneRevision(() => store.set(bytes("b"), bytes("1")));
    });
    expect(store.revision).toBe(2);
  });

  test("ends when the work throws", () => {
    const failing = (): never => {
      throw new Error("refused");
    };
    expect(() => store.atOneRevision(failing)).toThrow("refused");
    store.set(bytes("a"), bytes("1"));
    expect(store.set(bytes("b"), bytes("1")).revision).toBe(3);
  });
});

describe("history", () => {
  /** Revisions: a at 2 and 3, b at 4, a deleted at 5, a again at 6. */
  beforeEach(() => {
    store.set(bytes("a"), bytes("1"));
    store.set(bytes("a"), bytes("2"));
    store.set(bytes("b"), bytes("3"));
    store.remove(bytes("a"));
    store.set(bytes("a"), bytes("4"));
  });

  function seenAt(revision: number): string {
    const { records, count } = store.range(open, open, { revision });
    return `${records.map(({ key, value, version }) => `${text(key)}=${text(value)} v${version}`).join(", ")} of ${count}`;
  }

  test("is read at any revision", () => {
    expect([1, 2, 3, 4, 5, 6].map(seenAt)).toEqual([
      " of 0",
      "a=1 v1 of 1",
      "a=2 v2 of 1",
      "a=2 v2, b=3 v1 of 2",
      "b=3 v1 of 1",
      "a=4 v1, b=3 v1 of 2",
    ]);
    expect(seenAt(0)).toBe(seenAt(6));
  });

  test("counts, sorts and limits as of then", () => {
    expect(store.range(open, open, { revision: 4, countOnly: true })).toEqual({ records: [], count: 2, more: false });
    expect(store.range(open, open, { revision: 4, limit: 1 })).toMatchObject({ count: 2, more: true });
    const { records } = store.range(open, open, { revision: 4, sortTarget: "mod", sortOrder: "descend" });
    expect(records.map(({ key, modRevision }) => [text(key), modRevision])).toEqual([
      ["b", 4],
      ["a", 3],
    ]);
  });

  test("up to a compaction is gone at once, and what it had then can be read", () => {
    expect(store.compact(4)).toEqual({ outcome: "compacted" });
    expect(store.compactRevision).toBe(4);
    expect(seenAt(4)).toBe("a=2 v2, b=3 v1 of 2");
    expect(() => seenAt(3)).toThrow("Revision 3 is below the compact revision 4");
    expect(() => seenAt(7)).toThrow("Revision 7 is above the current 6");
  });

  test.each([
    [-1, "compacted"],
    [0, "compacted"],
    [3, "compacted"],
    [4, "compacted"],
    [7, "future"],
  ])("is not compacted to %i after it was to 4", (revision, reason) => {
    store.compact(4);
    expect(store.compact(revision)).toEqual({ outcome: "refused", reason });
    expect([store.compactRevision, store.revision]).toEqual([4, 6]);
  });

  test("is compacted to 0 once, as the first compaction, which takes nothing away", () => {
    const before = store.payloadBytes;
    expect(store.compact(-1)).toEqual({ outcome: "refused", reason: "compacted" });
    expect(store.compact(0)).toEqual({ outcome: "compacted" });
    expect(store.compact(0)).toEqual({ outcome: "refused", reason: "compacted" });
    expect([store.compactRevision, store.payloadBytes, store.reclaim(10)]).toEqual([0, before, false]);
    expect(seenAt(2)).not.toBe("");
    store.verify();
  });

  test("a record of the past belongs to the caller, too", () => {
    const [record] = store.range(bytes("a"), alone, { revision: 2 }).records;
    record?.value.fill(0);
    expect(seenAt(2)).toBe("a=1 v1 of 1");
  });
});

describe("memory", () => {
  const overhead = 64;

  test("counts the keys and values of all versions that are not compacted, freed or not", () => {
    const payload = (): number => store.payloadBytes;
    store.set(bytes("a"), bytes("12345"));
    expect(payload()).toBe(6 + overhead);
    store.set(bytes("a"), bytes("1"));
    store.set(bytes("bb"), bytes("1"));
    expect(payload()).toBe(6 + 2 + 3 + 3 * overhead);
    store.remove(bytes("a"));
    expect(payload()).toBe(6 + 2 + 3 + 1 + 4 * overhead);
    store.compact(3);
    expect(payload()).toBe(2 + 3 + 1 + 3 * overhead);
    store.compact(5);
    expect(payload()).toBe(3 + overhead);
    while (store.reclaim(1)) store.verify();
    expect(payload()).toBe(3 + overhead);
  });

  test("is free again when all keys are removed and compacted", () => {
    for (let i = 0; i < 5000; i++) store.set(bytes(`key ${i}`), new Uint8Array(i % 700));
    const { payloadBytes, usedBytes, reservedBytes } = store;
    expect(usedBytes).toBeGreaterThan(payloadBytes - 5000 * overhead);
    expect(reservedBytes).toBeGreaterThanOrEqual(usedBytes);
    store.deleteRange(open, open);
    store.compact(store.revision);
    while (store.reclaim(100)) expect(store.payloadBytes).toBe(0);
    const empty = new KVStore();
    expect([store.payloadBytes, store.usedBytes]).toEqual([0, empty.usedBytes]);
    expect(store.reservedBytes - empty.reservedBytes).toBeLessThan(16 * 4 * 256 * 1024 + 300_000);
  });

  test("does not grow while the same keys are written and compacted again and again", () => {
    const write = (round: number): void => {
      for (let i = 0; i < 2000; i++) store.set(bytes(`key ${i}`), new Uint8Array(100 + ((i + round) % 50)));
      store.compact(store.revision);
      while (store.reclaim(500));
    };
    for (let round = 0; round < 5; round++) write(round);
    const { reservedBytes } = store;
    for (let round = 5; round < 40; round++) write(round);
    expect(store.reservedBytes).toBeLessThanOrEqual(reservedBytes + 256 * 1024);
  });

  test("of an old version is at most 64 bytes beside its value", () => {
    store.set(bytes("a"), bytes("12345678"));
    const before = store.usedBytes;
    for (let i = 0; i < 1000; i++) store.set(bytes("a"), bytes("12345678"));
    expect((store.usedBytes - before) / 1000 - 8).toBeLessThanOrEqual(64);
  });
});
