import { DiskError, type LogStore } from "@raftkv/raft-node";
import { beforeEach, describe, expect, test } from "vitest";
import { readIdentity } from "./directory-identity.ts";
import { LogStoreError } from "./log-store-error.ts";
import {
  chunksOf,
  hardState,
  LineLogger,
  openTestStore,
  readSnapshotBytes,
  snapshotMeta,
  testBytes,
  testEntries,
  testEntry,
  testIdentity,
} from "./testing/fixture.ts";
import { MemoryDisk } from "./testing/memory-disk.ts";

let disk = new MemoryDisk();

beforeEach(() => {
  disk = new MemoryDisk();
});

/** Holds everything that is to be durable back until `open` is called. */
function holdSyncs(): { readonly open: () => void } {
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  disk.before = ({ name }) => (name === "sync" || name === "writeDurably" ? gate : undefined);
  return {
    open: () => {
      disk.before = () => {};
      open();
    },
  };
}

function quiet(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => "resolved",
    (reason: unknown) => (reason instanceof LogStoreError ? reason.code : reason),
  );
}

describe("writing", () => {
  test("has handed the entries to the disk when `append` returns, so that the disk works while others do", async () => {
    const store = await openTestStore(disk, { segmentBytes: 1024 * 1024, firstSegmentBytes: 1024 * 1024 });
    await store.append({ hardState: hardState(1), entries: testEntries(1, 1, 1) });
    await quiet();
    const calls: string[] = [];
    disk.before = ({ name }) => void calls.push(name);
    const appended = store.append({ hardState: null, entries: testEntries(2, 2, 1) });
    expect(calls).toEqual(["writeDurably"]);
    await appended;
  });

  test("makes one batch of what waits while another is under way", async () => {
    const store = await openTestStore(disk, { segmentBytes: 1024 * 1024, firstSegmentBytes: 1024 * 1024 });
    await store.append({ hardState: hardState(1), entries: testEntries(1, 1, 1) });
    await quiet();
    const gate = holdSyncs();
    const first = store.append({ hardState: null, entries: testEntries(2, 2, 1) });
    await quiet();
    const before = { ...disk.counts };
    const waiting = Array.from({ length: 50 }, (_, at) => store.append({ hardState: null, entries: testEntries(3 + at, 3 + at, 1) }));
    gate.open();
    await Promise.all([first, ...waiting]);
    // The first had begun and is not counted; the fifty are one call, which syncs by itself.
    expect(disk.counts.writeDurably - before.writeDurably).toBe(1);
    expect([disk.counts.write - before.write, disk.counts.sync - before.sync]).toEqual([0, 0]);
    await store.close();
    expect((await openTestStore(disk)).recovered.entries.at(-1)?.index).toBe(52);
  });

  test("has no second batch on its way before the first is durable", async () => {
    const store = await openTestStore(disk);
    await store.append({ hardState: hardState(1), entries: testEntries(1, 1, 1) });
    await quiet();
    const gate = holdSyncs();
    const calls = [testEntry(2, 1), testEntry(3, 1)].map((entry) => store.append({ hardState: null, entries: [entry] }));
    for (let turn = 0; turn < 20; turn++) await quiet();
    const { writeDurably } = disk.counts;
    const settled = await Promise.race([Promise.any(calls).then(() => "settled"), quiet().then(() => "waiting")]);
    expect(settled).toBe("waiting");
    gate.open();
    await Promise.all(calls);
    expect(disk.counts.writeDurably).toBe(writeDurably + 1);
    await store.close();
  });

  test("writes the meta file only for a new term or vote, and writes no log for a vote or a commit index", async () => {
    const store = await openTestStore(disk);
    const before = { ...disk.counts };
    const done = (): readonly number[] => [disk.counts.write - before.write, disk.counts.writeDurably - before.writeDurably];
    await store.append({ hardState: hardState(1, 2, 0), entries: [] });
    expect(done()).toEqual([0, 1]);
    await store.append({ hardState: hardState(1, 2, 0), entries: [] });
    expect(done()).toEqual([0, 1]);
    await store.append({ hardState: hardState(1, 2, 0), entries: testEntries(1, 1, 1) });
    await store.append({ hardState: hardState(1, 2, 1), entries: [] });
    await quiet();
    await store.close();
    const again = await openTestStore(disk);
    expect(again.recovered.hardState).toMatchObject({ term: 1, vote: 2 });
    await again.close();
  });

  test("splits what waits into batches of at most batchBytesMax, but never an append", async () => {
    const store = await openTestStore(disk, { batchBytesMax: 3_000, segmentBytes: 1024 * 1024, firstSegmentBytes: 1024 * 1024 });
    await store.append({ hardState: hardState(1), entries: testEntries(1, 1, 1) });
    await quiet();
    const { writeDurably } = disk.counts;
    await Promise.all([
      store.append({ hardState: null, entries: testEntries(2, 2, 1, 8_000) }),
      store.append({ hardState: null, entries: testEntries(3, 3, 1, 1_200) }),
      store.append({ hardState: null, entries: testEntries(4, 4, 1, 1_200) }),
      store.append({ hardState: null, entries: testEntries(5, 5, 1, 1_200) }),
    ]);
    expect(disk.counts.writeDurably - writeDurably).toBe(3);
    await store.close();
    expect((await openTestStore(disk)).recovered.entries.map(({ data }) => data.length)).toEqual([40, 8_000, 1_200, 1_200, 1_200]);
  });

  test("takes entries up to 16 MiB and fails on a larger one", async () => {
    const store = await openTestStore(disk);
    const largest = { ...testEntry(1, 1), data: new Uint8Array(16 * 1024 * 1024).fill(5) };
    await store.append({ hardState: hardState(1), entries: [largest] });
    await expect(
      store.append({ hardState: null, entries: [{ ...testEntry(2, 1), data: new Uint8Array(16 * 1024 * 1024 + 1) }] }),
    ).rejects.toThrow("16 MiB");
    await store.close();
    const again = await openTestStore(disk);
    expect(again.recovered.entries.map(({ data }) => data.length)).toEqual([16 * 1024 * 1024]);
    await again.close();
  });

  test("fails rather than let more than queueBytesMax wait", async () => {
    const store = await openTestStore(disk, { queueBytesMax: 10_000 });
    const gate = holdSyncs();
    const calls = Array.from({ length: 20 }, (_, at) =>
      codeOf(store.append({ hardState: hardState(1), entries: testEntries(1 + at, 1 + at, 1, 1_000) })),
    );
    gate.open();
    const codes = await Promise.all(calls);
    expect(codes.slice(1, 10)).toContain("ERR_QUEUE_FULL");
    expect(codes.at(-1)).toBe("ERR_STORAGE_FAILED");
    await store.close();
  });

  test.each([
    ["a gap", { hardState: null, entries: testEntries(4, 4, 1) }],
    ["an entry that is committed", { hardState: null, entries: testEntries(1, 1, 1) }],
    ["a term that the hard state does not know", { hardState: null, entries: testEntries(3, 3, 2) }],
    ["a term that goes back", { hardState: hardState(0), entries: [] }],
  ])("refuses %s and everything after it", async (_, batch) => {
    const store = await openTestStore(disk);
    await store.append({ hardState: hardState(1, 1, 1), entries: testEntries(1, 2, 1) });
    await expect(store.append(batch)).rejects.toThrow("Assertion failed");
    await expect(store.append({ hardState: null, entries: testEntries(3, 3, 1) })).rejects.toMatchObject({ code: "ERR_STORAGE_FAILED" });
    await store.close();
    const again = await openTestStore(disk);
    expect(again.recovered.entries).toEqual(testEntries(1, 2, 1));
    await again.close();
  });
});

