import { expect, test } from "vitest";
import { playRandomRun, type RunReport } from "./random-run.ts";
import type { RunTheme } from "./random-setup.ts";

const THEMES: readonly RunTheme[] = ["free", "leases", "fixed", "damaged", "ruined"];

/** How many of a hundred runs may end where nobody can be elected. With members that stay the same and a sound majority, none does. */
const OUTRUN_MAX: Readonly<Record<RunTheme, number>> = { free: 1, leases: 1, fixed: 0, damaged: 0, ruined: 50 };

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

export interface RandomRuns {
  readonly first: number;
  readonly count: number;
  /** Set to play this seed alone: `RAFT_SEED=17 npx vitest run packages/raft-core/src/random-cluster.test.ts -t leases`. */
  readonly onlySeed: string | undefined;
}

/** Tests that play `count` random runs of each theme, from the seed `first` on. */
export function describeRandomClusters({ first, count, onlySeed }: RandomRuns): void {
  test.each(THEMES)(
    "clusters keep every promise through loss, reordering, crashes, damage, snapshots, hand-overs and changes of members: %s",
    (theme) => {
      const seeds = onlySeed === undefined ? Array.from({ length: count }, (_, place) => first + place) : [Number(onlySeed)];
      const reports = seeds.map((seed) => runSeed(seed, theme));
      if (onlySeed !== undefined) return;
      expect(total(reports, "committed")).toBeGreaterThan(count * 50);
      expect(total(reports, "termsLed")).toBeGreaterThan(count * 4);
      expect(total(reports, "crashes")).toBeGreaterThan(count * 6);
      expect(total(reports, "snapshotsInstalled")).toBeGreaterThan(count);
      expect(total(reports, "readsServed")).toBeGreaterThan(count * 50);
      expect(total(reports, "transfersStarted")).toBeGreaterThan(count * 4);
      expect(total(reports, "resignationsStarted")).toBeGreaterThan(count * 4);
      expect(total(reports, "changesApplied")).toBeGreaterThanOrEqual(theme === "fixed" || theme === "damaged" ? 0 : count * 3);
      expect(total(reports, "repairsBegun")).toBeGreaterThanOrEqual(theme === "damaged" || theme === "ruined" ? count * 4 : 0);
      expect(total(reports, "repairsEnded")).toBeGreaterThanOrEqual(theme === "damaged" || theme === "ruined" ? count : 0);
      expect(total(reports, "outrun")).toBeLessThanOrEqual((OUTRUN_MAX[theme] / 100) * count);
    },
  );
}
