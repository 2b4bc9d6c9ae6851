import { DiskError, type LogStore } from "@raftkv/raft-node";
import { beforeEach, describe, expect, test } from "vitest";
import { FRAMES_OFFSET } from "./format.ts";
import { LogStoreError } from "./log-store-error.ts";
import { makeSoundDirectory, spoil } from "./testing/damaged-directory.ts";
import { chunksOf, hardState, LineLogger, openTestStore, snapshotMeta, testBytes, testEntry } from "./testing/fixture.ts";
import { type DiskCall, MemoryDisk } from "./testing/memory-disk.ts";
import { TestClock } from "./testing/test-clock.ts";

let disk: MemoryDisk;
let clock: TestClock;

beforeEach(() => {
  disk = new MemoryDisk();
  clock = new TestClock();
});

async function quiet(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function append(store: LogStore, index: number, term = 1, length = 40): Promise<void> {
  return store.append({ hardState: hardState(term, 0, index - 1), entries: [testEntry(index, term, length)] });
}

/** Code of what `promise` rejects with. */
function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => "resolved",
    (reason: unknown) => (reason instanceof LogStoreError ? reason.code : reason),
  );
}

interface Case {
  readonly what: string;
  /** The call that fails, once; all others succeed. */
  readonly fails: (call: DiskCall) => boolean;
  /** Leads to that call. What it rejects with is of no interest. */
  readonly act: (store: LogStore) => Promise<unknown>;
}

/** A file of the log keeps the path that it was made under. */
const isLog = ({ path }: DiskCall): boolean => path.includes("/wal/");
const isMeta = ({ path }: DiskCall): boolean => path === "/data/meta";

const cases: readonly Case[] = [
  {
    what: "a batch",
    fails: (call) => isLog(call) && call.name === "writeDurably",
    act: (store) => append(store, 4),
  },
  {
    what: "a vote",
    fails: (call) => isMeta(call) && call.name === "writeDurably",
    act: (store) => store.append({ hardState: hardState(2, 1), entries: [] }),
  },
  {
    what: "a seal",
    fails: (call) => isLog(call) && call.name === "writeDurably",
    act: async () => clock.advance(20),
  },
  ...(["open", "write", "sync", "rename"] as const).map((name) => ({
    what: `the ${name} of a segment that is prepared`,
    fails: (call: DiskCall) => call.name === name && call.path.includes("/wal/prep-"),
    act: (store: LogStore) => append(store, 4, 1, 14_000).then(() => append(store, 5)),
  })),
  {
    what: "the directory of a segment that is prepared",
    fails: (call) => call.name === "syncDirectory" && call.path === "/data/wal",
    act: (store) => append(store, 4, 1, 14_000).then(() => append(store, 5)),
  },
  {
    what: "the number of a segment that is prepared",
    fails: (call) => isMeta(call) && call.name === "writeDurably",
    act: (store) => append(store, 4, 1, 14_000).then(() => append(store, 5)),
  },
  {
    what: "the mark of an own snapshot",
    fails: (call) => isLog(call) && call.name === "writeDurably",
    act: (store) => store.saveSnapshot(snapshotMeta(2, 1), chunksOf(testBytes(10, 1))),
  },
  ...(["write", "sync", "rename", "syncDirectory"] as const).map((name) => ({
    what: `the ${name} of an own snapshot`,
    fails: (call: DiskCall) => call.name === name && call.path.startsWith("/data/snap"),
    act: (store: LogStore) => store.saveSnapshot(snapshotMeta(2, 1), chunksOf(testBytes(10, 1))),
  })),
  {
    what: "the position of a snapshot",
    fails: (call) => isMeta(call) && call.name === "writeDurably",
    act: (store) => store.saveSnapshot(snapshotMeta(2, 1), chunksOf(testBytes(10, 1))),
  },
  {
    what: "the name of an installed snapshot",
    fails: (call) => call.name === "rename" && call.path.startsWith("/data/snap"),
    act: async (store) => {
      await store.receiveSnapshot(snapshotMeta(9, 1), chunksOf(testBytes(10, 1)));
      await store.installSnapshot(snapshotMeta(9, 1), null);
    },
  },
  {
    what: "the directory after a compaction",
    fails: (call) => call.name === "syncDirectory" && call.path === "/data/wal",
    act: async (store) => {
      await store.receiveSnapshot(snapshotMeta(9, 1), chunksOf(testBytes(10, 1)));
      await store.installSnapshot(snapshotMeta(9, 1), null);
    },
  },
];