describe("a disk that fails", () => {
  const appends = 16;

  /** Appends, votes and rotates until something rejects. */
  async function work(store: LogStore): Promise<{ readonly acknowledged: number; readonly codes: readonly unknown[] }> {
    const codes: unknown[] = [];
    let acknowledged = 0;
    for (let index = 1; index <= appends; index++) {
      const code = await codeOf(
        store.append({ hardState: hardState(1 + (index >> 2), 1), entries: testEntries(index, index, 1 + (index >> 2), 1_000) }),
      );
      if (code === "resolved") acknowledged = index;
      else codes.push(code);
    }
    return { acknowledged, codes };
  }

  async function failAt(
    number: number,
    error: DiskError["code"],
  ): Promise<{ readonly acknowledged: number; readonly codes: readonly unknown[] }> {
    const store = await openTestStore(disk);
    const opened = disk.callCount;
    // One call fails, those after it would succeed again.
    disk.before = (call) => {
      if (call.number === opened + number && ["write", "sync", "writeDurably", "rename", "syncDirectory", "open"].includes(call.name))
        throw new DiskError(error, call.path, `${call.name} failed`);
    };
    const result = await work(store);
    await store.close();
    disk.before = () => {};
    return result;
  }

  test("once is not trusted again: nothing is acknowledged after it, and nothing that was is lost", async () => {
    let failures = 0;
    for (let number = 1; number <= 90; number++) {
      disk = new MemoryDisk();
      const { acknowledged, codes } = await failAt(number, "io");
      if (codes.length > 0) failures += 1;
      expect(codes).toEqual(Array.from({ length: appends - acknowledged }, () => "ERR_STORAGE_FAILED"));
      const again = await openTestStore(disk, { seed: 3 });
      expect(again.recovered.entries.at(-1)?.index ?? 0).toBeGreaterThanOrEqual(acknowledged);
      await again.close();
      expect(disk.openFiles).toBe(0);
    }
    expect(failures).toBeGreaterThan(40);
  });

  test("for lack of space says so, once, and in the end leaves a log that opens", async () => {
    const seen = new Set<unknown>();
    for (let number = 1; number <= 90; number++) {
      disk = new MemoryDisk();
      const { acknowledged, codes } = await failAt(number, "no-space");
      for (const code of codes) seen.add(code);
      expect(codes).toEqual(Array.from({ length: appends - acknowledged }, (_, at) => (at === 0 ? "ERR_DISK_FULL" : "ERR_STORAGE_FAILED")));
      const again = await openTestStore(disk, { seed: 3 });
      expect(again.recovered.entries.at(-1)?.index ?? 0).toBeGreaterThanOrEqual(acknowledged);
      await again.close();
    }
    expect(seen).toEqual(new Set(["ERR_DISK_FULL", "ERR_STORAGE_FAILED"]));
  });

  test("has only the snapshot fail if there is no space for it", async () => {
    const store = await openTestStore(disk);
    await store.append({ hardState: hardState(1, 1, 2), entries: testEntries(1, 2, 1) });
    await quiet();
    disk.before = ({ name, path }) => {
      if (name === "write" && path.includes("/snap/")) throw new DiskError("no-space", path, "no space");
    };
    expect(await codeOf(store.saveSnapshot(snapshotMeta(1, 1), chunksOf(testBytes(10, 1))))).toBe("ERR_DISK_FULL");
    expect(await codeOf(store.receiveSnapshot(snapshotMeta(9, 1), chunksOf(testBytes(10, 1))))).toBe("ERR_DISK_FULL");
    expect(disk.files("/data/snap")).toEqual([]);
    disk.before = () => {};
    await store.append({ hardState: null, entries: testEntries(3, 3, 1) });
    await store.saveSnapshot(snapshotMeta(2, 1), chunksOf(testBytes(10, 1)));
    expect(await readSnapshotBytes(store)).toEqual(testBytes(10, 1));
    await store.close();
  });

  test("is not trusted any more if it can't read a snapshot back", async () => {
    const store = await openTestStore(disk);
    await store.append({ hardState: hardState(1, 1, 1), entries: testEntries(1, 1, 1) });
    disk.before = ({ name, path }) => {
      if (name === "read" && path.includes("/snap/")) throw new DiskError("io", path, "bad sector");
    };
    expect(await codeOf(store.saveSnapshot(snapshotMeta(1, 1), chunksOf(testBytes(10, 1))))).toBe("ERR_STORAGE_FAILED");
    expect(await codeOf(store.append({ hardState: null, entries: testEntries(2, 2, 1) }))).toBe("ERR_STORAGE_FAILED");
    await store.close();
  });
});

