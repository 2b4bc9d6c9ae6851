import { hardState, openTestStore, SeededRandom, testEntry, wholeRecovery } from "../testing/fixture.ts";
import type { MemoryDisk } from "../testing/memory-disk.ts";
import type { Crash } from "./crash-run.ts";
import { findLoss, type Model } from "./model.ts";
import { contentOf, type OutcomeOptions, outcomesOf } from "./outcomes.ts";

/** For a test; the longest takes a minute where nothing else runs. */
export const CRASH_TIMEOUT_MS = 600_000;
/** Failures that are kept for the report. */
const LOSSES_MAX = 20;
/** One state of so many is also worked with after it was opened. */
const CONTINUED_EVERY = 16;

/** Opens what crashes leave, and counts. */
export class CrashTally {
  /** Different states that were opened, by the step in which the crash fell. */
  readonly statesOf: Record<string, number> = {};
  /** Outcomes of a power loss that were drawn; some leave the same files. */
  outcomes = 0;
  states = 0;
  lossCount = 0;
  readonly losses: string[] = [];
  readonly #seen = new Set<string>();

  /** Opens what a power loss at this crash may leave, each state once. Returns the new ones. */
  async tryCrash(disk: MemoryDisk, { step, possible }: Crash, options: OutcomeOptions): Promise<readonly MemoryDisk[]> {
    const found: MemoryDisk[] = [];
    const expected = possible.map(({ entries, snapshotIndex, term, vote }) => [entries.length, snapshotIndex, term, vote].join()).join(" ");
    for (const left of outcomesOf(disk, options)) {
      this.outcomes += 1;
      const content = `${expected} ${contentOf(left)}`;
      if (this.#seen.has(content)) continue;
      this.#seen.add(content);
      found.push(left);
      await this.#check(left.afterKill(), possible, `${step}, call ${disk.callCount}`);
    }
    this.statesOf[step] = (this.statesOf[step] ?? 0) + found.length;
    return found;
  }

  /** Ends the recovery of a state at each of its calls to the disk, and opens what that leaves. */
  async tryRecovery(left: MemoryDisk, crash: Crash, sampling: Omit<OutcomeOptions, "random">): Promise<void> {
    for (let call = 1; ; call++) {
      const disk = left.afterKill();
      disk.crashAtCall(call);
      await openTestStore(disk, { seed: call }).catch(() => null);
      if (!disk.crashed) return;
      await this.tryCrash(disk, crash, { ...sampling, random: new SeededRandom(call) });
    }
  }

  /** Opens a state, and goes on working with some of them. */
  async #check(disk: MemoryDisk, possible: readonly Model[], where: string): Promise<void> {
    this.states += 1;
    const loss = await findLossOn(disk, possible, this.states);
    if (loss === null) return;
    this.lossCount += 1;
    if (this.losses.length < LOSSES_MAX) this.losses.push(`${where}: ${loss}`);
  }
}

/** `number`: of the state. Half of them, in turns of sixteen, are opened by a store that keeps no more of the log in memory than it must. */
async function findLossOn(disk: MemoryDisk, possible: readonly Model[], number: number): Promise<string | null> {
  try {
    const store = await openTestStore(disk, {
      seed: 77,
      ...(Math.floor(number / CONTINUED_EVERY) % 2 === 0 ? {} : { recoveredBytesMax: 0 }),
    });
    const loss = await findLoss(store, possible);
    if (loss !== null || number % CONTINUED_EVERY !== 0) return loss;
    const { snapshot, entries, hardState: found } = await wholeRecovery(store);
    const next = (entries.at(-1)?.index ?? snapshot?.index ?? 0) + 1;
    await store.append({ hardState: hardState(found.term + 1, 2), entries: [testEntry(next, found.term + 1)] });
    await store.close();
    const again = await openTestStore(disk, { seed: 78 });
    await again.close();
    const last = again.recovered.entries.at(-1);
    if (last?.index !== next || again.recovered.hardState.vote !== 2) return `entry ${next}, written after the crash, is gone`;
    return disk.openFiles === 0 ? null : `${disk.openFiles} files stay open`;
  } catch (reason) {
    return `does not open: ${String(reason)}`;
  }
}
