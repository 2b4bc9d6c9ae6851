import { setTimeout as pause } from "node:timers/promises";
import type { BenchOptions } from "../bench-options.ts";
import { ClusterFolder } from "../cluster/cluster-folder.ts";
import type { System, SystemName } from "../cluster/system.ts";
import type { ProgramOutput } from "../program.ts";
import { dataSet, fillingShape, steadyShape } from "./data-options.ts";
import { measureRestart } from "./restart.ts";
import { SnapshotProcess } from "./snapshot-process.ts";
import type { SnapshotReading } from "./snapshot-reader-main.ts";
import { StoredData } from "./stored-data.ts";

/** What a million keys mean to a system. */
export interface DataFigures {
  readonly system: SystemName;
  /** Resident memory of the largest member, after filling; null where the system does not tell. */
  readonly residentBytes: number | null;
  /** From the start of the processes until every key is counted by a linearizable read. */
  readonly restartMs: number;
  /** p99 of puts while nothing else happens, and while snapshots of everything are read. */
  readonly quietP99Ms: number;
  readonly snapshotP99Ms: number;
  readonly snapshotMegabytes: number;
  /** Sentences; empty: all is well. */
  readonly problems: readonly string[];
}

/** What a put costs the leader, in microseconds of CPU, with few and with many keys; null where the system does not tell. */
export interface GrowthFigures {
  readonly fewUs: number | null;
  readonly manyUs: number | null;
  readonly fewPerSecond: number;
  readonly manyPerSecond: number;
}

const settleMs = 3000;
const steadyMs = 4000;
const growthPuts = 100_000;
const bytesPerMegabyte = 1_000_000;

/** Fills a cluster of its own and measures it; ends it and removes its data. Rejects with a sentence, or the reason of the signal. */
export async function measureData(system: System, options: BenchOptions, output: ProgramOutput, signal: AbortSignal): Promise<DataFigures> {
  const folder = await ClusterFolder.open(options);
  try {
    const data = new StoredData(await folder.start(system, signal), dataSet.keys, options);
    output.progress(`writing ${dataSet.keys.toLocaleString("en-US")} keys to ${system.name}`);
    await data.fillUpTo(dataSet.keys, signal);
    await pause(settleMs, undefined, { signal });
    const residentBytes = largestResident(data);
    output.progress(`reading snapshots of ${system.name}`);
    const quiet = await data.putAgain(steadyShape, steadyMs, signal);
    const busy = await putWhileSnapshotsAreRead(data, signal);
    output.progress(`starting ${system.name} again`);
    const restartMs = await measureRestart(data, signal);
    return {
      system: system.name,
      residentBytes,
      restartMs,
      quietP99Ms: quiet.p99Ms,
      snapshotP99Ms: busy.p99Ms,
      snapshotMegabytes: busy.megabytes,
      problems: [...quiet.errors.keys(), ...busy.problems],
    };
  } finally {
    await folder.close();
  }
}

/** Compares puts to few keys with puts to many, at one system. */
export async function measureGrowth(
  system: System,
  options: BenchOptions,
  output: ProgramOutput,
  signal: AbortSignal,
): Promise<GrowthFigures> {
  const folder = await ClusterFolder.open(options);
  try {
    const data = new StoredData(await folder.start(system, signal), dataSet.manyKeys, options);
    await data.fillUpTo(dataSet.fewKeys, signal);
    await data.putSome(growthPuts, fillingShape, signal);
    const few = await data.putSome(growthPuts, fillingShape, signal);
    output.progress(`writing ${dataSet.manyKeys.toLocaleString("en-US")} keys to ${system.name}`);
    await data.fillUpTo(dataSet.manyKeys, signal);
    await pause(settleMs, undefined, { signal });
    const many = await data.putSome(growthPuts, fillingShape, signal);
    return {
      fewUs: few.leaderUs,
      manyUs: many.leaderUs,
      fewPerSecond: few.ratePerSecond,
      manyPerSecond: many.ratePerSecond,
    };
  } finally {
    await folder.close();
  }
}

function largestResident({ cluster }: StoredData): number | null {
  const bytes = cluster.members.map(({ process }) => process.residentBytes());
  return bytes.includes(null) ? null : Math.max(...bytes.map((resident) => resident ?? 0));
}

interface SnapshotLoad {
  readonly p99Ms: number;
  readonly megabytes: number;
  readonly problems: readonly string[];
}

async function putWhileSnapshotsAreRead(data: StoredData, signal: AbortSignal): Promise<SnapshotLoad> {
  const snapshots = await SnapshotProcess.start(data.cluster.leader.process.plan.clientPort);
  let load: Awaited<ReturnType<StoredData["putAgain"]>>;
  let reading: SnapshotReading;
  try {
    load = await data.putAgain(steadyShape, steadyMs, signal);
  } finally {
    reading = await snapshots.stop();
  }
  const { bytes } = reading;
  const problem = reading.failure ?? (bytes === 0 ? "nothing came of a snapshot" : null);
  const problems = [...load.errors.keys(), ...(problem === null ? [] : [`snapshot: ${problem}`])];
  return { p99Ms: load.p99Ms, megabytes: bytes / bytesPerMegabyte, problems };
}
