import type { LatencySummary } from "../load/latency-histogram.ts";
import type { LoadShape } from "../load/load-shape.ts";

/** One implementation that is measured: a server under a load, or a client that makes one. */
export interface Contestant {
  readonly name: string;
  /** Runs the load once. Rejects with the reason of the signal. */
  turn(load: TurnLoad, signal: AbortSignal): Promise<Turn>;
}

export interface TurnLoad extends LoadShape {
  /** Before anything counts. */
  readonly warmUpMs: number;
  readonly durationMs: number;
}

/** What one run of the load has shown. */
export interface Turn {
  readonly ratePerSecond: number;
  readonly latency: LatencySummary;
  /** Of the process that is measured, for each call. Null where nobody counts. */
  readonly cpuUs: number | null;
  /** On V8's heap, for each call. Null where nobody counts. */
  readonly allocatedBytes: number | null;
  /** What went wrong, or null. */
  readonly failure: string | null;
}
