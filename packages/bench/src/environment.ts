import { closeSync, fdatasyncSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem, type } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { median } from "./statistics.ts";
import type { TestBed } from "./test-bed.ts";

/** The machine that the numbers come from. */
export interface Environment {
  readonly cores: number;
  readonly processor: string;
  readonly memoryBytes: number;
  readonly operatingSystem: string;
  readonly node: string;
  /** In memory, a write is durable for nobody and costs nothing. */
  readonly dataInMemory: boolean;
  /** Median of writing 4 KiB and waiting until they are on the disk. */
  readonly syncMs: number;
}

const tmpfsMagic = 0x01021994;
const syncCount = 64;
const syncBytes = 4096;

/** `directory`: where the members keep their data. */
export function describeEnvironment(directory: string): Environment {
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model.trim() ?? "unknown",
    memoryBytes: totalmem(),
    operatingSystem: `${type()} ${release()}`,
    node: process.version,
    dataInMemory: statfsSync(directory).type === tmpfsMagic,
    syncMs: measureSync(join(directory, "sync-probe")),
  };
}

function measureSync(file: string): number {
  const bytes = Buffer.alloc(syncBytes, 1);
  const descriptor = openSync(file, "w");
  try {
    const times = Array.from({ length: syncCount }, () => {
      const startMs = performance.now();
      writeSync(descriptor, bytes);
      fdatasyncSync(descriptor);
      return performance.now() - startMs;
    });
    return median(times);
  } finally {
    closeSync(descriptor);
    rmSync(file);
  }
}

const idleMs = 3000;

/**
 * Share of one core that each cluster uses while nothing is asked of it, by name of the system; empty where the system does not tell. Both
 * clusters stay up all the time, so this is what one costs the other.
 */
export async function measureIdle(bed: TestBed, signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
  const before = bed.subjects.map(({ cluster }) => cluster.cpu());
  const startMs = performance.now();
  await pause(idleMs, undefined, { signal });
  const durationMs = performance.now() - startMs;
  const shares = new Map<string, number>();
  for (const [place, { cluster }] of bed.subjects.entries()) {
    const after = cluster.cpu();
    const start = before[place] ?? null;
    if (start === null || after === null) continue;
    shares.set(cluster.system.name, (after.leaderMs + after.followersMs - start.leaderMs - start.followersMs) / durationMs);
  }
  return shares;
}
