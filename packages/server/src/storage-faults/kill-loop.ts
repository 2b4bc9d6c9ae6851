import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SeededRandom } from "@raftkv/raft-core/testing";
import { NodeClock } from "../ports/node-clock.ts";
import { AcknowledgedLog } from "./acknowledged-log.ts";
import { StorageProcess, type StorageProcessEnd } from "./storage-process.ts";
import { openProgramStore } from "./storage-program.ts";

export interface KillLoopOptions {
  /** The file of a storage program. */
  readonly program: string;
  readonly seed: number;
  readonly cycles: number;
  /** Called after each cycle with what was counted so far. */
  readonly onCycle?: (counts: KillCounts) => void;
}

export interface KillCounts {
  readonly cycles: number;
  /** Processes that were killed before their store was open. */
  readonly whileOpening: number;
  /** Calls that were acknowledged, and those that were under way when their process was killed. */
  readonly acknowledged: number;
  readonly underWay: number;
  /** Of the acknowledged. */
  readonly entries: number;
  readonly snapshots: number;
  readonly compactions: number;
}

const noCounts: KillCounts = { cycles: 0, whileOpening: 0, acknowledged: 0, underWay: 0, entries: 0, snapshots: 0, compactions: 0 };
const clock = new NodeClock();

/**
 * Starts a storage program on the same data directory again and again, kills it at any moment, as it opens its store or works, and
 * opens the store that it leaves: every acknowledged call shows, all others wholly or not at all. Throws with seed and cycle if not.
 */
export async function runKillLoop({ program, seed, cycles, onCycle }: KillLoopOptions): Promise<KillCounts> {
  const directory = await mkdtemp(join(tmpdir(), "raftkv-kill-"));
  try {
    const random = new SeededRandom(seed);
    const log = new AcknowledgedLog();
    let counts = noCounts;
    for (let cycle = 1; cycle <= cycles; cycle++) {
      const end = await runUntilKilled(program, join(directory, "data"), random);
      if (end.status !== null) throw new Error(`Seed ${seed}, cycle ${cycle}: the program ended with ${end.status}: ${end.errors}`);
      for (const line of end.lines) log.note(line);
      const violation = await checkData(join(directory, "data"), log);
      if (violation !== null) throw new Error(`Seed ${seed}, cycle ${cycle}: ${violation}`);
      counts = added(counts, countsOf(end));
      onCycle?.(counts);
    }
    return counts;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function runUntilKilled(program: string, directory: string, random: SeededRandom): Promise<StorageProcessEnd> {
  const child = new StorageProcess(program, { directory, seed: random.below(2 ** 31), works: 1_000_000 });
  // Some are killed while they start: a process takes about so long until its store is open.
  if (random.oneIn(5)) await pause(40 + random.below(80));
  else {
    await child.told(1 + random.below(160));
    await pause(random.below(5));
  }
  child.kill();
  return child.ended;
}

/** What is wrong with what a program left, or null. */
export async function checkData(directory: string, log: AcknowledgedLog): Promise<string | null> {
  const store = await openProgramStore(directory);
  try {
    return await log.check(store);
  } finally {
    await store.close();
  }
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimer(delayMs, resolve));
}

function countsOf({ lines }: StorageProcessEnd): KillCounts {
  const done = new Set(lines.flatMap((line) => (line.kind === "done" ? [line.number] : [])));
  const begun = lines.flatMap((line) => (line.kind === "begun" ? [line] : []));
  const acknowledged = begun.filter(({ number }) => done.has(number)).map(({ work }) => work);
  return {
    cycles: 1,
    whileOpening: lines.length === 0 ? 1 : 0,
    acknowledged: acknowledged.length,
    underWay: begun.length - acknowledged.length,
    entries: acknowledged.reduce((sum, work) => sum + (work.kind === "append" ? work.count : 0), 0),
    snapshots: acknowledged.filter(({ kind }) => kind === "save" || kind === "install").length,
    compactions: acknowledged.filter(({ kind }) => kind === "compact").length,
  };
}

export function added(one: KillCounts, other: KillCounts): KillCounts {
  return {
    cycles: one.cycles + other.cycles,
    whileOpening: one.whileOpening + other.whileOpening,
    acknowledged: one.acknowledged + other.acknowledged,
    underWay: one.underWay + other.underWay,
    entries: one.entries + other.entries,
    snapshots: one.snapshots + other.snapshots,
    compactions: one.compactions + other.compactions,
  };
}
