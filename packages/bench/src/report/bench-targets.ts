import type { DataFigures } from "../data/data-run.ts";
import type { BenchResults } from "./bench-results.ts";
import type { CellRatios } from "./cell-summary.ts";

/** A goal, and what was measured of it. */
export interface Verdict {
  readonly what: string;
  readonly measured: number;
  readonly target: number;
  /** Whether more or less than the target is wanted. */
  readonly wanted: "at least" | "at most";
  readonly isMet: boolean;
}

/** The goals that can be judged by these results; those of ratios need etcd beside RaftKV. */
export function judgeBench(results: BenchResults): readonly Verdict[] {
  return [...judgeCells(results), ...judgeWatch(results), ...judgeData(results), ...judgeGrowth(results)];
}

function judgeCells({ cells }: BenchResults): readonly Verdict[] {
  const ratios = (workload: string, load: string): CellRatios | null =>
    cells.find((cell) => cell.workload === workload && cell.load === load)?.ratios ?? null;
  const busy = "10x100";
  return [
    atLeast("put 10x100, rate", ratios("put", busy)?.rate.median, 5),
    atMost("put 10x100, p99", ratios("put", busy)?.p99.median, 0.25),
    atMost("put 1x1, p50", ratios("put", "1x1")?.p50.median, 0.7),
    atLeast("txn 10x100, rate", ratios("txn", busy)?.rate.median, 8),
    atLeast("range 10x100, rate", ratios("range", busy)?.rate.median, 10),
    atLeast("serializable 10x100, rate", ratios("serializable", busy)?.rate.median, 10),
    atLeast("lease 10x100, rate", ratios("lease", busy)?.rate.median, 5),
  ].flat();
}

function judgeWatch({ watch }: BenchResults): readonly Verdict[] {
  return watch.flatMap(({ title, ratio }) => atLeast(`${title}, events`, ratio?.median, 5));
}

function judgeData({ data }: BenchResults): readonly Verdict[] {
  const of = (name: string): DataFigures | undefined => data.find(({ system }) => system === name);
  const [raftkv, etcd] = [of("raftkv"), of("etcd")];
  return [
    atMost("memory with 1,000,000 keys", ratio(raftkv?.residentBytes, etcd?.residentBytes), 1),
    atMost("time to restart with them", ratio(raftkv?.restartMs, etcd?.restartMs), 1),
    atMost("put p99 while snapshots are read, of that before", ratio(raftkv?.snapshotP99Ms, raftkv?.quietP99Ms), 2),
  ].flat();
}

function judgeGrowth({ growth }: BenchResults): readonly Verdict[] {
  return atMost("CPU of a put with 5,000,000 keys, of that with 10,000", ratio(growth?.manyUs, growth?.fewUs), 1.5);
}

function ratio(value: number | null | undefined, base: number | null | undefined): number | undefined {
  return typeof value === "number" && typeof base === "number" ? value / base : undefined;
}

function atLeast(what: string, measured: number | undefined, target: number): readonly Verdict[] {
  return measured === undefined ? [] : [{ what, measured, target, wanted: "at least", isMet: measured >= target }];
}

function atMost(what: string, measured: number | undefined, target: number): readonly Verdict[] {
  return measured === undefined ? [] : [{ what, measured, target, wanted: "at most", isMet: measured <= target }];
}