describe("a disk that fails once", () => {
  test.each(cases)("with $what is not written to by the store again", async ({ fails, act }) => {
    const store = await openTestStore(disk, { clock });
    for (const index of [1, 2, 3]) await append(store, index);
    await quiet();
    let failed = false;
    const written: string[] = [];
    disk.before = (call) => {
      if (!failed && fails(call)) {
        failed = true;
        throw new DiskError("io", call.path, `${call.name} failed`);
      }
      if (failed && call.name === "writeDurably") written.push(call.path);
    };
    await act(store).catch(() => {});
    await quiet();
    expect(failed).toBe(true);
    const codes = [await codeOf(append(store, 20)), await codeOf(store.append({ hardState: hardState(7, 1), entries: [] }))];
    codes.push(await codeOf(store.saveSnapshot(snapshotMeta(3, 1), chunksOf(testBytes(10, 1)))), await codeOf(store.endRepair()));
    expect(codes).toEqual(Array.from({ length: 4 }, () => "ERR_STORAGE_FAILED"));
    clock.advance(1_000);
    await quiet();
    await store.close();
    expect(written).toEqual([]);
    expect(disk.openFiles).toBe(0);
    disk.before = () => {};
    const again = await openTestStore(disk, { seed: 2 });
    expect(again.recovered.lost).toBeNull();
    const { snapshot, entries } = again.recovered;
    expect(entries.at(-1)?.index ?? snapshot?.index).toBeGreaterThanOrEqual(3);
    await again.close();
  });

  test("after an install makes the install fail, because whoever began a log may open it again at once", async () => {
    const store = await openTestStore(disk, { clock });
    await append(store, 1);
    await store.receiveSnapshot(snapshotMeta(9, 1), chunksOf(testBytes(10, 1)));
    let removed = false;
    disk.before = ({ name, path }) => {
      if (name === "remove") removed = true;
      if (removed && name === "syncDirectory") throw new DiskError("io", path, "the sync failed");
    };
    expect(await codeOf(store.installSnapshot(snapshotMeta(9, 1), null))).toBe("ERR_STORAGE_FAILED");
    await store.close();
  });

  test("with the end of a repair leaves the member under repair, and is not written to again", async () => {
    const { disk: damaged } = await makeSoundDirectory({ lastIndex: 3 });
    spoil(damaged, damaged.files("/data/wal")[0] ?? "", FRAMES_OFFSET);
    const store = await openTestStore(damaged, { clock, seed: 2 });
    expect(store.recovered.lost).not.toBeNull();
    damaged.before = (call) => {
      if (isMeta(call) && call.name === "writeDurably") throw new DiskError("io", call.path, "bad sector");
    };
    expect(await codeOf(store.endRepair())).toBe("ERR_STORAGE_FAILED");
    damaged.before = () => {};
    const { writeDurably } = damaged.counts;
    expect(await codeOf(append(store, 1, 2))).toBe("ERR_STORAGE_FAILED");
    expect(await codeOf(store.endRepair())).toBe("ERR_STORAGE_FAILED");
    await store.close();
    expect(damaged.counts.writeDurably).toBe(writeDurably);
    const again = await openTestStore(damaged, { seed: 3 });
    expect(again.recovered.lost).not.toBeNull();
    await again.close();
  });

  test("while nothing waits tells the next call what it was", async () => {
    const store = await openTestStore(disk, { clock });
    await append(store, 1);
    await quiet();
    disk.before = ({ name, path }) => {
      if (name === "writeDurably") throw new DiskError("no-space", path, "no space");
    };
    clock.advance(20);
    await quiet();
    expect(await codeOf(append(store, 2))).toBe("ERR_DISK_FULL");
    expect(await codeOf(append(store, 2))).toBe("ERR_STORAGE_FAILED");
    await store.close();
  });
});

test("a seal that fails while the store is closed is written down, for nobody waits for it", async () => {
  const logger = new LineLogger();
  const store = await openTestStore(disk, { clock, logger });
  await append(store, 1);
  disk.before = (call) => {
    if (isLog(call) && call.name === "writeDurably") throw new DiskError("io", call.path, "no such luck");
  };
  await store.close();
  expect(logger.at("error")).toEqual(["the disk failed while the log was closed"]);
  disk.before = () => {};
  const again = await openTestStore(disk, { clock });
  expect(again.recovered.entries).toHaveLength(1);
  await again.close();
});
