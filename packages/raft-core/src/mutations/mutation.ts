import type { RunTheme } from "../testing/random-setup.ts";
import type { ScenarioName } from "./scenarios.ts";

/** `find` stands in the file exactly once. Files are named from the source folder on. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A mistake that somebody could make in the core, and where it has to show: in random clusters or in a scenario. */
export interface Mutation {
  /** What the core does wrong. */
  readonly name: string;
  readonly edits: readonly Edit[];
  readonly shownBy: RunTheme | ScenarioName;
}
