import { playRandomRun } from "../testing/random-run.ts";
import type { RunTheme } from "../testing/random-setup.ts";
import { type ScenarioName, scenarios } from "./scenarios.ts";

/** What the bundle of a core, sound or not, offers: runs that throw if it breaks a promise. */
export interface CoreOnTrial {
  readonly playSeed: (seed: number, theme: RunTheme) => void;
  readonly playScenario: (name: ScenarioName) => void;
}

const EVENTS = 6000;

export const coreOnTrial: CoreOnTrial = {
  playSeed: (seed, theme) => void playRandomRun({ seed, theme }, EVENTS),
  playScenario: (name) => scenarios[name](),
};
