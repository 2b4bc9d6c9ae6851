import { votersOnly } from "@raftkv/raft-core";
import { expect, test } from "vitest";
import { bootstrapLog, isEmptyLog } from "./bootstrap.ts";
import { Journal } from "./testing/memory-group.ts";
import { MemoryLogStore } from "./testing/memory-log-store.ts";

const founders = votersOnly([1, 2, 3]);

test("a log that was begun is not begun again", async () => {
  const store = new MemoryLogStore();
  await bootstrapLog(store, founders, new Journal());
  expect(isEmptyLog(store)).toBe(false);
  await expect(bootstrapLog(store, founders, new Journal())).rejects.toThrow("Only an empty log store can be bootstrapped");
});

test("a founding that ended when only its term was written begins again", async () => {
  const store = new MemoryLogStore();
  await store.append({ hardState: { term: 1, vote: 0, commit: 0 }, entries: [] });
  expect(isEmptyLog(store)).toBe(true);
  await bootstrapLog(store, founders, new Journal());
  expect(store.recovered).toMatchObject({ hardState: { term: 1, vote: 0, commit: 1 }, snapshot: { index: 1, term: 1 } });
});
