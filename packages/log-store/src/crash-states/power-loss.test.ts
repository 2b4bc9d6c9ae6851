import { describe, expect, test } from "vitest";
import { openTestStore, SeededRandom } from "../testing/fixture.ts";
import { MemoryDisk } from "../testing/memory-disk.ts";
import { type Crash, countCalls, runUntilCrash } from "./crash-run.ts";
import { CrashTally } from "./crash-tally.ts";
import { emptyModel } from "./model.ts";
import type { OutcomeOptions } from "./outcomes.ts";
import { wholeLife } from "./scenario.ts";

type Sampling = Omit<OutcomeOptions, "random">;

interface CrashedDisk {
  readonly disk: MemoryDisk;
  readonly crash: Crash;
  readonly call: number;
}

/** A whole life, ended at each call to the disk in turn, and once not at all. */
async function* crashesOf(makeDisk: () => MemoryDisk, every = 1): AsyncGenerator<CrashedDisk> {
  const calls = await countCalls(makeDisk(), emptyModel, wholeLife);
  for (let call = 1; call <= calls + 1; call += every) {
    const disk = makeDisk();
    disk.crashAtCall(call);
    yield { disk, crash: await runUntilCrash(disk, emptyModel, wholeLife), call };
  }
}

/** Ends the recovery of a state at each of its calls to the disk, and opens what that leaves. */
async function crashRecovery(left: MemoryDisk, crash: Crash, tally: CrashTally, sampling: Sampling): Promise<void> {
  for (let call = 1; ; call++) {
    const disk = left.afterKill();
    disk.crashAtCall(call);
    await openTestStore(disk, { seed: call }).catch(() => null);
    if (!disk.crashed) return;
    await tally.tryCrash(disk, crash, { ...sampling, random: new SeededRandom(call) });
  }
}

describe("a power loss at any call to the disk", () => {
  test("loses nothing that was acknowledged, whichever sectors and names survive", async () => {
    const tally = new CrashTally();
    for await (const { disk, crash, call } of crashesOf(() => new MemoryDisk())) {
      await tally.tryCrash(disk, crash, { random: new SeededRandom(call), exhaustiveMax: 13, samples: 2_000 });
    }
    const { states, outcomes, lossCount, losses, statesOf } = tally;
    console.info(`power loss: ${JSON.stringify({ outcomes, states, lossCount, statesOf })}`);
    expect(losses).toEqual([]);
    expect(Object.keys(statesOf)).toEqual(wholeLife.map(({ name }) => name));
    expect(states).toBeGreaterThan(60_000);
  });

  test("may be followed by another one at any call of the recovery", async () => {
    const tally = new CrashTally();
    let first = 0;
    for await (const { disk, crash, call } of crashesOf(() => new MemoryDisk(), 2)) {
      const lefts = await tally.tryCrash(disk, crash, { random: new SeededRandom(call), exhaustiveMax: 2, samples: 5 });
      first += lefts.length;
      for (const left of lefts) await crashRecovery(left, crash, tally, { exhaustiveMax: 4, samples: 10 });
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
