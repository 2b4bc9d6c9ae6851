import { describe, expect, test } from "vitest";
import { PAGE_BYTES } from "./format.ts";
import { damageCases, segmentPath } from "./testing/damage-cases.ts";
import { firstMissing, makeSoundDirectory, spoil } from "./testing/damaged-directory.ts";
import { hardState, openTestStore, testEntry } from "./testing/fixture.ts";
import { MemoryDisk } from "./testing/memory-disk.ts";

const STARTS = 50;

/** One start without writes; every third one is killed, so that no seal proves what it wrote. */
async function restart(disk: MemoryDisk, seed: number): Promise<MemoryDisk> {
  const store = await openTestStore(disk, { seed });
  if (seed % 3 !== 0) await store.close();
  return disk.afterKill();
}

describe("fifty starts without writes", () => {
  test("leave one segment of a store that never held anything", async () => {
    let disk = new MemoryDisk();
    for (let seed = 1; seed <= STARTS; seed++) disk = await restart(disk, seed);
    expect(disk.files("/data/wal").length).toBeLessThanOrEqual(1);
  });

  test.each(damageCases)(
    "leave one segment more than the first of them, and the same log: $what",
    async ({ made, damage, lastIndex, lostFrom }) => {
      const { disk: sound, entries } = await makeSoundDirectory(made);
      damage(sound);
      let disk = await restart(sound, 2);
      const segments = disk.files("/data/wal").length;
      const aside = disk.files("/data/damaged");
      for (let seed = 3; seed < 2 + STARTS; seed++) disk = await restart(disk, seed);
      expect(disk.files("/data/wal").length).toBeLessThanOrEqual(segments + 1);
      expect(disk.files("/data/damaged")).toEqual(aside);
      const store = await openTestStore(disk, { seed: 99 });
      expect(store.recovered.lost?.from ?? null).toBe(lostFrom);
      expect(firstMissing(store, entries)).toBe(lastIndex + 1);
      await store.close();
    },
  );

  test("leave three segments at most of a log of two that is damaged", async () => {
    let { disk } = await makeSoundDirectory({ lastIndex: 8 });
    spoil(disk, segmentPath(disk, 1), 3 * PAGE_BYTES + 100);
    for (let seed = 2; seed < 2 + STARTS; seed++) disk = await restart(disk, seed);
    expect(disk.files("/data/wal").length).toBeLessThanOrEqual(3);
  });

  test("of which one was cut short at any call leave no more, and the log can be gone on with", async () => {
    const { disk: sound, entries } = await makeSoundDirectory({ lastIndex: 3 });
    const before = sound.files("/data/wal").length;
    for (let call = 1; ; call++) {
      let disk = sound.afterKill();
      for (let seed = 2; seed <= 5; seed++) disk = await restart(disk, seed);
      disk.crashAtCall(call);
      const cut = await openTestStore(disk, { seed: 6 }).catch(() => null);
      await cut?.close().catch(() => {});
      const isOver = !disk.crashed;
      disk = disk.afterPowerLoss(() => call % 2 === 0);
      for (let seed = 7; seed <= 9; seed++) disk = await restart(disk, seed);
      expect(disk.files("/data/wal").length).toBeLessThanOrEqual(before + 1);
      const store = await openTestStore(disk, { seed: 10 });
      expect(store.recovered.lost).toBeNull();
      await store.append({ hardState: hardState(2, 3), entries: [testEntry(4, 2)] });
      await store.close();
      const again = await openTestStore(disk, { seed: 11 });
      expect(firstMissing(again, [...entries, testEntry(4, 2)])).toBe(5);
      await again.close();
      if (isOver) break;
    }
  });
});
