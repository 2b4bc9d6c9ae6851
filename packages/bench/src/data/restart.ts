import { setTimeout as pause } from "node:timers/promises";
import type { StoredData } from "./stored-data.ts";

const stopGraceMs = 60_000;
const restartMaxMs = 300_000;
const askEveryMs = 20;

/**
 * Ends all members in order and starts them again on their data: milliseconds until one of them counts every key, by a linearizable read. Rejects if
 * that does not come.
 */
export async function measureRestart(data: StoredData, signal: AbortSignal): Promise<number> {
  const processes = data.cluster.members.map(({ process }) => process);
  await Promise.all(processes.map((process) => process.stop(stopGraceMs)));
  const startMs = performance.now();
  for (const process of processes) process.restart();
  for (;;) {
    for (const { plan } of processes) if ((await data.countThrough(plan.clientPort)) === data.stored) return performance.now() - startMs;
    if (performance.now() - startMs > restartMaxMs)
      throw new Error(`${data.cluster.system.name} did not come back within ${restartMaxMs / 1000} s`);
    await pause(askEveryMs, undefined, { signal });
  }
}
