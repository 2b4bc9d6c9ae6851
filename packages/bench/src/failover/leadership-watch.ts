import { setTimeout as pause } from "node:timers/promises";
import type { Cluster } from "../cluster/cluster.ts";
import { readStatus } from "../cluster/member-channel.ts";
import { LeadershipLog } from "./leadership-log.ts";

const lookEveryMs = 100;
const lookTimeoutMs = 1000;

/** Looks at every member each 100 ms while `during` runs. Resolves to what both found; rejects if `during` does. */
export async function watchLeadership<T>(
  cluster: Cluster,
  during: () => Promise<T>,
): Promise<{ readonly result: T; readonly log: LeadershipLog }> {
  const log = new LeadershipLog();
  const stopped = new AbortController();
  const watches = cluster.members.map(async ({ process, channel }) => {
    while (!stopped.signal.aborted) {
      const nextMs = performance.now() + lookEveryMs;
      log.note({ member: process.plan.name, status: await readStatus(channel, lookTimeoutMs) });
      await pause(Math.max(nextMs - performance.now(), 0));
    }
  });
  try {
    return { result: await during(), log };
  } finally {
    stopped.abort();
    await Promise.all(watches);
  }
}
