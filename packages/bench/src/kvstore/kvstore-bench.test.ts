import { describe, expect, test } from "vitest";
import { UsageError } from "../option-values.ts";
import { benchKeys, shuffled } from "./bench-keys.ts";
import { BtreeStore } from "./btree-store.ts";
import { measureHistory } from "./history-run.ts";
import { runKvstoreBench } from "./kvstore-bench.ts";
import { parseKvstoreBenchOptions } from "./kvstore-options.ts";
import { KvstoreOrderedStore } from "./kvstore-ordered-store.ts";
import { judgeKvstoreTargets } from "./kvstore-targets.ts";
import type { OrderedStore } from "./ordered-store.ts";
import { SortedArrayStore } from "./sorted-array-store.ts";

const small = { keyCount: 200, keyBytes: 64, valueBytes: 10, rounds: 2, operations: 50, check: false };

describe("the stores that are compared", () => {
  const makers: readonly (() => OrderedStore)[] = [() => new KvstoreOrderedStore(), () => new BtreeStore(), () => new SortedArrayStore()];
  test.each(makers)("do the same", (make) => {
    const store = make();
    const keys = benchKeys(100, 64);
    const value = new Uint8Array(3);
    store.load(keys.slice(0, 50), value);
    for (const key of keys) store.write(key, value);
    for (const key of keys.slice(90)) store.remove(key);
    const sorted = [...keys.slice(0, 90)].sort(Buffer.compare);
    expect(sorted.map((_, place) => store.scan(sorted[place] ?? value, 7))).toEqual(sorted.map((_, place) => Math.min(7, 90 - place)));
    expect(keys.map((key) => store.read(key) > 0)).toEqual(keys.map((_, place) => place < 90));
  });
});

describe("keys", () => {
  test("have the length that is asked for, begin alike, and are all different", () => {
    const keys = benchKeys(500, 64);
    expect(new Set(keys.map((key) => Buffer.from(key).toString())).size).toBe(500);
    expect(keys.every((key) => key.length === 64 && Buffer.from(key.subarray(0, 48)).equals(keys[0]?.subarray(0, 48) ?? key))).toBe(true);
    expect(benchKeys(10, 64)).toEqual(keys.slice(0, 10));
  });

  test("are all there in another order", () => {
    const numbers = Array.from({ length: 100 }, (_, i) => i);
    const order = shuffled(numbers, 3);
    expect(order).not.toEqual(numbers);
    expect(order.toSorted((a, b) => a - b)).toEqual(numbers);
  });
});

test("the history of every key is measured", () => {
  const result = measureHistory(small);
  expect(result.bytesPerOlderVersion).toBeGreaterThan(40);
  expect(result.bytesPerKey).toBeGreaterThan(80);
  expect(Object.values(result).every((figure) => figure >= 0)).toBe(true);
});

test("a run reports each operation of all stores, and the history", async () => {
  const lines: string[] = [];
  const output = { line: (text: string) => void lines.push(text), progress: () => {} };
  expect(await runKvstoreBench(small, output, new AbortController().signal)).toBe(0);
  const report = lines.join("\n");
  expect(report).toContain("200 keys of 64 bytes, values of 10");
  for (const row of ["read", "overwrite", "insert", "remove", "scan 100"]) {
    expect(report).toMatch(new RegExp(`${row} +kvstore +[0-9]`));
  }
  for (const store of [/ Map \+ sorted array +[0-9]/g, / sorted-btree +[0-9]/g]) expect(report.match(store)).toHaveLength(5);
  for (const row of ["snapshot", "restore", "compact", "reclaim"]) expect(report).toMatch(new RegExp(`${row} +[0-9]`));
});

test("targets are met or missed by what was measured", () => {
  const results = [{ store: "kvstore", operation: "read" as const, micros: { median: 1.5, min: 1, max: 2 } }];
  const history = { ...measureHistory(small), snapshotChunkMs: 2, bytesPerOlderVersion: 64 };
  expect(judgeKvstoreTargets(results, history)).toEqual([
    { sentence: "read: 1.50 us, at most 1", isMet: false },
    { sentence: "a chunk of a snapshot: 2.00 ms, at most 5", isMet: true },
    { sentence: "an older version: 64.0 bytes beside its value, at most 64", isMet: true },
  ]);
});

test("options are checked", () => {
  expect(parseKvstoreBenchOptions([])).toMatchObject({ keyCount: 1_000_000, keyBytes: 64, valueBytes: 256, rounds: 3, check: false });
  expect(parseKvstoreBenchOptions(["--keys", "10", "--key-bytes", "40", "--check"])).toMatchObject({
    keyCount: 10,
    keyBytes: 40,
    check: true,
  });
  expect(parseKvstoreBenchOptions(["--help"])).toBeNull();
  expect(() => parseKvstoreBenchOptions(["--keys", "0"])).toThrow(UsageError);
  expect(() => parseKvstoreBenchOptions(["--key-bytes", "31"])).toThrow("--key-bytes 31 is below 32");
});
