import { expect, test } from "vitest";
import { snapshotPath } from "./testing/damage-cases.ts";
import { snapshotState } from "./testing/damaged-directory.ts";
import { chunksOf, hardState, openTestStore, readSnapshotBytes, snapshotMeta, testEntries } from "./testing/fixture.ts";
import { MemoryDisk } from "./testing/memory-disk.ts";

test("no more than the two newest snapshots stay while a store is open, also if nothing is compacted", async () => {
  const disk = new MemoryDisk();
  const store = await openTestStore(disk);
  await store.append({ hardState: hardState(2, 3, 30), entries: testEntries(1, 30, 2) });
  for (let index = 1; index <= 26; index++) {
    await store.saveSnapshot(snapshotMeta(index, 2), chunksOf(snapshotState(index)));
    expect(disk.files("/data/snap")).toEqual([index - 1, index].filter((at) => at > 0).map(snapshotPath));
  }
  await store.close();
});

test("a snapshot that is being read stays until it was read, and no longer", async () => {
  const disk = new MemoryDisk();
  const store = await openTestStore(disk);
  await store.append({ hardState: hardState(2, 3, 30), entries: testEntries(1, 30, 2) });
  await store.saveSnapshot(snapshotMeta(1, 2), chunksOf(snapshotState(1)));
  const reader = await store.readSnapshot();
  for (const index of [2, 3, 4]) await store.saveSnapshot(snapshotMeta(index, 2), chunksOf(snapshotState(index)));
  expect(disk.files("/data/snap")).toEqual([1, 3, 4].map(snapshotPath));
  const bytes: number[] = [];
  for await (const chunk of reader?.chunks() ?? []) bytes.push(...chunk);
  expect(Uint8Array.from(bytes)).toEqual(snapshotState(1));
  await reader?.close();
  expect(disk.files("/data/snap")).toEqual([3, 4].map(snapshotPath));
  expect(await readSnapshotBytes(store)).toEqual(snapshotState(4));
  await store.close();
});

test("a snapshot that was installed stays alone", async () => {
  const disk = new MemoryDisk();
  const store = await openTestStore(disk);
  await store.append({ hardState: hardState(2, 3, 30), entries: testEntries(1, 30, 2) });
  for (const index of [1, 2]) await store.saveSnapshot(snapshotMeta(index, 2), chunksOf(snapshotState(index)));
  await store.receiveSnapshot(snapshotMeta(50, 2), chunksOf(snapshotState(50)));
  await store.installSnapshot(snapshotMeta(50, 2), hardState(2, 3, 50));
  expect(disk.files("/data/snap")).toEqual([snapshotPath(50)]);
  await store.close();
});
