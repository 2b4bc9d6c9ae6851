import { PerformanceObserver } from "node:perf_hooks";
import { setTimeout as pause } from "node:timers/promises";
import { MemoryCluster } from "./memory-cluster.ts";

/**
 * `npm run bench -w packages/raft-core`: what the core alone can do. Three members in one process commit entries of 16 bytes; nothing is
 * encoded, sent or synced. Rates are medians of several rounds. Allocation is the growth of the heap over a stretch in which the
 * collector did not run, at all three members together.
 */
const ENTRY_BYTES = 16;
const ROUNDS = 5;

interface Mode {
  readonly name: string;
  /** Entries of one proposal. */
  readonly batch: number;
  /** Proposals that may wait to be committed, each with a turn of its own. */
  readonly pipeline: number;
  readonly entries: number;
}

const modes: readonly Mode[] = [
  { name: "batched, 1,000 entries a proposal", batch: 1000, pipeline: 4, entries: 2_000_000 },
  { name: "batched, 64 entries a proposal", batch: 64, pipeline: 16, entries: 1_000_000 },
  { name: "one by one, 64 in the pipeline", batch: 1, pipeline: 64, entries: 200_000 },
  { name: "one by one, each waits for the one before", batch: 1, pipeline: 1, entries: 100_000 },
];

/** Seconds that it took until all of them were committed at the leader. */
function commit(cluster: MemoryCluster, { batch, pipeline }: Mode, entries: number): number {
  const payloads = Array.from({ length: batch }, () => new Uint8Array(ENTRY_BYTES));
  const { leader } = cluster;
  const goal = leader.commit + entries;
  let proposed = leader.lastIndex;
  const startMs = performance.now();
  while (leader.commit < goal) {
    if (proposed < goal && proposed - leader.commit < batch * pipeline) {
      const outcome = leader.propose(payloads);
      if (outcome.outcome !== "accepted") throw new Error(`A proposal was not accepted: ${JSON.stringify(outcome)}`);
      proposed = outcome.lastIndex;
    }
    cluster.turn();
  }
  return (performance.now() - startMs) / 1000;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

/** Bytes allocated for each entry, or null if the collector ran in every attempt. */
async function allocationPerEntry(mode: Mode): Promise<number | null> {
  let collections = 0;
  const observer = new PerformanceObserver((list) => {
    collections += list.getEntries().length;
  });
  observer.observe({ entryTypes: ["gc"] });
  const cluster = new MemoryCluster();
  commit(cluster, mode, mode.batch * mode.pipeline * 50);
  const entries = Math.min(50_000, mode.entries / 4);
  try {
    for (let attempt = 0; attempt < 5; attempt++) {
      globalThis.gc?.();
      await pause(20);
      collections = 0;
      const before = process.memoryUsage().heapUsed;
      commit(cluster, mode, entries);
      const grown = process.memoryUsage().heapUsed - before;
      await pause(20);
      if (collections === 0) return grown / entries;
    }
    return null;
  } finally {
    observer.disconnect();
  }
}

for (const mode of modes) {
  const cluster = new MemoryCluster();
  commit(cluster, mode, mode.entries / 4);
  const rates = Array.from({ length: ROUNDS }, () => mode.entries / commit(cluster, mode, mode.entries));
  const allocated = await allocationPerEntry(mode);
  const rate = Math.round(median(rates)).toLocaleString("en-US").padStart(10);
  const bytes = allocated === null ? "the collector ran" : `${Math.round(allocated)} bytes allocated an entry`;
  const range = `${Math.round(Math.min(...rates) / 1000)}-${Math.round(Math.max(...rates) / 1000)} k`;
  process.stdout.write(`${mode.name.padEnd(44)} ${rate} entries/s (${range}), ${bytes}\n`);
}
