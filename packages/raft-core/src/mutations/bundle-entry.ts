import { playRandomRun } from "../testing/random-run.ts";
import type { RunTheme } from "../testing/random-setup.ts";
import { type ScenarioName, scenarios } from "./scenarios.ts";

/** What the bundle of a core, sound or not, offers: runs that throw if it breaks a promise. */
export const coreOnTrial = {
  playSeed: (seed: number, theme: RunTheme): void => void playRandomRun({ seed, theme }),
  playScenario: (name: ScenarioName): void => scenarios[name](),
};
