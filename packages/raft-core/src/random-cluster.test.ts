import { expect, test } from "vitest";
import { RandomCluster, type RunReport } from "./testing/random-cluster.ts";

const SEEDS = 300;
const EVENTS = 3000;

/** Set to run one seed alone: `RAFT_SEED=17 npx vitest run packages/raft-core/src/random-cluster.test.ts`. */
const onlySeed = process.env["RAFT_SEED"];

function runSeed(seed: number, size: number): RunReport {
  try {
    return new RandomCluster({ seed, size }).run(EVENTS);
  } catch (reason) {
    const what = reason instanceof Error ? reason.message : String(reason);
    const replay = `RAFT_SEED=${seed} npx vitest run packages/raft-core/src/random-cluster.test.ts -t "${size} members"`;
    throw new Error(`Seed ${seed} with ${size} members failed at ${what}\nReplay: ${replay}`, { cause: reason });
  }
}

function total(reports: readonly RunReport[], key: keyof RunReport): number {
  return reports.reduce((sum, report) => sum + report[key], 0);
}

test.each([3, 5])("%i members keep every promise through loss, repetition, reordering, crashes and snapshots", (size) => {
  const seeds = onlySeed === undefined ? Array.from({ length: SEEDS }, (_, place) => place + 1) : [Number(onlySeed)];
  const reports = seeds.map((seed) => runSeed(seed, size));
  if (onlySeed !== undefined) return;
  expect(total(reports, "committed")).toBeGreaterThan(SEEDS * 20);
  expect(total(reports, "termsLed")).toBeGreaterThan(SEEDS * 2);
  expect(total(reports, "crashes")).toBeGreaterThan(SEEDS * 5);
  expect(total(reports, "snapshotsInstalled")).toBeGreaterThan(SEEDS / 5);
  expect(total(reports, "readsServed")).toBeGreaterThan(SEEDS * 5);
});
