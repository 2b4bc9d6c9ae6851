import { describe, expect, test } from "vitest";
import { SeededRandom } from "../testing/fixture.ts";
import { MemoryDisk } from "../testing/memory-disk.ts";
import { crashesOf } from "./crash-run.ts";
import { CRASH_TIMEOUT_MS, CrashTally } from "./crash-tally.ts";
import { wholeLife } from "./scenario.ts";

describe("a power loss at any call to the disk", { timeout: CRASH_TIMEOUT_MS }, () => {
  test("loses nothing that was acknowledged, whichever sectors and names survive", async () => {
    const tally = new CrashTally();
    for await (const { disk, crash, call } of crashesOf(() => new MemoryDisk())) {
      await tally.tryCrash(disk, crash, { random: new SeededRandom(call), exhaustiveMax: 13, samples: 14_000 });
    }
    const { states, outcomes, lossCount, losses, statesOf } = tally;
    console.info(`power loss: ${JSON.stringify({ outcomes, states, lossCount, statesOf })}`);
    expect(losses).toEqual([]);
    expect(Object.keys(statesOf)).toEqual(wholeLife.map(({ name }) => name));
    expect(states).toBeGreaterThanOrEqual(100_000);
  });

  test("may be followed by another one at any call of the recovery", async () => {
    const tally = new CrashTally();
    let first = 0;
    for await (const { disk, crash, call } of crashesOf(() => new MemoryDisk())) {
      const lefts = await tally.tryCrash(disk, crash, { random: new SeededRandom(call), exhaustiveMax: 3, samples: 8 });
      first += lefts.length;
      for (const left of lefts) await tally.tryRecovery(left, crash, { exhaustiveMax: 5, samples: 16 });
    }
    const { states, outcomes, lossCount, losses } = tally;
    console.info(`power loss in the recovery: ${JSON.stringify({ first, outcomes, states, lossCount })}`);
    expect(losses).toEqual([]);
    expect(states).toBeGreaterThan(20_000);
  });
});
