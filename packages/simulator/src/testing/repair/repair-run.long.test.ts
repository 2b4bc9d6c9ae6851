import { afterAll, describe, expect, test } from "vitest";
import type { RunEnd } from "./healed-members.ts";
import type { Lie } from "./lying-start.ts";
import { playRepairRun, type RepairTheme, repairThemes } from "./repair-run.ts";
import { RunTotals } from "./run-totals.ts";

const timeout = 120_000;
/** Each plays every theme. */
const seeds = Array.from({ length: 10 }, (_, place) => place + 1);

describe("Whole members whose disks lose what was acknowledged", () => {
  const totals = new RunTotals();

  test.each(seeds)("break no promise, and all who can come back do, seed %i", { timeout }, async (seed) => {
    const ends = new Map<RepairTheme, RunEnd>();
    for (const theme of repairThemes) {
      const report = await playRepairRun({ seed, theme });
      totals.add(report);
      ends.set(theme, report.end);
    }
    expect([ends.get("repair"), ends.get("quarantine")]).toEqual(["alive", "alive"]);
  });

  test("really were damaged, repaired and quarantined, and elected leaders meanwhile", () => {
    for (const name of ["repairsBegun", "repairsEnded", "repairsInterrupted", "quarantines", "electionsDuringRepair"] as const) {
      expect(totals.of(name), name).toBeGreaterThan(0);
    }
    const parts = new Set([...totals.damages.keys()].map((name) => name.split(" ")[0]));
    expect([...parts].sort()).toEqual(["meta", "metaCopy", "segment", "snapshot"]);
    expect(totals.damages.size).toBeGreaterThan(15);
  });

  test("go through the same events in every run of a seed", { timeout }, async () => {
    const [first, second] = [await playRepairRun({ seed: 1, theme: "ruin" }), await playRepairRun({ seed: 1, theme: "ruin" })];
    expect(second).toEqual(first);
  });

  afterAll(() => {
    process.stdout.write(`${totals.text}\n`);
  });
});

/** Seeds that are tried before a lie counts as unnoticed. */
const seedsMax = 30;

/** What the first run that notices the lie says of it, null if none does. */
async function noticed(lie: Lie, theme: RepairTheme): Promise<string | null> {
  for (let seed = 1; seed <= seedsMax; seed++) {
    try {
      await playRepairRun({ seed, theme, lie });
    } catch (reason) {
      return reason instanceof Error ? reason.message : String(reason);
    }
  }
  return null;
}

describe("The watch", () => {
  test("notices members that vote without what they lost", { timeout }, async () => {
    expect(await noticed("nothing lost", "repair")).toContain("Invariant broken");
  });

  test("notices members that forgot their vote", { timeout }, async () => {
    expect(await noticed("never voted", "quarantine")).toMatch(/Invariant broken: member \d+ voted for \d+ and for \d+ in term \d+/);
  });
});
