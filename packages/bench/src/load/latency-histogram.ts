import { createHistogram } from "node:perf_hooks";

export interface LatencySummary {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const nsPerMs = 1e6;
const highestNs = 60_000 * nsPerMs;

/** Latencies in nanoseconds with three significant figures (HdrHistogram, as Node.js has it). */
export class LatencyHistogram {
  readonly #histogram = createHistogram({ lowest: 1000, highest: highestNs, figures: 3 });

  record(latencyMs: number): void {
    this.#histogram.record(Math.min(highestNs, Math.max(1, Math.round(latencyMs * nsPerMs))));
  }

  /** Zeros if nothing was recorded. */
  summary(): LatencySummary {
    const histogram = this.#histogram;
    if (histogram.count === 0) return { p50Ms: 0, p99Ms: 0, maxMs: 0 };
    return { p50Ms: histogram.percentile(50) / nsPerMs, p99Ms: histogram.percentile(99) / nsPerMs, maxMs: histogram.max / nsPerMs };
  }
}
