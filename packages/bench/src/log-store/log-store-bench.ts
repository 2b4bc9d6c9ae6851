import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { describeEnvironment } from "../environment.ts";
import { exitFaulty, exitOk, type ProgramOutput } from "../program.ts";
import { formatSetting } from "../report/head-lines.ts";
import { type AppendResult, measureAppends } from "./append-cell.ts";
import { formatAppends, formatBytes } from "./append-report.ts";
import { type BenchResults, formatTargets, judgeTargets } from "./bench-targets.ts";
import type { LogSystem } from "./durable-log.ts";
import { levelSystem } from "./level-log.ts";
import { lmdbSystem } from "./lmdb-log.ts";
import type { LogStoreBenchOptions } from "./log-store-options.ts";
import { RandomBytes } from "./random-bytes.ts";
import { formatRecovery } from "./recovery-report.ts";
import { measureRecovery, type RecoveryResult } from "./recovery-run.ts";
import { formatStalls } from "./stall-report.ts";
import { measureStalls, type StallPhase } from "./stall-run.ts";
import { withTemporaryFolder } from "./temporary-folder.ts";

/** Rounds of snapshots: enough that one is written while the log is compacted for another. */
const stallRounds = 2;

interface Bench {
  readonly options: LogStoreBenchOptions;
  readonly folder: string;
  readonly random: RandomBytes;
  readonly output: ProgramOutput;
}

/** Runs the parts that the options name. Resolves to the exit status. Rejects with a sentence, or the reason of the signal. */
export function runLogStoreBench(options: LogStoreBenchOptions, output: ProgramOutput, signal: AbortSignal): Promise<number> {
  return withTemporaryFolder(options.directory, async (folder) => {
    const bench: Bench = { options, folder, random: new RandomBytes(), output };
    for (const line of formatSetting([], describeEnvironment(folder))) output.line(line);
    const results: BenchResults = {
      appends: options.parts.includes("append") ? await runAppends(bench, signal) : [],
      stalls: options.parts.includes("stall") ? await runStalls(bench, signal) : [],
    };
    if (options.parts.includes("recovery")) await runRecovery(bench, signal);
    if (!options.check) return exitOk;
    const verdicts = judgeTargets(results);
    section(output, formatTargets(verdicts));
    return verdicts.every(({ isMet }) => isMet) ? exitOk : exitFaulty;
  });
}

async function runAppends({ options, folder, random, output }: Bench, signal: AbortSignal): Promise<readonly AppendResult[]> {
  const { rounds, turnMs } = options;
  const directory = join(folder, "append");
  await mkdir(directory);
  const others = await presentSystems([levelSystem, lmdbSystem], directory, output);
  const results: AppendResult[] = [];
  for (const entryBytes of options.entrySizes) {
    for (const callers of options.callerCounts) {
      output.progress(`appends of ${formatBytes(entryBytes)}, ${callers} at once`);
      results.push(await measureAppends({ entryBytes, callers, rounds, turnMs, directory, random, others }, signal));
    }
  }
  section(output, formatAppends(results));
  return results;
}

async function runStalls({ options, folder, random, output }: Bench, signal: AbortSignal): Promise<readonly StallPhase[]> {
  output.progress("appends while snapshots are saved and read");
  const phases = await inNewDirectory(join(folder, "stall"), (directory) =>
    measureStalls({ directory, random, snapshotBytes: options.snapshotBytes, rounds: stallRounds }, signal),
  );
  section(output, formatStalls(phases));
  return phases;
}

async function runRecovery({ options, folder, random, output }: Bench, signal: AbortSignal): Promise<RecoveryResult> {
  output.progress("a start on a full store");
  const { recoveryBytes } = options;
  const result = await inNewDirectory(join(folder, "recovery"), (directory) =>
    measureRecovery({ directory, random, logBytes: recoveryBytes, snapshotBytes: recoveryBytes }, signal),
  );
  section(output, formatRecovery(result));
  return result;
}

/** Those that can be opened here; of the others it says so. */
async function presentSystems(systems: readonly LogSystem[], directory: string, output: ProgramOutput): Promise<readonly LogSystem[]> {
  const present: LogSystem[] = [];
  for (const system of systems) {
    const place = join(directory, system.name);
    try {
      const log = await system.open(place);
      await log.close();
      present.push(system);
    } catch (reason) {
      output.line(`without ${system.name}: ${reason instanceof Error ? reason.message : String(reason)}`);
    } finally {
      await rm(place, { recursive: true, force: true });
    }
  }
  return present;
}

async function inNewDirectory<T>(directory: string, use: (directory: string) => Promise<T>): Promise<T> {
  await mkdir(directory);
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function section(output: ProgramOutput, lines: readonly string[]): void {
  output.line("");
  for (const line of lines) output.line(line);
}
