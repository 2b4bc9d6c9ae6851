import type { LatencyHistogram } from "../load/latency-histogram.ts";
import type { DurableLog } from "./durable-log.ts";
import type { RandomBytes } from "./random-bytes.ts";

export interface AppendLoad {
  readonly entryBytes: number;
  /** Each appends again as soon as its entry is durable. */
  readonly callers: number;
  readonly random: RandomBytes;
  /** Gets the time of each append. */
  readonly latencies: LatencyHistogram;
}

export interface AppendTurn {
  readonly appends: number;
  /** Until the last append was durable. */
  readonly elapsedMs: number;
}

/** Appends to `log` until `isOver` says so. Rejects with the first failure. */
export async function appendUntil(log: DurableLog, load: AppendLoad, isOver: () => boolean): Promise<AppendTurn> {
  const startMs = performance.now();
  let appends = 0;
  const call = async (): Promise<void> => {
    while (!isOver()) {
      const calledMs = performance.now();
      await log.append(load.random.take(load.entryBytes));
      load.latencies.record(performance.now() - calledMs);
      appends += 1;
    }
  };
  await Promise.all(Array.from({ length: load.callers }, call));
  return { appends, elapsedMs: performance.now() - startMs };
}

/** True from `durationMs` after now on. */
export function after(durationMs: number): () => boolean {
  const endMs = performance.now() + durationMs;
  return () => performance.now() >= endMs;
}
