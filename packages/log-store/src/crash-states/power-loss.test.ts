import { describe, expect, test } from "vitest";
import { SeededRandom } from "../testing/fixture.ts";
import { MemoryDisk } from "../testing/memory-disk.ts";
import { type Crash, countCalls, runUntilCrash } from "./crash-run.ts";
import { CRASH_TIMEOUT_MS, CrashTally } from "./crash-tally.ts";
import { emptyModel } from "./model.ts";
import { wholeLife } from "./scenario.ts";

interface CrashedDisk {
  readonly disk: MemoryDisk;
  readonly crash: Crash;
  readonly call: number;
}

/** A whole life, ended at each call to the disk in turn, and once not at all. */
async function* crashesOf(makeDisk: () => MemoryDisk): AsyncGenerator<CrashedDisk> {
  const calls = await countCalls(makeDisk(), emptyModel, wholeLife);
  for (let call = 1; call <= calls + 1; call++) {
    const disk = makeDisk();
    disk.crashAtCall(call);
    yield { disk, crash: await runUntilCrash(disk, emptyModel, wholeLife), call };
  }
}

describe("a power loss at any call to the disk", { timeout: CRASH_TIMEOUT_MS }, () => {
  test("loses nothing that was acknowledged, whichever sectors and names survive", async () => {
    const tally = new CrashTally();
    for await (const { disk, crash, call } of crashesOf(() => new MemoryDisk())) {
      await tally.tryCrash(disk, crash, { random: new SeededRandom(call), exhaustiveMax: 13, samples: 8_000 });
    }
    const { states, outcomes, lossCount, losses, statesOf } = tally;
    console.info(`power loss: ${JSON.stringify({ outcomes, states, lossCount, statesOf })}`);
    expect(losses).toEqual([]);
    expect(Object.keys(statesOf)).toEqual(wholeLife.map(({ name }) => name));
    expect(states).toBeGreaterThan(70_000);
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
