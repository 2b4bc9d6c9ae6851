import type { Spread } from "../statistics.ts";
import type { CellRatios, CellSummary, SystemSummary } from "./cell-summary.ts";
import { formatBounds, formatNumber } from "./number-format.ts";
import { type Column, formatTable } from "./text-table.ts";

const columns: readonly Column[] = [
  { title: "workload", align: "left" },
  { title: "load", align: "left" },
  { title: "system", align: "left" },
  { title: "requests/s", align: "right" },
  { title: "min-max", align: "right" },
  { title: "p50 ms", align: "right" },
  { title: "p99 ms", align: "right" },
  { title: "leader us", align: "right" },
  { title: "followers us", align: "right" },
  { title: "client us", align: "right" },
  { title: "rate ratio", align: "right" },
  { title: "min-max", align: "right" },
  { title: "p50 ratio", align: "right" },
  { title: "p99 ratio", align: "right" },
];

const legend = [
  "load: connections x requests in flight on each. requests/s, p50, p99: medians of the rounds. us: CPU time per request.",
  "ratio: raftkv / etcd, median of the ratios of each round. A rate ratio above 1 and a latency ratio below 1 are in RaftKV's favour.",
];

/** One table of all cells, and a line for each that cannot be trusted: it had errors, or its leader changed. */
export function formatComparison(cells: readonly CellSummary[]): readonly string[] {
  const rows = cells.flatMap((cell) => cell.systems.map((system, place) => formatRow(cell, system, place === 0)));
  const remarks = cells.flatMap((cell) => cell.systems.flatMap((system) => remarksOn(cell, system)));
  const marked = remarks.length === 0 ? [] : ["", "! These cells do not count:", ...remarks];
  return [...formatTable(columns, rows), "", ...legend, ...marked];
}

/** Does any cell have errors, or a leader that changed? */
export function hasFaults(cells: readonly CellSummary[]): boolean {
  return cells.some((cell) => cell.systems.some(isFaulty));
}

function formatRow(cell: CellSummary, system: SystemSummary, isFirst: boolean): readonly string[] {
  return [
    isFirst ? cell.workload : "",
    isFirst ? cell.load : "",
    `${system.system}${isFaulty(system) ? " !" : ""}`,
    formatNumber(system.ratePerSecond.median),
    formatBounds(system.ratePerSecond),
    formatNumber(system.p50Ms.median),
    formatNumber(system.p99Ms.median),
    formatMedian(system.leaderUs),
    formatMedian(system.followersUs),
    formatMedian(system.generatorUs),
    ...(system.system === "raftkv" && cell.ratios !== null ? formatRatios(cell.ratios) : []),
  ];
}

function formatRatios({ rate, p50, p99 }: CellRatios): readonly string[] {
  return [`${formatNumber(rate.median)}x`, formatBounds(rate), `${formatNumber(p50.median)}x`, `${formatNumber(p99.median)}x`];
}

function formatMedian(value: Spread | null): string {
  return value === null ? "-" : formatNumber(value.median);
}

function isFaulty(system: SystemSummary): boolean {
  return system.leaderMoves > 0 || Object.keys(system.errors).length > 0;
}

function remarksOn(cell: CellSummary, system: SystemSummary): readonly string[] {
  const where = `  ${cell.workload} ${cell.load} ${system.system}`;
  const moves = system.leaderMoves === 0 ? [] : [`${where}: the leader changed in ${system.leaderMoves} rounds`];
  return [...moves, ...Object.entries(system.errors).map(([sentence, count]) => `${where}: ${count} times ${sentence}`)];
}
