import { DiskError, type LogStore } from "@raftkv/raft-node";
import { beforeEach, describe, expect, test } from "vitest";
import { FRAMES_OFFSET, PAGE_BYTES } from "./format.ts";
import { hardState, openTestStore, testEntries, testEntry } from "./testing/fixture.ts";
import { MemoryDisk } from "./testing/memory-disk.ts";
import { TestClock } from "./testing/test-clock.ts";

let disk: MemoryDisk;
let clock: TestClock;

beforeEach(() => {
  disk = new MemoryDisk();
  clock = new TestClock();
});

async function quiet(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Finishes what is under way, lets time pass, and what became due be written. */
async function pass(ms: number): Promise<void> {
  await quiet();
  clock.advance(ms);
  await quiet();
}

function open(options: { readonly seed?: number; readonly segmentBytes?: number } = {}): Promise<LogStore> {
  return openTestStore(disk, { clock, sealIdleMs: 20, ...options });
}

function append(store: LogStore, index: number, length = 40): Promise<void> {
  return store.append({ hardState: hardState(1), entries: [testEntry(index, 1, length)] });
}

/** A store with one entry, sealed. */
async function sealed(): Promise<LogStore> {
  const store = await open();
  await append(store, 1);
  await pass(20);
  return store;
}

describe("a log that stands still", () => {
  test("is sealed once, by one durable write of two pages", async () => {
    const store = await open();
    await append(store, 1);
    await pass(0);
    const { bytes } = store.metrics();
    const { writeDurably } = disk.counts;
    await pass(19);
    expect(disk.counts.writeDurably).toBe(writeDurably);
    await pass(1);
    expect(disk.counts.writeDurably).toBe(writeDurably + 1);
    expect(store.metrics().bytes - bytes).toBe(2 * PAGE_BYTES);
    for (let again = 0; again < 10; again++) await pass(20);
    expect(disk.counts.writeDurably).toBe(writeDurably + 1);
    await store.close();
    expect(disk.counts.writeDurably).toBe(writeDurably + 1);
  });

  test("is not sealed as long as appends come", async () => {
    const store = await open();
    const { writeDurably } = disk.counts;
    for (let index = 1; index <= 30; index++) {
      await append(store, index);
      await pass(15);
    }
    // Those of the meta file, one for each entry, and those of the segments that were begun.
    const { batches } = store.metrics();
    expect(batches).toBe(1 + 30);
    await pass(20);
    expect(store.metrics().batches).toBe(batches + 1);
    expect(disk.counts.writeDurably).toBeGreaterThan(writeDurably + 30);
    await store.close();
  });

  test("is sealed when it is closed", async () => {
    const store = await open();
    await append(store, 1);
    const { batches } = store.metrics();
    await store.close();
    expect(store.metrics().batches).toBe(batches + 1);
    await pass(1_000);
    expect(store.metrics().batches).toBe(batches + 1);
    expect(disk.openFiles).toBe(0);
  });

  test("takes an append that comes while the seal is written", async () => {
    const store = await open();
    await append(store, 1);
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    disk.before = ({ name }) => (name === "writeDurably" ? gate : undefined);
    await pass(20);
    const late = append(store, 2);
    release();
    disk.before = () => {};
    await late;
    await store.close();
    const again = await open({ seed: 2 });
    expect(again.recovered.entries).toEqual(testEntries(1, 2, 1));
    await again.close();
  });

  test("goes on in the next segment when seals have filled the last pages of one", async () => {
    const store = await open({ segmentBytes: 32 * 1024 });
    for (let index = 1; index <= 12; index++) {
      await append(store, index, 40 + 300 * index);
      await pass(20);
    }
    expect(store.metrics().batches).toBe(1 + 2 * 12);
    const killed = disk.afterKill();
    await store.close();
    for (const left of [disk, killed]) {
      const again = await openTestStore(left, { seed: 3 });
      expect(again.recovered.entries.map(({ index }) => index)).toEqual(Array.from({ length: 12 }, (_, at) => at + 1));
      await again.close();
    }
  });

  test("proves its last batch, so that the loss of it is not taken for a torn write", async () => {
    const store = await sealed();
    const left = disk.afterKill();
    await store.close();
    const path = left.files("/data/wal")[0] ?? "";
    const bytes = left.peek(path);
    // The segment's own first batch, then the entry's.
    bytes.fill(0, FRAMES_OFFSET + PAGE_BYTES, FRAMES_OFFSET + 2 * PAGE_BYTES);
    left.poke(path, bytes);
    const again = await openTestStore(left, { seed: 2 });
    expect(again.recovered.lost).toMatchObject({ from: 1 });
    await again.close();
  });

  test("is not trusted any more if its seal can't be written", async () => {
    const store = await open();
    await append(store, 1);
    await pass(0);
    disk.before = ({ name, path }) => {
      if (name === "writeDurably") throw new DiskError("io", path, "bad sector");
    };
    await pass(20);
    disk.before = () => {};
    const { writeDurably } = disk.counts;
    await expect(append(store, 2)).rejects.toMatchObject({ code: "ERR_STORAGE_FAILED" });
    await pass(20);
    await store.close();
    expect(disk.counts.writeDurably).toBe(writeDurably);
    expect(disk.openFiles).toBe(0);
  });
});

describe("records that are written again at a start", () => {
  test("are sealed before the segment that they come from goes", async () => {
    const store = await open();
    await append(store, 1);
    const killed = disk.afterKill();
    await store.close();
    const again = await openTestStore(killed, { seed: 2 });
    expect(again.metrics().batches).toBe(2);
    await again.close();
  });
});
