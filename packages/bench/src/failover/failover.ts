import { writeFile } from "node:fs/promises";
import type { Cluster } from "../cluster/cluster.ts";
import { ClusterFolder } from "../cluster/cluster-folder.ts";
import { comparedSystems } from "../cluster/compared-systems.ts";
import type { System } from "../cluster/system.ts";
import { describeEnvironment } from "../environment.ts";
import { SeededRandom } from "../load/seeded-random.ts";
import { exitFaulty, exitOk, type ProgramOutput } from "../program.ts";
import { formatClosing } from "../report/closing-lines.ts";
import { formatSetting, membersSentence } from "../report/head-lines.ts";
import { formatNumber } from "../report/number-format.ts";
import type { FailoverOptions } from "./failover-options.ts";
import { formatFailover, formatWrites } from "./failover-report.ts";
import { runTrial, type TrialResult } from "./failover-trial.ts";
import { meetsTarget, summarizeFaults } from "./fault-summary.ts";
import { ProbeWrites } from "./probe-writes.ts";
import { readBack, readMembers } from "./read-back.ts";

/** A running cluster, and what was written to it, trial by trial. */
interface Subject {
  readonly cluster: Cluster;
  readonly writes: ProbeWrites[];
}

const leadInSpreadMs = 300;

/** Strikes the leaders as the options say. Resolves to the exit status. Rejects with a sentence, or the reason of the signal; no server runs then. */
export async function runFailover(options: FailoverOptions, output: ProgramOutput, signal: AbortSignal): Promise<number> {
  const systems = await comparedSystems(options.withEtcd, output);
  const folder = await ClusterFolder.open(options);
  try {
    return await compare({ systems, folder, options, output }, signal);
  } finally {
    const killed = await folder.close();
    for (const line of formatClosing(killed, options.keep ? folder.path : null)) output.progress(line);
  }
}

interface Comparison {
  readonly systems: readonly System[];
  readonly folder: ClusterFolder;
  readonly options: FailoverOptions;
  readonly output: ProgramOutput;
}

async function compare({ systems, folder, options, output }: Comparison, signal: AbortSignal): Promise<number> {
  const environment = describeEnvironment(folder.path);
  const subjects: Subject[] = [];
  for (const system of systems) {
    output.progress(`starting ${system.name}`);
    subjects.push({ cluster: await folder.start(system, signal), writes: [] });
  }
  for (const line of [membersSentence, "", ...formatSetting(systems, environment)]) output.line(line);
  const results = await runTrials(subjects, { options, output }, signal);
  const wrongWrites = [...results.flatMap((result) => result.wrongWrites), ...(await readAllBack(subjects, output, signal))];
  const summaries = summarizeFaults(results);
  output.line("");
  for (const line of formatFailover(summaries, results)) output.line(line);
  output.line("");
  for (const line of formatWrites(acknowledgedBy(subjects), wrongWrites)) output.line(line);
  if (options.jsonFile !== null) {
    const versions = Object.fromEntries(systems.map(({ name, version }) => [name, version]));
    const report = { versions, environment, options, summaries, results, wrongWrites };
    await writeFile(options.jsonFile, `${JSON.stringify(report, null, 2)}\n`);
  }
  const wentWrong = wrongWrites.length > 0 || results.some(({ problems }) => problems.length > 0);
  const missed = options.check && summaries.some((summary) => meetsTarget(summary) === false);
  return wentWrong || missed ? exitFaulty : exitOk;
}

/** Every fault in every round, the systems in turns and both after the same lead-in: what slows the machine for a while hits all alike. */
async function runTrials(
  subjects: readonly Subject[],
  { options, output }: Pick<Comparison, "options" | "output">,
  signal: AbortSignal,
): Promise<readonly TrialResult[]> {
  const random = new SeededRandom(options.seed);
  const results: TrialResult[] = [];
  for (let round = 1; round <= options.trials; round++) {
    const order = round % 2 === 1 ? subjects : subjects.toReversed();
    for (const fault of options.faults) {
      const plan = { fault, leadInMs: options.leadInMs + random.below(leadInSpreadMs) };
      for (const { cluster, writes } of order) {
        const trialWrites = new ProbeWrites(writes.length + 1);
        writes.push(trialWrites);
        const result = await runTrial(cluster, plan, trialWrites, signal);
        results.push(result);
        const outcome = result.times === null ? "failed" : `${formatNumber(result.times.failoverMs)} ms`;
        output.progress(`${fault} ${round} of ${options.trials}, ${cluster.system.name}: ${outcome}`);
      }
    }
  }
  return results;
}

/** Once more all writes of all trials: what came after may have harmed them. Resolves to what is wrong. */
async function readAllBack(subjects: readonly Subject[], output: ProgramOutput, signal: AbortSignal): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const { cluster, writes } of subjects) {
    output.progress(`reading back from ${cluster.system.name}`);
    await cluster.waitInStep(signal);
    for (const trialWrites of writes) {
      const problems = await readBack(readMembers(cluster), trialWrites);
      wrong.push(...problems.map((problem) => `${problem} (at the end)`));
    }
  }
  return wrong;
}

/** Number of acknowledged puts of all trials, by system. */
function acknowledgedBy(subjects: readonly Subject[]): ReadonlyMap<string, number> {
  return new Map(
    subjects.map(({ cluster, writes }) => [cluster.system.name, writes.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0)]),
  );
}
