import type { SystemName } from "../cluster/system.ts";
import { formatBounds, formatNumber } from "../report/number-format.ts";
import { type Column, formatTable } from "../report/text-table.ts";
import { pairedRatios, type Spread, spread } from "../statistics.ts";
import type { WatchCell, WatchRound } from "./watch-comparison.ts";
import type { WatchScenarioName } from "./watch-scenario.ts";

/** What the rounds of one system come to. */
export interface WatchSystemSummary {
  readonly system: SystemName;
  readonly eventsPerSecond: Spread;
  readonly putP99Ms: Spread;
  /** CPU time per event, in microseconds; of the leader null where the system does not tell. */
  readonly leaderUs: Spread | null;
  readonly generatorUs: Spread;
  /** Of all rounds; empty: every event came. */
  readonly problems: readonly string[];
}

export interface WatchSummary {
  readonly scenario: WatchScenarioName;
  readonly title: string;
  readonly systems: readonly WatchSystemSummary[];
  /** RaftKV's events per second by etcd's of the same round; null if etcd was not measured. */
  readonly ratio: Spread | null;
}

const columns: readonly Column[] = [
  { title: "watchers", align: "left" },
  { title: "system", align: "left" },
  { title: "events/s", align: "right" },
  { title: "min-max", align: "right" },
  { title: "put p99 ms", align: "right" },
  { title: "leader us", align: "right" },
  { title: "client us", align: "right" },
  { title: "rate ratio", align: "right" },
  { title: "min-max", align: "right" },
];

export function summarizeWatch({ scenario, rounds }: WatchCell): WatchSummary {
  const rates = (system: SystemName): readonly number[] | null => rounds.get(system)?.map((round) => round.eventsPerSecond) ?? null;
  const [raftkv, etcd] = [rates("raftkv"), rates("etcd")];
  return {
    scenario: scenario.name,
    title: scenario.title,
    systems: [...rounds].map(([system, turns]) => summarizeSystem(system, turns)),
    ratio: raftkv === null || etcd === null ? null : pairedRatios(raftkv, etcd),
  };
}

/** One table of all scenarios, and a line for each event that did not come as it must. */
export function formatWatch(summaries: readonly WatchSummary[]): readonly string[] {
  const rows = summaries.flatMap(({ title, systems, ratio }) =>
    systems.map((system, place) => [
      place === 0 ? title : "",
      `${system.system}${system.problems.length > 0 ? " !" : ""}`,
      formatNumber(system.eventsPerSecond.median),
      formatBounds(system.eventsPerSecond),
      formatNumber(system.putP99Ms.median),
      system.leaderUs === null ? "" : formatNumber(system.leaderUs.median),
      formatNumber(system.generatorUs.median),
      ...(system.system === "raftkv" && ratio !== null ? [`${formatNumber(ratio.median)}x`, formatBounds(ratio)] : []),
    ]),
  );
  const remarks = summaries.flatMap(({ title, systems }) =>
    systems.flatMap(({ system, problems }) => problems.map((problem) => `! ${title}, ${system}: ${problem}`)),
  );
  return [...formatTable(columns, rows), ...remarks];
}

function summarizeSystem(system: SystemName, rounds: readonly WatchRound[]): WatchSystemSummary {
  const leaderUs = rounds.flatMap((round) => round.leaderUs ?? []);
  return {
    system,
    eventsPerSecond: spread(rounds.map((round) => round.eventsPerSecond)),
    putP99Ms: spread(rounds.map((round) => round.putP99Ms)),
    leaderUs: leaderUs.length === 0 ? null : spread(leaderUs),
    generatorUs: spread(rounds.map((round) => round.generatorUs)),
    problems: rounds.flatMap(({ problems }) => problems),
  };
}
