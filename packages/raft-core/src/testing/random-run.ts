import { HealedCluster } from "./healed-cluster.ts";
import { RandomCluster, type RandomRun, type RunCounts } from "./random-cluster.ts";

export interface RunReport extends RunCounts {
  readonly committed: number;
  readonly termsLed: number;
  /** 1 for a cluster that ended where nobody can be elected. */
  readonly outrun: number;
}

/** Enough for some elections, conflicts, snapshots and changes of members. */
export const EVENTS = 6000;

/** Runs `events` faulty events, then heals everything and demands that the cluster comes to life. Throws what went wrong, and when. */
export function playRandomRun(run: RandomRun, events = EVENTS): RunReport {
  const cluster = new RandomCluster(run);
  let event = 0;
  let end: "alive" | "outrun" = "alive";
  try {
    for (; event < events; event++) cluster.happen();
    end = new HealedCluster(cluster).demandLife();
  } catch (reason) {
    const what = reason instanceof Error ? reason.message : String(reason);
    throw new Error(`event ${event}: ${what}`, { cause: reason });
  }
  const { committedTo, termsLed } = cluster.invariants;
  return { ...cluster.counts, committed: committedTo, termsLed, outrun: end === "outrun" ? 1 : 0 };
}
