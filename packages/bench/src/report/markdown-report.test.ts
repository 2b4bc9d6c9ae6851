import { expect, test } from "vitest";
import { parseBenchOptions } from "../bench-options.ts";
import type { BenchResults } from "./bench-results.ts";
import { judgeBench } from "./bench-targets.ts";
import type { SystemSummary } from "./cell-summary.ts";
import { markdownReport } from "./markdown-report.ts";

const one = (value: number) => ({ median: value, min: value, max: value });

function system(name: "raftkv" | "etcd", rate: number, p99: number): SystemSummary {
  return {
    system: name,
    ratePerSecond: one(rate),
    p50Ms: one(p99 / 2),
    p99Ms: one(p99),
    maxMs: p99,
    leaderUs: null,
    followersUs: null,
    generatorUs: one(1),
    errors: {},
    leaderMoves: 0,
  };
}

const options = parseBenchOptions([]);
if (options === null) throw new Error("The options are there");

const results: BenchResults = {
  versions: { raftkv: "raftkv 1.2.3", etcd: "etcd 3.4" },
  environment: { cores: 2, processor: "P", memoryBytes: 2 ** 33, operatingSystem: "Linux", node: "v20", dataInMemory: false, syncMs: 0.2 },
  options,
  idleShares: {},
  cells: [
    {
      workload: "put",
      load: "10x100",
      systems: [system("raftkv", 60_000, 10), system("etcd", 10_000, 100)],
      ratios: { rate: one(6), p50: one(0.2), p99: one(0.1) },
    },
  ],
  watch: [
    {
      scenario: "watch-one",
      title: "1,000 watchers on one key",
      systems: [{ system: "raftkv", eventsPerSecond: one(1e6), putP99Ms: one(1), leaderUs: one(0.5), generatorUs: one(0.1), problems: [] }],
      ratio: one(4),
    },
  ],
  data: [
    { system: "raftkv", residentBytes: 5e8, restartMs: 2000, quietP99Ms: 1, snapshotP99Ms: 3, snapshotMegabytes: 400, problems: [] },
    { system: "etcd", residentBytes: 1e9, restartMs: 3000, quietP99Ms: 1, snapshotP99Ms: 3, snapshotMegabytes: 400, problems: [] },
  ],
  growth: { fewUs: 10, manyUs: 20, fewPerSecond: 1, manyPerSecond: 1 },
  verifications: { raftkv: { keysChecked: 10, membersChecked: 3, problems: [] } },
};

test("goals are met or missed by what was measured", () => {
  expect(judgeBench(results).map(({ what, isMet }) => [what, isMet])).toEqual([
    ["put 10x100, rate", true],
    ["put 10x100, p99", true],
    ["1,000 watchers on one key, events", false],
    ["memory with 1,000,000 keys", true],
    ["time to restart with them", true],
    ["put p99 while snapshots are read, of that before", false],
    ["CPU of a put with 5,000,000 keys, of that with 10,000", false],
  ]);
});

test("goals that were not measured are not judged", () => {
  expect(judgeBench({ ...results, cells: [], watch: [], data: [], growth: null })).toEqual([]);
});

test("the page has the goals, the tables and the charts", () => {
  const { page, charts } = markdownReport(results, ["the head"]);
  expect(page).toContain("| put 10x100, rate | 6.00x | at least 5x | yes |");
  expect(page).toContain("| memory with 1,000,000 keys | 0.500x | at most 1x | yes |");
  expect(page).toContain("the head");
  expect(page).toContain("no acknowledged write is missing");
  for (const name of ["rates.svg", "p99.svg"]) {
    expect(page).toContain(`](benchmarks/${name})`);
    expect(charts.get(name)).toMatch(/^<svg [\s\S]*60,000|^<svg [\s\S]*100/);
  }
});
