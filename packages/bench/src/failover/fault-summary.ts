import type { SystemName } from "../cluster/system.ts";
import { percentile } from "../statistics.ts";
import type { TrialResult } from "./failover-trial.ts";
import type { FaultName } from "./fault.ts";
import type { TrialTimes } from "./trial-timeline.ts";

/** Milliseconds; p99 of fewer than 100 trials is the worst. */
export interface Quantiles {
  readonly min: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

/** What the trials of one system under one fault come to. */
export interface FaultSummary {
  readonly fault: FaultName;
  readonly system: SystemName;
  readonly trials: number;
  /** Trials without times. */
  readonly failures: number;
  /** Of the trials that did not fail, by kind of time; null if all did. */
  readonly times: Readonly<Record<keyof TrialTimes, Quantiles>> | null;
}

/** How long RaftKV may take no writes. */
export interface FaultTarget {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export const targets: Readonly<Record<FaultName, FaultTarget>> = {
  kill: { p50Ms: 150, p99Ms: 500 },
  pause: { p50Ms: 700, p99Ms: 1500 },
  stop: { p50Ms: 6, p99Ms: 15 },
};

/** One summary for each fault and system, in the order in which they came first, systems of a fault together. */
export function summarizeFaults(results: readonly TrialResult[]): readonly FaultSummary[] {
  const faults = [...new Set(results.map(({ fault }) => fault))];
  const systems = [...new Set(results.map(({ system }) => system))];
  return faults.flatMap((fault) =>
    systems.map((system) =>
      summarize(
        fault,
        system,
        results.filter((result) => result.fault === fault && result.system === system),
      ),
    ),
  );
}

/** Does RaftKV hold its target? Null for other systems. A failed trial misses it. */
export function meetsTarget({ fault, system, failures, times }: FaultSummary): boolean | null {
  if (system !== "raftkv") return null;
  const { p50Ms, p99Ms } = targets[fault];
  return failures === 0 && times !== null && times.failoverMs.p50 <= p50Ms && times.failoverMs.p99 <= p99Ms;
}

function summarize(fault: FaultName, system: SystemName, results: readonly TrialResult[]): FaultSummary {
  const times = results.flatMap((result) => (result.times === null ? [] : [result.times]));
  const quantiles = (kind: keyof TrialTimes): Quantiles => quantilesOf(times.map((one) => one[kind]));
  return {
    fault,
    system,
    trials: results.length,
    failures: results.length - times.length,
    times:
      times.length === 0
        ? null
        : {
            firstMs: quantiles("firstMs"),
            failoverMs: quantiles("failoverMs"),
            bothMs: quantiles("bothMs"),
            silenceMs: quantiles("silenceMs"),
          },
  };
}

function quantilesOf(values: readonly number[]): Quantiles {
  return { min: Math.min(...values), p50: percentile(values, 50), p90: percentile(values, 90), p99: percentile(values, 99) };
}
