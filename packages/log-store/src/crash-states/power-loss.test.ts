import { describe, expect, test } from "vitest";
import { SeededRandom } from "../testing/fixture.ts";
import { MemoryDisk } from "../testing/memory-disk.ts";
import { crashesOf } from "./crash-run.ts";
import { CRASH_TIMEOUT_MS, CrashTally } from "./crash-tally.ts";

/** A small part of what power-loss.long.test.ts tries, and that these tests can fail. */
describe("a power loss at any call to the disk", { timeout: CRASH_TIMEOUT_MS }, () => {
  test("loses nothing that was acknowledged, in a sample of what may survive", async () => {
    const tally = new CrashTally();
    for await (const { disk, crash, call } of crashesOf(() => new MemoryDisk())) {
      await tally.tryCrash(disk, crash, { random: new SeededRandom(call), exhaustiveMax: 6, samples: 60 });
    }
    const { states, lossCount, losses } = tally;
    console.info(`power loss, sampled: ${JSON.stringify({ states, lossCount })}`);
    expect(losses).toEqual([]);
    expect(states).toBeGreaterThan(1_000);
  });

  test("is noticed by this test if the disk breaks the promise of its syncs", async () => {
    const makeDisk = (): MemoryDisk => {
      const disk = new MemoryDisk();
      disk.ignoresSyncs = true;
      return disk;
    };
    const tally = new CrashTally();
    for await (const { disk, crash, call } of crashesOf(makeDisk)) {
      await tally.tryCrash(disk, crash, { random: new SeededRandom(call), exhaustiveMax: 2, samples: 4 });
    }
    const { states, lossCount } = tally;
    console.info(`power loss on a disk that ignores syncs: ${JSON.stringify({ states, lossCount })}`);
    expect(lossCount).toBeGreaterThan(states / 4);
  });
});
