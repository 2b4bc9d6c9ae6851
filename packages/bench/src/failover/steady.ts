import { writeFile } from "node:fs/promises";
import type { ClusterFolderOptions } from "../cluster/cluster-folder.ts";
import { raftkvSystem } from "../cluster/system.ts";
import { describeEnvironment } from "../environment.ts";
import { RandomKeys } from "../load/key-source.ts";
import { generateLoad, type LoadResult } from "../load/load-generator.ts";
import { SeededRandom } from "../load/seeded-random.ts";
import { exitFaulty, exitOk, type ProgramOutput } from "../program.ts";
import { formatClosing } from "../report/closing-lines.ts";
import { formatSetting, membersSentence } from "../report/head-lines.ts";
import { formatVerification } from "../report/verification-lines.ts";
import { type BedOptions, type Subject, TestBed, withChannels } from "../test-bed.ts";
import { watchLeadership } from "./leadership-watch.ts";
import { formatSteady } from "./steady-report.ts";

/** The heaviest load of the benchmark. */
const connections = 10;
const inFlight = 100;
const keyCount = 100_000;
const valueBytes = 256;

export interface SteadyOptions extends ClusterFolderOptions {
  readonly steadyMs: number;
  readonly seed: number;
  readonly jsonFile: string | null;
}

/**
 * Puts as many as RaftKV takes, and looks at every member all the time: under load no member may miss so many heartbeats that it stands for election.
 * Resolves to the exit status. Rejects with a sentence, or the reason of the signal; no server runs then.
 */
export async function runSteady(options: SteadyOptions, output: ProgramOutput, signal: AbortSignal): Promise<number> {
  const system = await raftkvSystem();
  const bed = await TestBed.open({ ...options, keyCount, valueBytes });
  try {
    const environment = describeEnvironment(bed.directory);
    for (const line of [membersSentence, "", ...formatSetting([system], environment)]) output.line(line);
    output.progress(`starting ${system.name} and writing ${keyCount} keys`);
    const subject = await bed.addSystem(system, signal);
    output.progress(`putting for ${options.steadyMs / 1000} s`);
    const { result, log } = await watchLeadership(subject.cluster, () => loadSteadily(bed, subject, signal));
    output.progress(`reading back from ${system.name}`);
    const verification = await bed.verify(subject);
    output.line("");
    for (const line of [...formatSteady(result, log), ...formatVerification(system.name, verification)]) output.line(line);
    if (options.jsonFile !== null) {
      const { steadyMs, seed } = options;
      const setting = { steadyMs, seed, connections, inFlight, keyCount, valueBytes };
      const load = { ...result, errors: Object.fromEntries(result.errors) };
      const { changes, leaders, looks, unanswered } = log;
      const leadership = { changes, leaders, looks, unanswered };
      const report = { version: system.version, environment, setting, load, leadership, verification };
      await writeFile(options.jsonFile, `${JSON.stringify(report, null, 2)}\n`);
    }
    return log.changes > 0 || result.errors.size > 0 || verification.problems.length > 0 ? exitFaulty : exitOk;
  } finally {
    const killed = await bed.close();
    for (const line of formatClosing(killed, options.keep ? bed.directory : null)) output.progress(line);
  }
}

function loadSteadily(bed: TestBed<SteadyOptions & BedOptions>, { cluster, ledger }: Subject, signal: AbortSignal): Promise<LoadResult> {
  const { seed, steadyMs } = bed.options;
  return withChannels(cluster, connections, (channels) =>
    generateLoad({
      channels,
      inFlight,
      workload: bed.workload("put"),
      keys: new RandomKeys(new SeededRandom(seed), keyCount),
      durationMs: steadyMs,
      ledger,
      signal,
    }),
  );
}
