import { describe, expect, test } from "vitest";
import type { Mutation } from "./mutation.ts";
import { mutations } from "./mutations.ts";
import { type CoreOnTrial, occurrences, patchedCore } from "./patched-core.ts";
import { type ScenarioName, scenarios } from "./scenarios.ts";

/** Random clusters that a planted mistake may survive. Most show in the first few, the most hidden ones in one of sixty. */
const SEEDS_MAX = 600;
/** The core as it is plays all of them, and more, in random-cluster.test.ts. */
const SEEDS_AS_IT_IS = 30;

function isScenario(name: string): name is ScenarioName {
  return name in scenarios;
}

/** Plays what should show the mistake until something breaks, and says what; null if nothing did. */
function whatBreaks(core: CoreOnTrial, shownBy: Mutation["shownBy"], seeds: number): string | null {
  try {
    if (isScenario(shownBy)) core.playScenario(shownBy);
    else for (let seed = 1; seed <= seeds; seed++) core.playSeed(seed, shownBy);
    return null;
  } catch (reason) {
    return String(reason);
  }
}

describe("a mistake planted in the core is noticed", () => {
  test.each(mutations)("$name", async ({ edits, shownBy }) => {
    const core = await patchedCore(edits);
    expect(whatBreaks(core, shownBy, SEEDS_MAX)).not.toBeNull();
  });
});

test("a repair that ends without anything coming back loses a committed entry", async () => {
  const hasty = mutations.filter(({ name }) => name === "a repair ends without anything coming back");
  const core = await patchedCore(hasty.flatMap(({ edits }) => edits));
  const shownBy = "a committed entry outlives the damage of a member that acknowledged it";
  expect(whatBreaks(core, shownBy, 0)).toMatch(/leads and lacks the committed entry 2$/);
  expect(whatBreaks(core, "damaged", SEEDS_AS_IT_IS)).toMatch(/ends its repair without the committed entry \d+, which it had acknowledged/);
});

test("every planted mistake changes exactly one place each time, and has a name of its own", async () => {
  const edits = mutations.flatMap((mutation) => mutation.edits);
  const counts = await Promise.all(edits.map(async (edit) => ({ edit, count: await occurrences(edit) })));
  expect(counts.filter(({ count }) => count !== 1)).toEqual([]);
  expect(new Set(mutations.map(({ name }) => name)).size).toBe(mutations.length);
});

test("the core as it is passes everything that shows a mistake", async () => {
  const core = await patchedCore([]);
  for (const shownBy of new Set(mutations.map((mutation) => mutation.shownBy))) {
    expect(whatBreaks(core, shownBy, SEEDS_AS_IT_IS), shownBy).toBeNull();
  }
});
