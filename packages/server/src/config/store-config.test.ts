import { describe, expect, test } from "vitest";
import { memberConfig } from "./member-config.ts";
import { readOptions } from "./option-source.ts";
import type { StoreConfig } from "./store-config.ts";

function storeOf(...flags: readonly string[]): StoreConfig {
  return memberConfig(readOptions(flags, {})).store;
}

describe("the configuration of the store", () => {
  test("has etcd's defaults", () => {
    expect(storeOf()).toEqual({ quotaBytes: 2_147_483_648, maxTxnOps: 128, autoCompaction: { mode: "off" } });
  });

  test.each([
    ["0", 2_147_483_648],
    ["1000000", 1_000_000],
    ["-1", Number.POSITIVE_INFINITY],
  ])("takes a quota of %s", (text, bytes) => {
    expect(storeOf(`--quota-backend-bytes=${text}`).quotaBytes).toBe(bytes);
  });

  test.each([
    ["periodic", "1", { mode: "periodic", periodMs: 3_600_000 }],
    ["periodic", "5m", { mode: "periodic", periodMs: 300_000 }],
    ["periodic", "1h30m", { mode: "periodic", periodMs: 5_400_000 }],
    ["periodic", "0", { mode: "off" }],
    ["periodic", "0s", { mode: "off" }],
    ["revision", "1000", { mode: "revision", revisions: 1000 }],
    ["revision", "0", { mode: "off" }],
  ])("compacts by itself: %s of %s", (mode, retention, expected) => {
    const flags = [`--auto-compaction-mode=${mode}`, `--auto-compaction-retention=${retention}`];
    expect(storeOf(...flags).autoCompaction).toEqual(expected);
  });

  test.each([
    [["--auto-compaction-mode=sometimes"], '--auto-compaction-mode "sometimes" is none of periodic, revision'],
    [["--auto-compaction-retention=soon"], '--auto-compaction-retention "soon" is not a duration, give one like 10s, 5m or 1h30m'],
    [["--auto-compaction-retention=5ms"], "--auto-compaction-retention 5ms is not between 1s and 87600h"],
    [["--auto-compaction-retention=99999999"], "--auto-compaction-retention 99999999 is not between 1s and 87600h"],
    [["--auto-compaction-mode=revision", "--auto-compaction-retention=5m"], '--auto-compaction-retention "5m" is not a whole number'],
    [["--quota-backend-bytes=much"], '--quota-backend-bytes "much" is not a whole number'],
    [["--max-txn-ops=0"], "--max-txn-ops 0 is not between 1 and 1000000"],
  ])("is refused with a sentence: %j", (flags, message) => {
    expect(() => storeOf(...flags)).toThrow(message);
  });
});
