import { tmpdir } from "node:os";
import { type LoadShape, loadShapes, parseLoadShape } from "./load/load-shape.ts";
import { type WorkloadName, workloadNames } from "./load/workload.ts";
import { knownNames, orUsageError, parseFlags, secondsInMs, UsageError, wholeNumber } from "./option-values.ts";
import { type WatchScenarioName, watchScenarioNames, watchScenarios } from "./watch/watch-scenario.ts";

/** What is measured beside workloads and watches: a million keys at each system, and puts to few and to many keys at RaftKV. */
export const dataPartNames = ["data", "growth"] as const;
export type DataPartName = (typeof dataPartNames)[number];

const partNames = [...workloadNames, ...watchScenarioNames, ...dataPartNames] as const;

export interface BenchOptions {
  readonly workloads: readonly WorkloadName[];
  readonly watchScenarios: readonly WatchScenarioName[];
  readonly dataParts: readonly DataPartName[];
  readonly shapes: readonly LoadShape[];
  /** Rounds of a cell; in each, both systems run once. */
  readonly rounds: number;
  /** Duration of one system in one round. */
  readonly roundMs: number;
  /** Load before the first round of a cell, for each system. */
  readonly warmUpMs: number;
  readonly keyCount: number;
  readonly valueBytes: number;
  readonly seed: number;
  /** False: RaftKV alone, also if there is an etcd. */
  readonly withEtcd: boolean;
  /** RaftKV alone, its members profiled; the first of `workloads` and the last of `shapes`. */
  readonly profile: boolean;
  /** A folder for the data of the members is made in it. */
  readonly directory: string;
  /** Leave data, logs and profiles there. */
  readonly keep: boolean;
  /** Where the results go as JSON, or null. */
  readonly jsonFile: string | null;
  /** The folder for `benchmarks.md` and its charts, or null. */
  readonly reportFolder: string | null;
}

export const usage = `Usage: npm run bench -- [options]

Compares a RaftKV cluster of three with an etcd cluster of three, if etcd is on the PATH, under the same load.

  --only NAMES      of ${partNames.join(",")}
                    (default all; with --profile: put)
  --load SHAPES     CONNECTIONSxREQUESTS in flight on each (default 1x1,10x10,10x100; with --profile: 10x100)
  --rounds N        rounds of each cell; both systems take turns (default 3)
  --seconds S       length of one system's turn (default 3)
  --warm-up S       load before the first round of a cell (default 1)
  --keys N          number of keys, all written before the first cell (default 100000)
  --value-bytes N   size of a value (default 256)
  --seed N          of keys and values (default 1)
  --no-etcd         RaftKV alone
  --profile         RaftKV alone, with the functions in which its members spend their time
  --directory DIR   where the members keep their data; removed afterwards (default ${tmpdir()})
  --keep            leave data, logs and profiles there
  --json FILE       write the results as JSON, too
  --report DIR      write benchmarks.md and its charts into that folder, too
  --help
`;

const flags = {
  only: { type: "string" },
  load: { type: "string" },
  rounds: { type: "string", default: "3" },
  seconds: { type: "string", default: "3" },
  "warm-up": { type: "string", default: "1" },
  keys: { type: "string", default: "100000" },
  "value-bytes": { type: "string", default: "256" },
  seed: { type: "string", default: "1" },
  "no-etcd": { type: "boolean", default: false },
  profile: { type: "boolean", default: false },
  directory: { type: "string", default: tmpdir() },
  keep: { type: "boolean", default: false },
  json: { type: "string" },
  report: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

/** Null: help is asked for. Throws UsageError. */
export function parseBenchOptions(args: readonly string[]): BenchOptions | null {
  const values = parseFlags(args, flags);
  if (values.help) return null;
  const defaultParts = values.profile ? "put" : partNames.join(",");
  const parts = knownNames("Part", values.only ?? defaultParts, partNames);
  const partsOf = <Name extends (typeof partNames)[number]>(names: readonly Name[]): readonly Name[] =>
    parts.filter((part): part is Name => (names as readonly string[]).includes(part));
  const keyCount = wholeNumber("--keys", values.keys, 10_000_000);
  const scenarios = partsOf(watchScenarioNames);
  checkWatchedKeys(scenarios, keyCount);
  return {
    workloads: partsOf(workloadNames),
    watchScenarios: scenarios,
    dataParts: partsOf(dataPartNames),
    shapes: values.load === undefined ? defaultShapes(values.profile) : loadShapesOf(values.load),
    rounds: wholeNumber("--rounds", values.rounds, 1000),
    roundMs: secondsInMs("--seconds", values.seconds, 0.1),
    warmUpMs: secondsInMs("--warm-up", values["warm-up"], 0),
    keyCount,
    valueBytes: wholeNumber("--value-bytes", values["value-bytes"], 1024 * 1024),
    seed: wholeNumber("--seed", values.seed, 0xffff_ffff),
    withEtcd: !values["no-etcd"] && !values.profile,
    profile: values.profile,
    directory: values.directory,
    keep: values.keep,
    jsonFile: values.json ?? null,
    reportFolder: values.report ?? null,
  };
}

function checkWatchedKeys(names: readonly WatchScenarioName[], keyCount: number): void {
  for (const name of names) {
    const { watchedKeys } = watchScenarios[name];
    if (watchedKeys > keyCount)
      throw new UsageError(`${name} watches ${watchedKeys} keys, more than the ${keyCount} of --keys: leave it out by --only`);
  }
}

function defaultShapes(profile: boolean): readonly LoadShape[] {
  return profile ? loadShapes.slice(-1) : loadShapes;
}

function loadShapesOf(text: string): readonly LoadShape[] {
  return orUsageError(() => text.split(",").map(parseLoadShape));
}