describe("a data directory", () => {
  test("is made with what is missing above it", async () => {
    const store = await openTestStore(disk, { directory: "/var/lib/member" });
    await store.close();
    const left = disk.afterPowerLoss(() => false);
    expect(await readIdentity(left, "/var/lib/member")).toEqual(testIdentity);
  });

  test("tells whose it is, also while it is in use, and nothing if it is new", async () => {
    await disk.makeDirectory("/data");
    expect(await readIdentity(disk, "/data")).toBeNull();
    expect(await readIdentity(disk, "/elsewhere")).toBeNull();
    const store = await openTestStore(disk);
    expect(await readIdentity(disk, "/data")).toEqual(testIdentity);
    await store.close();
  });

  test("keeps the store id it was made with, and another directory gets another one", async () => {
    const made = await openTestStore(disk, { seed: 1 });
    expect(made.storeId).not.toBe(0n);
    await made.append({ hardState: hardState(3, 2), entries: testEntries(1, 1, 3) });
    await made.close();
    const again = await openTestStore(disk, { seed: 2 });
    expect(again.storeId).toBe(made.storeId);
    await again.close();
    const other = await openTestStore(new MemoryDisk(), { seed: 2 });
    expect(other.storeId).not.toBe(made.storeId);
    await other.close();
  });

  test("is opened by one at a time", async () => {
    const store = await openTestStore(disk);
    const reason: unknown = await openTestStore(disk).catch((error: unknown) => error);
    expect(reason).toMatchObject({ code: "ERR_DATA_DIR_LOCKED" });
    expect(String(reason)).toContain("/data");
    await store.close();
    await (await openTestStore(disk)).close();
  });

  test.each([{ clusterId: 1n }, { memberId: 1n }])("of another member is refused", async (other) => {
    await (await openTestStore(disk)).close();
    const before = disk.files();
    expect(await codeOf(openTestStore(disk, { identity: { ...testIdentity, ...other } }))).toBe("ERR_IDENTITY");
    expect(disk.files()).toEqual(before);
    await (await openTestStore(disk)).close();
  });

  test("with a segment or a snapshot of another member is refused", async () => {
    const other = new MemoryDisk();
    const stranger = await openTestStore(other, { identity: { clusterId: 5n, memberId: 6n } });
    await stranger.append({ hardState: hardState(1, 1, 1), entries: testEntries(1, 1, 1) });
    await stranger.saveSnapshot(snapshotMeta(1, 1), chunksOf(testBytes(10, 1)));
    await stranger.close();
    const store = await openTestStore(disk);
    await store.append({ hardState: hardState(1, 1, 1), entries: testEntries(1, 1, 1) });
    await store.saveSnapshot(snapshotMeta(1, 1), chunksOf(testBytes(10, 1)));
    await store.close();
    for (const path of [other.files("/data/snap")[0] ?? "", other.files("/data/wal")[0] ?? ""]) {
      const own = disk.peek(path);
      disk.poke(path, other.peek(path));
      expect(await codeOf(openTestStore(disk))).toBe("ERR_FOREIGN_FILE");
      disk.poke(path, own);
    }
    await (await openTestStore(disk)).close();
  });

  test("is freed of what a crash left behind", async () => {
    await (await openTestStore(disk)).close();
    for (const name of ["meta.tmp", "wal/prep-1.tmp", "snap/recv-1.tmp", "snap/0000000000000009-0000000000000001.snap"]) {
      disk.poke(`/data/${name}`, new Uint8Array(5));
    }
    disk.poke("/data/wal/notes.txt", new Uint8Array(5));
    await (await openTestStore(disk)).close();
    const names = disk.files("/data").filter((path) => !/\/wal\/[0-9a-f]{16}\.wal$/.test(path));
    expect(names).toEqual(["/data/meta", "/data/wal/notes.txt"]);
  });

  test("gives the entries above its snapshot and some in front of it, until they are released", async () => {
    const store = await openTestStore(disk);
    await store.append({ hardState: hardState(1, 1, 5_900), entries: testEntries(1, 6_000, 1) });
    await store.saveSnapshot(snapshotMeta(5_900, 1), chunksOf(testBytes(10, 1)));
    await store.close();
    const again = await openTestStore(disk);
    expect([again.recovered.entries[0]?.index, again.recovered.entries.at(-1)?.index]).toEqual([4_901, 6_000]);
    again.releaseRecovered();
    expect(again.recovered).toMatchObject({ entries: [], snapshot: { index: 5_900 }, hardState: { term: 1, commit: 5_900 } });
    await again.append({ hardState: null, entries: testEntries(6_001, 6_001, 1) });
    await again.close();
  });

  test("does not grow with the number of starts", async () => {
    for (let start = 1; start <= 12; start++) {
      const store = await openTestStore(disk, { seed: start });
      await store.append({ hardState: hardState(start), entries: testEntries(start, start, start) });
      await store.saveSnapshot(snapshotMeta(start, start), chunksOf(testBytes(10, start)));
      await store.compact(start);
      await store.close();
    }
    expect(disk.files("/data/snap")).toHaveLength(2);
    expect(disk.files("/data/wal").length).toBeLessThanOrEqual(5);
  });

  test("loses its old segments by compaction while the store runs", async () => {
    const store = await openTestStore(disk);
    for (let index = 1; index <= 40; index++)
      await store.append({ hardState: hardState(1, 1, index), entries: testEntries(index, index, 1) });
    const before = disk.files("/data/wal").length;
    // The log goes back to the older one of two snapshots.
    await store.saveSnapshot(snapshotMeta(38, 1), chunksOf(testBytes(10, 1)));
    await store.compact(38);
    expect(disk.files("/data/wal").length).toBeGreaterThanOrEqual(before);
    await store.saveSnapshot(snapshotMeta(39, 1), chunksOf(testBytes(10, 1)));
    await store.compact(39);
    await quiet();
    expect(before).toBeGreaterThanOrEqual(10);
    expect(disk.files("/data/wal").length).toBeLessThanOrEqual(4);
    await expect(store.compact(40)).rejects.toThrow("Assertion failed");
    await store.close();
  });

  test("reports what it found", async () => {
    const store = await openTestStore(disk);
    await store.append({ hardState: hardState(1), entries: testEntries(1, 3, 1) });
    const killed = disk.afterKill();
    await store.close();
    for (const [left, rewrittenRecords] of [[killed, 3] as const, [disk, 0] as const]) {
      const logger = new LineLogger();
      await (await openTestStore(left, { logger })).close();
      expect(logger.lines).toContainEqual({
        level: "info",
        message: "log read",
        fields: expect.objectContaining({ firstIndex: 1, lastIndex: 3, rewrittenRecords }),
      });
    }
  });

  test.each([{ segmentBytes: 1_000 }, { segmentBytes: 16_384 }, { firstSegmentBytes: 32_768.5 }])(
    "takes only sizes of whole pages",
    async (sizes) => {
      await expect(openTestStore(disk, sizes)).rejects.toThrow(RangeError);
      expect(disk.files()).toEqual([]);
    },
  );
});

