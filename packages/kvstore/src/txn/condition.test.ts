import { describe, expect, test } from "vitest";
import { KVStore } from "../kv-store.ts";
import { bytesOf } from "../model/bytes-as-text.ts";
import { holds } from "./condition.ts";
import type { Compare } from "./txn-request.ts";

const [equal, greater, less, notEqual, unknown] = [0, 1, 2, 3, 4];
const results = [equal, greater, less, notEqual];

/** "a" was created at revision 2 and put again at 3, with a lease; "b" is of revision 4. */
function filled(): KVStore {
  const store = new KVStore();
  store.leases.grant(-(2n ** 63n), 60, 1);
  store.set(bytesOf("a"), bytesOf("l"));
  store.set(bytesOf("a"), bytesOf("m"), { lease: -(2n ** 63n) });
  store.set(bytesOf("b"), bytesOf(""));
  return store;
}

type Given =
  | { readonly target: "version" | "create" | "mod"; readonly operand: number }
  | { readonly target: "value"; readonly operand: Uint8Array }
  | { readonly target: "lease"; readonly operand: bigint }
  | { readonly target: "unknown" };

function resultsThatHold(store: KVStore, key: string, given: Given, rangeEnd = ""): readonly number[] {
  return results.filter((result) => holds(store, { key: bytesOf(key), rangeEnd: bytesOf(rangeEnd), result, ...given } satisfies Compare));
}

describe("a condition compares what is stored with what is given", () => {
  test.each<readonly [Given, readonly number[]]>([
    [{ target: "version", operand: 2 }, [equal]],
    [{ target: "version", operand: 1 }, [greater, notEqual]],
    [{ target: "create", operand: 2 }, [equal]],
    [{ target: "create", operand: 3 }, [less, notEqual]],
    [{ target: "mod", operand: 3 }, [equal]],
    [{ target: "mod", operand: Number.MAX_SAFE_INTEGER }, [less, notEqual]],
    [{ target: "value", operand: bytesOf("m") }, [equal]],
    [{ target: "value", operand: bytesOf("m\0") }, [less, notEqual]],
    [{ target: "value", operand: bytesOf("") }, [greater, notEqual]],
    [{ target: "lease", operand: -(2n ** 63n) }, [equal]],
    [{ target: "lease", operand: 0n }, [less, notEqual]],
  ])("%o", (given, expected) => {
    expect(resultsThatHold(filled(), "a", given)).toEqual(expected);
  });
});

test("of a missing key the numbers are 0, and no condition on the value holds", () => {
  const store = filled();
  for (const target of ["version", "create", "mod"] as const) {
    expect(resultsThatHold(store, "none", { target, operand: 0 })).toEqual([equal]);
    expect(resultsThatHold(store, "none", { target, operand: -1 })).toEqual([greater, notEqual]);
  }
  expect(resultsThatHold(store, "none", { target: "lease", operand: 1n })).toEqual([less, notEqual]);
  expect(resultsThatHold(store, "none", { target: "value", operand: bytesOf("") })).toEqual([]);
  expect(resultsThatHold(store, "none", { target: "value", operand: bytesOf("x") })).toEqual([]);
});

test("all keys of a range have to satisfy it, and an empty range is judged as a missing key", () => {
  const store = filled();
  expect(resultsThatHold(store, "a", { target: "version", operand: 0 }, "c")).toEqual([greater, notEqual]);
  expect(resultsThatHold(store, "a", { target: "version", operand: 1 }, "c")).toEqual([]);
  expect(resultsThatHold(store, "a", { target: "mod", operand: 3 }, "\0")).toEqual([]);
  expect(resultsThatHold(store, "c", { target: "version", operand: 0 }, "\0")).toEqual([equal]);
  expect(resultsThatHold(store, "b", { target: "create", operand: 0 }, "a")).toEqual([equal]);
});

test("the keys of a long range are all judged, wherever the one is that does not satisfy it", () => {
  const store = new KVStore();
  const count = 1000;
  const key = (at: number): Uint8Array => bytesOf(`key-${String(at).padStart(4, "0")}`);
  for (let at = 0; at < count; at++) store.set(key(at), bytesOf("same"));
  const compare = { key: bytesOf("key-"), rangeEnd: bytesOf("key."), result: equal, target: "value", operand: bytesOf("same") } as const;
  expect(holds(store, compare)).toBe(true);
  for (const at of [0, 127, 128, 500, 999]) {
    store.set(key(at), bytesOf("other"));
    expect(holds(store, compare)).toBe(false);
    store.set(key(at), bytesOf("same"));
  }
});

test("what etcd does not know is equal, or holds", () => {
  const store = filled();
  expect(resultsThatHold(store, "a", { target: "unknown" })).toEqual([equal]);
  expect(resultsThatHold(store, "none", { target: "unknown" })).toEqual([equal]);
  const compare = { key: bytesOf("a"), rangeEnd: bytesOf(""), result: unknown, target: "version", operand: 9 } as const;
  expect(holds(store, compare)).toBe(true);
});
