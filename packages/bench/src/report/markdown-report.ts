import { formatData, formatGrowth } from "../data/data-report.ts";
import { formatWatch } from "../watch/watch-summary.ts";
import { type BarChart, barChart } from "./bar-chart.ts";
import type { BenchResults } from "./bench-results.ts";
import { judgeBench, type Verdict } from "./bench-targets.ts";
import type { CellSummary, SystemSummary } from "./cell-summary.ts";
import { formatComparison } from "./comparison-report.ts";
import { formatNumber } from "./number-format.ts";
import { formatVerification } from "./verification-lines.ts";

/** A page and the charts that it shows. */
export interface MarkdownReport {
  readonly page: string;
  /** SVG, by the name of its file; the page looks for them in a folder `benchmarks` beside it. */
  readonly charts: ReadonlyMap<string, string>;
}

const series = [
  { name: "raftkv", colour: "#2f6fd0" },
  { name: "etcd", colour: "#b0b6bf" },
];

/** The page of one run. `head` says what was measured on what. */
export function markdownReport(results: BenchResults, head: readonly string[]): MarkdownReport {
  const charts = chartsOf(results.cells);
  const sections = [
    "# Benchmarks",
    "",
    "This page was written by `npm run bench -- --report docs`, from one run. How it measures stands in [the package's page](../packages/bench/README.md),",
    "what the figures mean and where the time goes in [performance.md](performance.md).",
    "",
    ...block(head),
    ...goals(judgeBench(results)),
    ...[...charts.keys()].flatMap((name) => [`![${name}](benchmarks/${name})`, ""]),
    ...(results.cells.length === 0 ? [] : ["## Requests", "", ...block(formatComparison(results.cells))]),
    ...(results.watch.length === 0 ? [] : ["## Watches", "", ...block(formatWatch(results.watch))]),
    ...(results.data.length === 0 ? [] : ["## A million keys", "", ...block(formatData(results.data))]),
    ...(results.growth === null ? [] : ["## Growth", "", ...block([formatGrowth(results.growth)])]),
    "## Read back",
    "",
    ...block(Object.entries(results.verifications).flatMap(([system, verification]) => formatVerification(system, verification))),
  ];
  return { page: `${sections.join("\n").trimEnd()}\n`, charts };
}

function block(lines: readonly string[]): readonly string[] {
  return ["```text", ...lines, "```", ""];
}

function goals(verdicts: readonly Verdict[]): readonly string[] {
  if (verdicts.length === 0) return [];
  const rows = verdicts.map(
    ({ what, measured, target, wanted, isMet }) =>
      `| ${what} | ${formatNumber(measured)}x | ${wanted} ${target}x | ${isMet ? "yes" : "**no**"} |`,
  );
  return [
    "## Goals",
    "",
    "RaftKV as a multiple of etcd unless it says otherwise.",
    "",
    "| | measured | goal | met |",
    "| --- | --- | --- | --- |",
    ...rows,
    "",
  ];
}

function chartsOf(cells: readonly CellSummary[]): ReadonlyMap<string, string> {
  if (cells.length === 0) return new Map();
  const chart = (title: string, unit: string, pick: (summary: SystemSummary) => number): BarChart => ({
    title,
    unit,
    series,
    groups: cells.map(({ workload, load, systems }) => ({
      label: `${workload} ${load}`,
      values: series.map(({ name }) => {
        const summary = systems.find(({ system }) => system === name);
        return summary === undefined ? null : pick(summary);
      }),
    })),
  });
  return new Map([
    ["rates.svg", barChart(chart("Rate: more is better", "requests/s", ({ ratePerSecond }) => ratePerSecond.median))],
    ["p99.svg", barChart(chart("p99 latency: less is better", "ms", ({ p99Ms }) => p99Ms.median))],
  ]);
}
