import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BenchOptions } from "./bench-options.ts";
import { comparedSystems } from "./cluster/compared-systems.ts";
import type { System } from "./cluster/system.ts";
import { measureCell } from "./comparison.ts";
import { formatData, formatGrowth } from "./data/data-report.ts";
import { type DataFigures, measureData, measureGrowth } from "./data/data-run.ts";
import { describeEnvironment, type Environment, measureIdle } from "./environment.ts";
import { keyBytes } from "./load/key-space.ts";
import { grantLeases } from "./load/lease-grants.ts";
import { formatLoadShape } from "./load/load-shape.ts";
import { formatProfile } from "./profile/profile-report.ts";
import { profiledSystem, runProfile } from "./profile/profile-run.ts";
import { exitFaulty, exitOk, type ProgramOutput } from "./program.ts";
import type { BenchResults } from "./report/bench-results.ts";
import { type CellSummary, summarizeCell } from "./report/cell-summary.ts";
import { formatClosing } from "./report/closing-lines.ts";
import { formatComparison, hasFaults } from "./report/comparison-report.ts";
import { formatHead } from "./report/head-lines.ts";
import { type MarkdownReport, markdownReport } from "./report/markdown-report.ts";
import { formatNumber } from "./report/number-format.ts";
import { formatVerification } from "./report/verification-lines.ts";
import { TestBed } from "./test-bed.ts";
import type { Verification } from "./verification.ts";
import { measureWatch } from "./watch/watch-comparison.ts";
import { watchScenarios } from "./watch/watch-scenario.ts";
import { formatWatch, summarizeWatch, type WatchSummary } from "./watch/watch-summary.ts";

/** Runs what the options ask for. Resolves to the exit status. Rejects with a sentence, or the reason of the signal; no server runs then. */
export async function runBench(options: BenchOptions, output: ProgramOutput, signal: AbortSignal): Promise<number> {
  const bed = await TestBed.open(options);
  try {
    return options.profile ? await profile(bed, output, signal) : await compare(bed, output, signal);
  } finally {
    const killed = await bed.close();
    for (const line of formatClosing(killed, options.keep ? bed.directory : null)) output.progress(line);
  }
}

async function compare(bed: TestBed<BenchOptions>, output: ProgramOutput, signal: AbortSignal): Promise<number> {
  const { options } = bed;
  const systems = await comparedSystems(options.withEtcd, output);
  const environment = await prepare(bed, systems, output, signal);
  if (options.workloads.includes("lease")) await Promise.all(bed.subjects.map(({ cluster }) => grantLeases(cluster.leader.channel)));
  const idleShares = await measureIdle(bed, signal);
  const { keyCount, valueBytes } = options;
  const head = formatHead({ systems, environment, keyCount, keyBytes, valueBytes, idleShares });
  for (const line of head) output.line(line);

  const cells: CellSummary[] = [];
  for (const workload of options.workloads) {
    for (const shape of options.shapes) {
      output.progress(`measuring ${workload} ${formatLoadShape(shape)}`);
      cells.push(summarizeCell(await measureCell(bed, workload, shape, signal)));
    }
  }
  const watch: WatchSummary[] = [];
  for (const name of options.watchScenarios) {
    output.progress(`measuring ${watchScenarios[name].title}`);
    watch.push(summarizeWatch(await measureWatch(bed, watchScenarios[name], signal)));
  }
  const verifications = await verifyAll(bed, output);
  // The others have the machine to themselves.
  await bed.stopMembers();
  const data: DataFigures[] = [];
  if (options.dataParts.includes("data")) for (const system of systems) data.push(await measureData(system, options, output, signal));
  const [raftkv] = systems;
  const isGrowthAsked = options.dataParts.includes("growth") && raftkv !== undefined;
  const growth = isGrowthAsked ? await measureGrowth(raftkv, options, output, signal) : null;

  const results: BenchResults = {
    versions: Object.fromEntries(systems.map(({ name, version }) => [name, version])),
    environment,
    options,
    idleShares: Object.fromEntries(idleShares),
    cells,
    watch,
    data,
    growth,
    verifications: Object.fromEntries(verifications),
  };
  print(results, output);
  if (options.jsonFile !== null) await writeFile(options.jsonFile, `${JSON.stringify(results, null, 2)}\n`);
  if (options.reportFolder !== null) await writeReport(options.reportFolder, markdownReport(results, head));
  return isSound(results) ? exitOk : exitFaulty;
}

function print({ cells, watch, data, growth, verifications }: BenchResults, output: ProgramOutput): void {
  const tables = [
    ...(cells.length > 0 ? [formatComparison(cells)] : []),
    ...(watch.length > 0 ? [formatWatch(watch)] : []),
    ...(data.length > 0 ? [formatData(data)] : []),
    ...(growth === null ? [] : [[formatGrowth(growth)]]),
    Object.entries(verifications).flatMap(([system, verification]) => formatVerification(system, verification)),
  ];
  for (const table of tables) for (const line of ["", ...table]) output.line(line);
}

async function writeReport(folder: string, { page, charts }: MarkdownReport): Promise<void> {
  await mkdir(join(folder, "benchmarks"), { recursive: true });
  await writeFile(join(folder, "benchmarks.md"), page);
  for (const [name, chart] of charts) await writeFile(join(folder, "benchmarks", name), chart);
}

function isSound({ cells, watch, data, verifications }: BenchResults): boolean {
  const problems = [...Object.values(verifications), ...watch.flatMap(({ systems }) => systems), ...data].flatMap((part) => part.problems);
  return problems.length === 0 && !hasFaults(cells);
}

async function profile(bed: TestBed<BenchOptions>, output: ProgramOutput, signal: AbortSignal): Promise<number> {
  const systems = [await profiledSystem(bed.directory)];
  const environment = await prepare(bed, systems, output, signal);
  const { keyCount, valueBytes, workloads, shapes } = bed.options;
  for (const line of formatHead({ systems, environment, keyCount, keyBytes, valueBytes, idleShares: new Map() })) output.line(line);
  const [workload = "put", shape] = [workloads[0], shapes.at(-1)];
  output.progress(`profiling ${workload} ${shape === undefined ? "" : formatLoadShape(shape)}`);
  const result = await runProfile(bed, signal);
  output.line("");
  output.line(
    `${workload}: ${formatNumber(result.round.ratePerSecond)} requests/s while being profiled, ${result.round.errors.size} kinds of errors`,
  );
  for (const line of formatProfile(result)) output.line(line);
  return result.round.errors.size > 0 || result.round.leaderMoved ? exitFaulty : exitOk;
}

/** Starts the clusters and writes all keys. */
async function prepare(bed: TestBed, systems: readonly System[], output: ProgramOutput, signal: AbortSignal): Promise<Environment> {
  const environment = describeEnvironment(bed.directory);
  for (const system of systems) {
    output.progress(`starting ${system.name} and writing ${bed.options.keyCount} keys`);
    const { filling } = await bed.addSystem(system, signal);
    output.progress(`${system.name} took ${formatNumber(filling.ratePerSecond)} keys/s`);
  }
  return environment;
}

async function verifyAll(bed: TestBed, output: ProgramOutput): Promise<ReadonlyMap<string, Verification>> {
  const verifications = new Map<string, Verification>();
  for (const subject of bed.subjects) {
    const { name } = subject.cluster.system;
    output.progress(`reading back from ${name}`);
    verifications.set(name, await bed.verify(subject));
  }
  return verifications;
}
