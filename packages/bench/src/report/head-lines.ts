import type { System } from "../cluster/system.ts";
import type { Environment } from "../environment.ts";
import { formatNumber, formatShare } from "./number-format.ts";

export interface HeadFacts {
  readonly systems: readonly System[];
  readonly environment: Environment;
  readonly keyCount: number;
  readonly keyBytes: number;
  readonly valueBytes: number;
  /** Shares of a core, by name of the system. */
  readonly idleShares: ReadonlyMap<string, number>;
}

const bytesPerGiB = 2 ** 30;

/** What was measured, on what. */
export function formatHead(facts: HeadFacts): readonly string[] {
  const idle = [...facts.idleShares].map(([system, share]) => `${system} ${formatShare(share)}`).join(", ");
  return [
    membersSentence,
    `All connections go to the leader. ${facts.keyCount.toLocaleString("en-US")} keys of ${facts.keyBytes} B, values of ${facts.valueBytes} B; the load is made by one process beside them.`,
    "",
    ...formatSetting(facts.systems, facts.environment),
    ...(idle === ""
      ? []
      : [`idle     ${idle} of a core for a cluster of which nothing is asked; both stay up while the other one is measured`]),
  ];
}

/** How the members of every cluster are set up. */
export const membersSentence =
  "Three members each on one machine, with etcd's defaults (heartbeat 100 ms, election 1000 ms, snapshot after 100,000 writes) but for a quota of 8 GiB.";

/** Which versions ran where. */
export function formatSetting(systems: readonly System[], environment: Environment): readonly string[] {
  const memory = `${Math.round(environment.memoryBytes / bytesPerGiB)} GiB`;
  return [
    ...systems.map((system) => `${system.name.padEnd(9)}${system.version}`),
    `machine  ${environment.cores} cores of ${environment.processor}, ${memory}, ${environment.operatingSystem}, Node.js ${environment.node}`,
    `disk     ${environment.dataInMemory ? "none: the data are in memory (tmpfs)" : `fdatasync of 4 KiB takes ${formatNumber(environment.syncMs)} ms`}`,
  ];
}
