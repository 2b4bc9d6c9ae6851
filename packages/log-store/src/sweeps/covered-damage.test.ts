import { describe, expect, test } from "vitest";
import { chunksOf, hardState, LineLogger, openTestStore, snapshotMeta, testEntries } from "../testing/fixture.ts";
import { MemoryDisk } from "../testing/memory-disk.ts";

describe("a damaged segment that a snapshot covers", () => {
  test("is left out, and what comes after it is served", async () => {
    const disk = new MemoryDisk();
    const store = await openTestStore(disk);
    for (let index = 1; index <= 12; index++)
      await store.append({ hardState: hardState(1, 1, index - 1), entries: testEntries(index, index, 1) });
    await store.saveSnapshot(snapshotMeta(11, 1), chunksOf(new Uint8Array(10).fill(9)));
    await store.close();
    const [first = ""] = disk.files("/data/wal/");
    disk.poke(first, disk.peek(first).fill(1, 12_288, 12_400));
    const lines = new LineLogger();
    const again = await openTestStore(disk, { logger: lines, seed: 5 });
    expect(again.recovered.snapshot?.index).toBe(11);
    expect(again.recovered.entries.at(-1)?.index).toBe(12);
    expect(again.recovered.entries[0]?.index).toBeGreaterThan(1);
    expect(lines.at("warn")).toEqual(["damage was found that cost nothing", "damaged files are out of service"]);
    await again.close();
  });
});
