import { beforeEach, describe, expect, test } from "vitest";
import { chunksOf, hardState, LineLogger, openTestStore, snapshotMeta, testBytes, testEntries, wholeRecovery } from "./testing/fixture.ts";
import { MemoryDisk } from "./testing/memory-disk.ts";

/** Bytes of an entry: two of them fill a batch of two pages. */
const ENTRY_BYTES = 4_000;

let disk: MemoryDisk;

beforeEach(() => {
  disk = new MemoryDisk();
});

/** A snapshot at 4 and a log to 40, of which everything to `commit` is committed. */
async function writeLog(commit: number): Promise<void> {
  const store = await openTestStore(disk);
  for (let first = 1; first < 40; first += 2) {
    await store.append({ hardState: hardState(1, 1, Math.min(first - 1, commit)), entries: testEntries(first, first + 1, 1, ENTRY_BYTES) });
  }
  await store.append({ hardState: hardState(1, 1, commit), entries: [] });
  await store.saveSnapshot(snapshotMeta(4, 1), chunksOf(testBytes(10, 1)));
  await store.close();
}

describe("a log that is larger than what may be in memory", () => {
  test("is given in two parts: what is committed is read when it is asked for", async () => {
    await writeLog(40);
    const store = await openTestStore(disk, { recoveredBytesMax: 60_000 });
    const { replay, entries } = store.recovered;
    const from = entries[0]?.index ?? 0;
    expect(replay?.last).toEqual({ index: from - 1, term: 1 });
    expect(entries.length).toBeGreaterThan(4);
    expect(entries.length * ENTRY_BYTES).toBeLessThan(60_000);
    expect((await wholeRecovery(store)).entries).toEqual(testEntries(5, 40, 1, ENTRY_BYTES));
    expect(disk.openFiles).toBe(2);
    store.releaseRecovered();
    expect(store.recovered).toMatchObject({ replay: null, entries: [], snapshot: { index: 4 } });
    await store.close();
    expect(disk.openFiles).toBe(0);
  });

  test("has in memory what is not committed, wherever it stands", async () => {
    await writeLog(10);
    const store = await openTestStore(disk, { recoveredBytesMax: 0 });
    expect(store.recovered.replay?.last).toEqual({ index: 10, term: 1 });
    expect(store.recovered.entries).toEqual(testEntries(11, 40, 1, ENTRY_BYTES));
    expect((await wholeRecovery(store)).entries[0]?.index).toBe(5);
    await store.close();
  });

  test("has nothing to replay if nothing behind the snapshot is committed", async () => {
    await writeLog(4);
    const store = await openTestStore(disk, { recoveredBytesMax: 0 });
    expect(store.recovered.replay).toBeNull();
    expect(store.recovered.entries).toEqual(testEntries(5, 40, 1, ENTRY_BYTES));
    await store.close();
  });

  test("is in memory as a whole without a snapshot", async () => {
    const first = await openTestStore(disk);
    await first.append({ hardState: hardState(1, 1), entries: testEntries(1, 20, 1, ENTRY_BYTES) });
    await first.append({ hardState: hardState(1, 1, 20), entries: [] });
    await first.close();
    const store = await openTestStore(disk, { recoveredBytesMax: 0 });
    expect(store.recovered).toMatchObject({ replay: null, snapshot: null, hardState: { commit: 20 } });
    expect(store.recovered.entries).toEqual(testEntries(1, 20, 1, ENTRY_BYTES));
    await store.close();
  });

  test("says what it takes on the disk behind the snapshot", async () => {
    await writeLog(40);
    const store = await openTestStore(disk);
    // Entries 5 to 40, two of them in three pages, and a page for commit index and mark; nothing proves the seal, which is written again.
    expect(store.recovered.logBytes / 4_096).toBe(18 * 3 + 1);
    await store.saveSnapshot(snapshotMeta(40, 1), chunksOf(testBytes(10, 1)));
    await store.close();
    const again = await openTestStore(disk);
    expect(again.recovered.logBytes).toBe(0);
    await again.close();
  });

  test("is in memory as a whole if the store may have lost something, or is quarantined", async () => {
    await writeLog(40);
    const store = await openTestStore(disk);
    await store.recordQuarantine({ kind: "storage", description: "a test says so" });
    await store.close();
    const quarantined = await openTestStore(disk, { recoveredBytesMax: 0 });
    expect(quarantined.recovered).toMatchObject({ replay: null, quarantine: { kind: "storage" } });
    expect(quarantined.recovered.entries).toHaveLength(40);
    await quarantined.close();
    disk.lose("/data/quarantine");
    disk.lose(disk.files("/data/wal").at(-1) ?? "");
    const lossy = await openTestStore(disk, { recoveredBytesMax: 0 });
    expect(lossy.recovered.lost).not.toBeNull();
    expect(lossy.recovered.replay).toBeNull();
    expect(lossy.recovered.entries.length).toBeGreaterThan(30);
    await lossy.close();
  });

  test("is not replayed if the disk gives other bytes than when the store was opened", async () => {
    await writeLog(40);
    for (const damage of ["changed", "gone", "cut"] as const) {
      const left = disk.afterKill();
      const store = await openTestStore(left, { recoveredBytesMax: 0, logger: new LineLogger() });
      const path = left.files("/data/wal")[5] ?? "";
      if (damage === "gone") left.lose(path);
      else if (damage === "cut") left.poke(path, left.peek(path).subarray(0, 9_000));
      else left.poke(path, left.peek(path).fill(7, 9_000, 20_000));
      await expect(wholeRecovery(store)).rejects.toMatchObject({
        code: "ERR_STORAGE_FAILED",
        message: expect.stringContaining(path),
        cause: { name: "DiskError" },
      });
      await store.close();
    }
  });
});
