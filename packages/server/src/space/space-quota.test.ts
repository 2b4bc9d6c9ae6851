import { describe, expect, test } from "vitest";
import { SpaceQuota } from "./space-quota.ts";

function quotaOf(limitBytes: number): {
  readonly quota: SpaceQuota;
  readonly store: { usedBytes: number };
  readonly exceeded: () => number;
} {
  const store = { usedBytes: 0 };
  let count = 0;
  const quota = new SpaceQuota({ store, limitBytes, onExceeded: () => count++ });
  return { quota, store, exceeded: () => count };
}

describe("a quota", () => {
  test("admits what leaves the store below the limit, and refuses what does not", () => {
    const { quota, store, exceeded } = quotaOf(1_000);
    store.usedBytes = 500;
    expect(quota.admits(499)).toBe(true);
    store.usedBytes = 999;
    expect(quota.admits(1)).toBe(false);
    expect(exceeded()).toBe(1);
  });

  test("always admits what takes no space", () => {
    const { quota, store, exceeded } = quotaOf(1_000);
    store.usedBytes = 5_000;
    expect(quota.admits(0)).toBe(true);
    expect(exceeded()).toBe(0);
  });

  test("is roomy again only when a tenth of it is free", () => {
    const { quota, store } = quotaOf(1_000);
    store.usedBytes = 900;
    expect(quota.isRoomy).toBe(false);
    store.usedBytes = 899;
    expect(quota.isRoomy).toBe(true);
  });

  test("may be without a limit", () => {
    const { quota, store } = quotaOf(Number.POSITIVE_INFINITY);
    store.usedBytes = Number.MAX_SAFE_INTEGER;
    expect(quota.admits(1e9)).toBe(true);
  });
});
