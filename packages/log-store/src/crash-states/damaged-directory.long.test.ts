import { describe, expect, test } from "vitest";
import { damageCases } from "../testing/damage-cases.ts";
import { makeSoundDirectory } from "../testing/damaged-directory.ts";
import { hardState, SeededRandom } from "../testing/fixture.ts";
import { countCalls, runUntilCrash } from "./crash-run.ts";
import { CRASH_TIMEOUT_MS, CrashTally } from "./crash-tally.ts";
import type { Model } from "./model.ts";
import { repairOf } from "./scenario.ts";

describe("a power loss at any call to the disk while a damaged member comes back", { timeout: CRASH_TIMEOUT_MS }, () => {
  test("changes nothing about what is left and what is lost, and loses nothing of what comes after", async () => {
    const tally = new CrashTally();
    for (const { made, damage, snapshotIndex, lastIndex, lostFrom } of damageCases) {
      const { disk: damaged, entries } = await makeSoundDirectory(made);
      damage(damaged);
      const start: Model = { term: 2, vote: 3, snapshotIndex, entries: entries.slice(0, lastIndex), lostFrom };
      const steps = repairOf(entries.slice((lostFrom ?? lastIndex + 1) - 1), hardState(2, 3, entries.length));
      const calls = await countCalls(damaged.afterKill(), start, steps);
      for (let call = 1; call <= calls + 1; call++) {
        const disk = damaged.afterKill();
        disk.crashAtCall(call);
        const crash = await runUntilCrash(disk, start, steps);
        const lefts = await tally.tryCrash(disk, crash, { random: new SeededRandom(call), exhaustiveMax: 9, samples: 400 });
        const first = lefts[0];
        if (first !== undefined && crash.step === "salvage") await tally.tryRecovery(first, crash, { exhaustiveMax: 4, samples: 10 });
      }
    }
    const { states, outcomes, lossCount, losses, statesOf } = tally;
    console.info(`power loss in repairs: ${JSON.stringify({ cases: damageCases.length, outcomes, states, lossCount, statesOf })}`);
    expect(losses).toEqual([]);
    expect(states).toBeGreaterThan(10_000);
  });
});
