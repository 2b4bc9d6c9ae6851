import { describe, expect, test } from "vitest";
import { hardState, LineLogger, openTestStore, SeededRandom, testEntries } from "../testing/fixture.ts";
import { MemoryDisk } from "../testing/memory-disk.ts";

describe("a torn last batch", () => {
  test("is cut off and reported, whichever of its sectors are there", async () => {
    const disk = new MemoryDisk();
    // A file keeps the path that it was made under.
    let segmentPath = "";
    disk.before = ({ name, path }) => {
      if (name === "open" && path.includes("/wal/prep-") && segmentPath === "") segmentPath = path;
    };
    const store = await openTestStore(disk, { segmentBytes: 64 * 1024, firstSegmentBytes: 64 * 1024 });
    await store.append({ hardState: hardState(1), entries: testEntries(1, 3, 1) });
    // The write is cut short: its sectors are on their way when the power goes.
    disk.before = ({ name, path, number }) => {
      if (path === segmentPath && name === "writeDurably") disk.crashAtCall(number);
    };
    const append = store.append({ hardState: hardState(1, 1, 3), entries: testEntries(4, 30, 1, 300) });
    await expect(append).rejects.toMatchObject({ code: "ERR_STORAGE_FAILED" });
    const counts = { cut: 0, whole: 0, nothing: 0 };
    for (let seed = 0; seed < 600; seed++) {
      const random = new SeededRandom(seed);
      const oddsOf16 = seed % 17;
      const left = disk.afterPowerLoss(() => random.below(16) < oddsOf16);
      const lines = new LineLogger();
      const found = await openTestStore(left, { logger: lines, seed });
      const lastIndex = found.recovered.entries.at(-1)?.index ?? 0;
      expect([3, 30]).toContain(lastIndex);
      const warned = lines.lines.find(({ level }) => level === "warn");
      if (lastIndex === 30) counts.whole += 1;
      else if (warned === undefined) counts.nothing += 1;
      else counts.cut += 1;
      expect(warned?.fields ?? { firstIndex: 4, batchOffset: 16_384 }).toMatchObject({ firstIndex: 4, batchOffset: 16_384 });
      await found.close();
    }
    expect(counts.cut).toBeGreaterThan(400);
    expect(Math.min(counts.whole, counts.nothing)).toBeGreaterThan(0);
  });
});
