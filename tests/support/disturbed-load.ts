import { expect } from "vitest";
import { eventually } from "./eventually.ts";
import { runHistoryLoad } from "./history-load.ts";
import type { ProcessCluster } from "./process-cluster.ts";
import type { WriteHistory } from "./write-history.ts";

/** Clients write and read while `disturb` does what it does; it is told how many writes were acknowledged so far. */
export async function loadWhile(
  running: ProcessCluster,
  writes: number,
  disturb: (acknowledged: () => number) => Promise<void>,
): Promise<WriteHistory> {
  let acknowledged = 0;
  const load = runHistoryLoad({ cluster: running, writes, onProgress: (count) => (acknowledged = count) });
  const disturbance = disturb(() => acknowledged);
  const [history] = await Promise.all([load, disturbance]);
  return history;
}

/** All members hold the same, and all of what was acknowledged. */
export async function expectIntact(running: ProcessCluster, history: WriteHistory): Promise<void> {
  const first = await eventually(async () => running.members[0]?.endpoint.all("linearizable"));
  for (const member of running.members) {
    await eventually(async () => {
      const state = await member.endpoint.all("linearizable");
      expect(state).toEqual(first);
      expect(history.violations(state), member.name).toEqual([]);
    });
    // The linearizable read brought the member up to date: what it has itself must be the same.
    expect(await member.endpoint.all("serializable")).toEqual(first);
  }
}
