import type { LoadModel } from "./load-model.ts";

/** A cluster passes that carries this part of the load. */
const throughputPart = 0.9;
const slowestMsMax = 500;
const deviationMsMax = 100;

export interface Measurement {
  /** Of each write that was answered, in ms. */
  readonly latenciesMs: readonly number[];
  readonly failures: number;
  readonly seconds: number;
}

export interface Verdict {
  readonly passed: boolean;
  readonly lines: readonly string[];
}

/** etcdctl's three conditions, and that no write failed. */
export function judgePerformance({ latenciesMs, failures, seconds }: Measurement, { writesPerSecond }: LoadModel): Verdict {
  const throughput = Math.floor(latenciesMs.length / seconds) + 1;
  const slowestMs = latenciesMs.reduce((slowest, latency) => Math.max(slowest, latency), 0);
  const deviationMs = standardDeviation(latenciesMs);
  const checks: readonly (readonly [boolean, string, string])[] = [
    [throughput > throughputPart * writesPerSecond, `Throughput is ${throughput} writes/s`, `Throughput too low: ${throughput} writes/s`],
    [
      slowestMs <= slowestMsMax,
      `Slowest request took ${secondsText(slowestMs)}`,
      `Slowest request took too long: ${secondsText(slowestMs)}`,
    ],
    [deviationMs <= deviationMsMax, `Stddev is ${secondsText(deviationMs)}`, `Stddev too high: ${secondsText(deviationMs)}`],
    ...(failures === 0 ? [] : [[false, "", `${failures} writes failed`] as const]),
  ];
  const lines = checks.map(([passed, good, bad]) => (passed ? `PASS: ${good}` : `FAIL: ${bad}`));
  const passed = checks.every(([fine]) => fine);
  return { passed, lines: [...lines, passed ? "PASS" : "FAIL"] };
}

function standardDeviation(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

function secondsText(ms: number): string {
  return `${(ms / 1000).toFixed(6)}s`;
}
