import type { BenchOptions } from "../bench-options.ts";
import type { DataFigures, GrowthFigures } from "../data/data-run.ts";
import type { Environment } from "../environment.ts";
import type { Verification } from "../verification.ts";
import type { WatchSummary } from "../watch/watch-summary.ts";
import type { CellSummary } from "./cell-summary.ts";

/** Everything that one run measured. */
export interface BenchResults {
  /** By name of the system. */
  readonly versions: Readonly<Record<string, string>>;
  readonly environment: Environment;
  readonly options: BenchOptions;
  /** Shares of a core, by name of the system. */
  readonly idleShares: Readonly<Record<string, number>>;
  readonly cells: readonly CellSummary[];
  readonly watch: readonly WatchSummary[];
  readonly data: readonly DataFigures[];
  readonly growth: GrowthFigures | null;
  /** By name of the system. */
  readonly verifications: Readonly<Record<string, Verification>>;
}
