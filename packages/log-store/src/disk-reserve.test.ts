import { DiskError, type LogStore } from "@raftkv/raft-node";
import { beforeEach, describe, expect, test } from "vitest";
import { LogStoreError } from "./log-store-error.ts";
import { chunksOf, hardState, LineLogger, type OpenOptions, openTestStore, snapshotMeta, testBytes, testEntry } from "./testing/fixture.ts";
import { type DiskCall, MemoryDisk } from "./testing/memory-disk.ts";
import { TestClock } from "./testing/test-clock.ts";

const reservePath = "/data/reserve";
const segmentBytes = 32 * 1024;
const reserveBytes = 2 * segmentBytes;
let disk: MemoryDisk;
let clock: TestClock;
let logger: LineLogger;

beforeEach(() => {
  disk = new MemoryDisk();
  clock = new TestClock();
  logger = new LineLogger();
});

async function quiet(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Lets time pass, and what became due be written. */
async function pass(ms: number): Promise<void> {
  await quiet();
  clock.advance(ms);
  await quiet();
}

function open(options: OpenOptions = {}): Promise<LogStore> {
  return openTestStore(disk, { clock, logger, ...options });
}

function append(store: LogStore, index: number, length = 3_000): Promise<void> {
  return store.append({ hardState: hardState(1, 1, index - 1), entries: [testEntry(index, 1, length)] });
}

/** Appends until the store fails. Returns the last index that was acknowledged, and why the next one was not. */
async function appendUntilFailure(store: LogStore, from: number, to: number): Promise<{ readonly last: number; readonly code: unknown }> {
  for (let index = from; index <= to; index++) {
    try {
      await append(store, index);
    } catch (reason) {
      return { last: index - 1, code: reason instanceof LogStoreError ? reason.code : reason };
    }
  }
  return { last: to, code: null };
}

/** A directory with three entries and a reserve. */
async function withReserve(sizeBytes = reserveBytes): Promise<void> {
  const store = await open({ reserveBytes: sizeBytes });
  for (const index of [1, 2, 3]) await append(store, index, 100);
  await pass(60_000);
  await store.close();
  expect(disk.peek(reservePath).length).toBe(sizeBytes);
}

describe("the reserve", () => {
  test("is made some time after the start, once, of real zeros", async () => {
    const store = await open();
    await pass(59_999);
    expect(disk.files()).not.toContain(reservePath);
    await pass(1);
    expect(disk.peek(reservePath)).toEqual(new Uint8Array(reserveBytes));
    await store.close();
    const writes = disk.counts.write;
    const again = await open({ seed: 2 });
    await pass(120_000);
    // The first segment: two pieces.
    expect(disk.counts.write - writes).toBe(2);
    await again.close();
  });

  test("is not made if it has no size, or if the store is closed before", async () => {
    const store = await open({ reserveBytes: 0 });
    await pass(120_000);
    await store.close();
    const short = await open({ seed: 2 });
    await short.close();
    await pass(120_000);
    expect(disk.files()).not.toContain(reservePath);
    expect(disk.openFiles).toBe(0);
  });

  test("that was left unfinished or has another size is made again", async () => {
    await withReserve();
    for (const length of [0, 1_000, reserveBytes + 1]) {
      disk.poke(reservePath, new Uint8Array(length));
      const store = await open({ seed: 2 + length });
      await pass(60_000);
      expect(disk.peek(reservePath)).toEqual(new Uint8Array(reserveBytes));
      await store.close();
    }
  });

  test("of which only a part fits is removed again, and the store goes on", async () => {
    const store = await open();
    disk.capacityBytes = disk.usedBytes + reserveBytes / 2;
    await pass(60_000);
    expect(disk.files()).not.toContain(reservePath);
    expect(logger.at("warn")).toEqual([expect.stringContaining("there is no space for the reserve")]);
    await append(store, 1);
    await store.close();
    expect(disk.openFiles).toBe(0);
  });

  test("gives way while it is made if the log needs the space", async () => {
    const store = await open();
    await append(store, 1);
    await quiet();
    // Room for the reserve or the next segment.
    disk.capacityBytes = disk.usedBytes + reserveBytes;
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    disk.before = ({ name, path }) => (name === "sync" && path === reservePath ? gate : undefined);
    await pass(60_000);
    expect(disk.files()).toContain(reservePath);
    const large = append(store, 2, 40_000);
    await quiet();
    release();
    await large;
    await store.close();
    expect(disk.files()).not.toContain(reservePath);
  });

  test("can't be made on a disk that fails, which is only said", async () => {
    const store = await open();
    disk.before = ({ path }) => {
      if (path === reservePath) throw new DiskError("io", path, "bad sector");
    };
    await pass(60_000);
    expect(logger.at("warn")).toEqual(["the reserve for a full disk can't be made"]);
    await append(store, 1);
    await store.close();
  });
});

describe("a full disk", () => {
  const allocating: readonly DiskCall["name"][] = ["makeDirectory", "open", "write", "writeDurably", "rename", "syncDirectory"];

  test("at any call of a start is no obstacle as long as there is a reserve", async () => {
    await withReserve();
    const before = disk;
    let released = 0;
    for (let number = 1; number <= 60; number++) {
      disk = before.afterKill();
      const { callCount } = disk;
      disk.before = ({ name, path, number: at }) => {
        const full = disk.files().includes(reservePath) && at >= callCount + number;
        if (full && allocating.includes(name)) throw new DiskError("no-space", path, "no space");
      };
      logger = new LineLogger();
      const store = await open({ seed: number });
      expect(store.recovered.entries.map(({ index }) => index)).toEqual([1, 2, 3]);
      expect(store.recovered.lost).toBeNull();
      const told = logger.at("warn").includes("the disk is full, the reserve was given up so that this member can start");
      expect(told).toBe(!disk.files().includes(reservePath));
      released += told ? 1 : 0;
      await store.close().catch(() => {});
      expect(disk.openFiles).toBe(0);
    }
    expect(released).toBeGreaterThan(10);
  });

  test("without a reserve refuses the start, says why, and loses nothing", async () => {
    const store = await open({ reserveBytes: 0 });
    await append(store, 1);
    await store.close();
    disk.capacityBytes = disk.usedBytes;
    await expect(open({ seed: 2 })).rejects.toMatchObject({ code: "ERR_DISK_FULL", message: expect.stringContaining("No space left") });
    disk.capacityBytes = Infinity;
    const again = await open({ seed: 3 });
    expect(again.recovered.entries).toHaveLength(1);
    await again.close();
  });

  test.each(Array.from({ length: 12 }, (_, at) => at))(
    "with room for %i half segments more acknowledges nothing that is not there after a power loss",
    async (halves) => {
      await withReserve();
      disk.capacityBytes = disk.usedBytes + (halves * segmentBytes) / 2;
      const store = await open({ seed: 2 });
      const { last, code } = await appendUntilFailure(store, 4, 200);
      expect(code).toBe("ERR_DISK_FULL");
      await expect(append(store, last + 1)).rejects.toMatchObject({ code: "ERR_STORAGE_FAILED" });
      const left = disk.afterPowerLoss(() => false);
      await store.close();
      for (const after of [left, disk]) {
        after.capacityBytes = Infinity;
        const again = await openTestStore(after, { seed: 3 });
        expect(again.recovered.entries.at(-1)?.index).toBe(last);
        expect(again.recovered.lost).toBeNull();
        await again.close();
      }
    },
  );

  test("heals: the member starts within the reserve, compacts its log, and makes the reserve again", async () => {
    const options = { reserveBytes: 4 * segmentBytes };
    await withReserve(options.reserveBytes);
    disk.capacityBytes = disk.usedBytes + 6 * segmentBytes;
    const full = await open({ ...options, seed: 2 });
    const { last, code } = await appendUntilFailure(full, 4, 200);
    expect(code).toBe("ERR_DISK_FULL");
    await full.close();
    logger = new LineLogger();
    const store = await open({ ...options, seed: 3 });
    expect(disk.files()).not.toContain(reservePath);
    await pass(60_000);
    expect(disk.files()).not.toContain(reservePath);
    for (const index of [last - 1, last]) {
      await store.saveSnapshot(snapshotMeta(index, 1), chunksOf(testBytes(100, index)));
      await store.compact(index);
    }
    await append(store, last + 1);
    await pass(60_000);
    expect(disk.files()).toContain(reservePath);
    expect(logger.at("info")).toContain("a reserve for a full disk was made");
    await store.close();
  });

  test("that has space again before the segment ends is no failure", async () => {
    const store = await open({ reserveBytes: 0 });
    await quiet();
    disk.capacityBytes = disk.usedBytes;
    await append(store, 1);
    await quiet();
    await append(store, 2);
    await quiet();
    expect(logger.at("warn")).toEqual(["there is no space for the next log segment"]);
    disk.capacityBytes = Infinity;
    clock.advance(1_000);
    await append(store, 3);
    await quiet();
    expect(logger.at("info")).toContain("there is space for the next log segment again");
    expect((await appendUntilFailure(store, 4, 40)).code).toBeNull();
    await store.close();
  });
});
