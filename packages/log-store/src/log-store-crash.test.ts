import { describe, expect, test } from "vitest";
import { findLoss, type Model, runScenario } from "./testing/crash-scenario.ts";
import { hardState, openTestStore, SeededRandom, testEntry } from "./testing/fixture.ts";
import { MemoryDisk } from "./testing/memory-disk.ts";

/** How many calls the scenario makes when nothing goes wrong. */
async function countCalls(): Promise<number> {
  const disk = new MemoryDisk();
  await runScenario((clock) => openTestStore(disk, { clock, reserveBytes: 8_192 }));
  return disk.callCount;
}

/** Opens what a crash left, and goes on working with it. Returns what is wrong, or null. */
async function checkAfterCrash(disk: MemoryDisk, possible: readonly Model[], seed: number): Promise<string | null> {
  try {
    const store = await openTestStore(disk, { seed });
    const loss = await findLoss(store, possible);
    if (loss !== null) return loss;
    const { snapshot, entries, hardState: found } = store.recovered;
    const next = (entries.at(-1)?.index ?? snapshot?.index ?? 0) + 1;
    await store.append({ hardState: hardState(found.term + 1, 2), entries: [testEntry(next, found.term + 1)] });
    await store.close();
    const again = await openTestStore(disk, { seed: seed + 1 });
    await again.close();
    const last = again.recovered.entries.at(-1);
    if (last?.index !== next || again.recovered.hardState.vote !== 2) return `entry ${next}, written after the crash, is gone`;
    return disk.openFiles === 0 ? null : `${disk.openFiles} files stay open`;
  } catch (reason) {
    return `does not open: ${String(reason)}`;
  }
}

async function crashEverywhere(
  ignoresSyncs: boolean,
  statesPerCall: number,
): Promise<{ readonly states: number; readonly losses: readonly string[] }> {
  const losses: string[] = [];
  let states = 0;
  const calls = await countCalls();
  for (let call = 1; call <= calls + 1; call++) {
    const disk = new MemoryDisk();
    disk.ignoresSyncs = ignoresSyncs;
    disk.crashAtCall(call);
    const possible = await runScenario((clock) => openTestStore(disk, { clock, reserveBytes: 8_192 }));
    for (let state = 0; state < statesPerCall; state++) {
      const random = new SeededRandom(call * 1_000 + state);
      // From nothing but what was synced, over even odds, to everything: a kill without a power loss.
      const oddsOf8 = state === 0 ? 0 : state === 1 ? 8 : 1 + random.below(7);
      const left = disk.afterPowerLoss(() => random.below(8) < oddsOf8);
      states += 1;
      const loss = await checkAfterCrash(left, possible, call * 1_000 + state);
      if (loss !== null) losses.push(`call ${call}, state ${state}: ${loss}`);
    }
  }
  return { states, losses };
}

describe("a power loss at any call to the disk", () => {
  test("loses nothing that was acknowledged, whichever sectors and names survive", async () => {
    const { states, losses } = await crashEverywhere(false, 6);
    expect(losses).toEqual([]);
    expect(states).toBeGreaterThan(1_000);
  });

  test("is noticed by this test if the disk breaks the promise of its syncs", async () => {
    const { losses } = await crashEverywhere(true, 1);
    expect(losses.length).toBeGreaterThan(50);
  });

  test("may be followed by another one at any call of the recovery", async () => {
    const calls = await countCalls();
    const losses: string[] = [];
    let states = 0;
    for (let call = 3; call <= calls; call += 5) {
      const disk = new MemoryDisk();
      disk.crashAtCall(call);
      const possible = await runScenario((clock) => openTestStore(disk, { clock, reserveBytes: 8_192 }));
      const random = new SeededRandom(call);
      const survives = () => random.below(2) === 0;
      const first = disk.afterPowerLoss(survives);
      for (let second = 1; ; second += 3) {
        const recovering = first.afterKill();
        recovering.crashAtCall(second);
        const opened = await openTestStore(recovering, { seed: second }).catch(() => null);
        if (recovering.callCount < second) break;
        await opened?.close().catch(() => {});
        states += 1;
        const loss = await checkAfterCrash(recovering.afterPowerLoss(survives), possible, call * 1_000 + second);
        if (loss !== null) losses.push(`call ${call}, then ${second}: ${loss}`);
      }
    }
    expect(losses).toEqual([]);
    expect(states).toBeGreaterThan(300);
  });
});