describe("snapshots", () => {
  test.each([
    [3, 1],
    [2, 2],
  ])("of the own state at index %i and term %i, where the log has none, stop the store", async (index, term) => {
    const store = await openTestStore(disk);
    await store.append({ hardState: hardState(2), entries: testEntries(1, 2, 1) });
    await expect(store.saveSnapshot(snapshotMeta(index, term), chunksOf(testBytes(10, 1)))).rejects.toThrow("Assertion failed");
    await store.close();
    const again = await openTestStore(disk);
    expect(again.recovered).toMatchObject({ snapshot: null, entries: testEntries(1, 2, 1) });
    await again.close();
  });

  test("of a term that the hard state does not know are not installed", async () => {
    const store = await openTestStore(disk);
    await store.receiveSnapshot(snapshotMeta(9, 3), chunksOf(testBytes(10, 9)));
    await expect(store.installSnapshot(snapshotMeta(9, 3), hardState(2, 0, 9))).rejects.toThrow("Assertion failed");
    await store.close();
    const again = await openTestStore(disk);
    expect(again.recovered.snapshot).toBeNull();
    await again.close();
  });

  test("that are older than the one in force are not put in force", async () => {
    const store = await openTestStore(disk);
    await store.append({ hardState: hardState(1, 1, 3), entries: testEntries(1, 3, 1) });
    await store.receiveSnapshot(snapshotMeta(9, 1), chunksOf(testBytes(10, 9)));
    await Promise.all([
      store.saveSnapshot(snapshotMeta(3, 1), chunksOf(testBytes(10, 3))),
      store.installSnapshot(snapshotMeta(9, 1), hardState(1, 1, 9)),
    ]);
    expect(await readSnapshotBytes(store)).toEqual(testBytes(10, 9));
    await store.saveSnapshot(snapshotMeta(3, 1), chunksOf(testBytes(10, 3)));
    expect(await readSnapshotBytes(store)).toEqual(testBytes(10, 9));
    expect(disk.files("/data/snap")).toHaveLength(1);
    await store.receiveSnapshot(snapshotMeta(8, 1), chunksOf(testBytes(10, 8)));
    expect(await codeOf(store.installSnapshot(snapshotMeta(8, 1), null))).toBe("ERR_SNAPSHOT");
    await store.close();
    const again = await openTestStore(disk);
    expect(again.recovered.snapshot).toEqual(snapshotMeta(9, 1));
    await again.close();
  });

  test("of one index may be saved twice at once", async () => {
    const store = await openTestStore(disk);
    await store.append({ hardState: hardState(1, 1, 3), entries: testEntries(1, 3, 1) });
    await Promise.all([1, 2].map(() => store.saveSnapshot(snapshotMeta(2, 1), chunksOf(testBytes(10, 3)))));
    expect(await readSnapshotBytes(store)).toEqual(testBytes(10, 3));
    await store.close();
    await (await openTestStore(disk)).close();
  });

  test("are received four at a time at most, and one may come again", async () => {
    const store = await openTestStore(disk);
    for (const index of [5, 6, 7, 8, 8]) await store.receiveSnapshot(snapshotMeta(index, 1), chunksOf(testBytes(10, index)));
    expect(await codeOf(store.receiveSnapshot(snapshotMeta(9, 1), chunksOf(testBytes(10, 9))))).toBe("ERR_SNAPSHOT");
    expect(disk.files("/data/snap")).toHaveLength(4);
    await store.discardSnapshot(snapshotMeta(5, 1));
    await store.receiveSnapshot(snapshotMeta(9, 1), chunksOf(testBytes(10, 9)));
    await store.close();
  });
});
