import { expect, test } from "vitest";
import { playRandomRun, type RunReport } from "./testing/random-run.ts";
import type { RunTheme } from "./testing/random-setup.ts";

const SEEDS = 750;

/** Runs that may end where nobody can be elected, by theme. With members that stay the same and a sound majority, none does. */
const OUTRUN_MAX: Readonly<Record<RunTheme, number>> = {
  free: SEEDS / 100,
  leases: SEEDS / 100,
  fixed: 0,
  damaged: 0,
  ruined: SEEDS / 2,
};

/** Set to run one seed alone: `RAFT_SEED=17 npx vitest run packages/raft-core/src/random-cluster.test.ts -t leases`. */
const onlySeed = process.env["RAFT_SEED"];

function runSeed(seed: number, theme: RunTheme): RunReport {
  try {
    return playRandomRun({ seed, theme });
  } catch (reason) {
    const what = reason instanceof Error ? reason.message : String(reason);
    const replay = `RAFT_SEED=${seed} npx vitest run packages/raft-core/src/random-cluster.test.ts -t "${theme}"`;
    throw new Error(`Seed ${seed} of the theme ${theme} failed at ${what}\nReplay: ${replay}`, { cause: reason });
  }
}

function total(reports: readonly RunReport[], key: keyof RunReport): number {
  return reports.reduce((sum, report) => sum + report[key], 0);
}

test.each(["free", "leases", "fixed", "damaged", "ruined"] as const)(
  "clusters keep every promise through loss, reordering, crashes, damage, snapshots, hand-overs and changes of members: %s",
  (theme) => {
    const seeds = onlySeed === undefined ? Array.from({ length: SEEDS }, (_, place) => place + 1) : [Number(onlySeed)];
    const reports = seeds.map((seed) => runSeed(seed, theme));
    if (onlySeed !== undefined) return;
    expect(total(reports, "committed")).toBeGreaterThan(SEEDS * 50);
    expect(total(reports, "termsLed")).toBeGreaterThan(SEEDS * 4);
    expect(total(reports, "crashes")).toBeGreaterThan(SEEDS * 6);
    expect(total(reports, "snapshotsInstalled")).toBeGreaterThan(SEEDS);
    expect(total(reports, "readsServed")).toBeGreaterThan(SEEDS * 50);
    expect(total(reports, "transfersStarted")).toBeGreaterThan(SEEDS * 4);
    expect(total(reports, "changesApplied")).toBeGreaterThanOrEqual(theme === "fixed" || theme === "damaged" ? 0 : SEEDS * 3);
    expect(total(reports, "repairsBegun")).toBeGreaterThanOrEqual(theme === "damaged" || theme === "ruined" ? SEEDS * 4 : 0);
    expect(total(reports, "repairsEnded")).toBeGreaterThanOrEqual(theme === "damaged" || theme === "ruined" ? SEEDS : 0);
    expect(total(reports, "outrun")).toBeLessThanOrEqual(OUTRUN_MAX[theme]);
  },
);
