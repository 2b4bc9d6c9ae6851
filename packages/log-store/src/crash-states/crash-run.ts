import type { MemoryDisk } from "../testing/memory-disk.ts";
import { emptyModel, type Model } from "./model.ts";
import { CrashingMember, type Step, wholeLife } from "./scenario.ts";

/** Turns without a call to the disk, after which nothing goes on in the background any more. */
const QUIET_TURNS = 40;

/** Where a member was when its process ended, and what it may hold. */
export interface Crash {
  readonly step: string;
  /** Those before and after each call that was under way; one if none was. */
  readonly possible: readonly Model[];
}

/** Lives through the steps until the disk ends it. */
export async function runUntilCrash(disk: MemoryDisk, start: Model, steps: readonly Step[]): Promise<Crash> {
  const member = new CrashingMember(disk);
  let crash: Crash = { step: "nothing", possible: [start] };
  for (const { name, calls } of steps) {
    const before = crash.possible.at(-1) ?? start;
    const possible = calls.reduce<readonly Model[]>((models, call) => [...models, call.apply(models.at(-1) ?? before)], [before]);
    crash = { step: name, possible };
    const outcomes = await Promise.allSettled(calls.map((call) => call.run(member)));
    if (outcomes.every(({ status }) => status === "fulfilled")) crash = { step: name, possible: possible.slice(-1) };
    else if (!disk.crashed) throw new Error(`The step "${name}" failed`, { cause: outcomes });
    await untilQuiet(disk);
    if (disk.crashed) return crash;
  }
  return crash;
}

async function untilQuiet(disk: MemoryDisk): Promise<void> {
  let seen = disk.callCount;
  for (let quiet = 0; quiet < QUIET_TURNS; quiet++) {
    await Promise.resolve();
    if (disk.callCount === seen) continue;
    seen = disk.callCount;
    quiet = 0;
  }
}

/** How many calls to the disk the steps make when nothing goes wrong. */
export async function countCalls(disk: MemoryDisk, start: Model, steps: readonly Step[]): Promise<number> {
  await runUntilCrash(disk, start, steps);
  return disk.callCount;
}

export interface CrashedDisk {
  readonly disk: MemoryDisk;
  readonly crash: Crash;
  readonly call: number;
}

/** A whole life, ended at each call to the disk in turn, and once not at all. */
export async function* crashesOf(makeDisk: () => MemoryDisk): AsyncGenerator<CrashedDisk> {
  const calls = await countCalls(makeDisk(), emptyModel, wholeLife);
  for (let call = 1; call <= calls + 1; call++) {
    const disk = makeDisk();
    disk.crashAtCall(call);
    yield { disk, crash: await runUntilCrash(disk, emptyModel, wholeLife), call };
  }
}
