import type { ApplyResult } from "./apply-result.ts";

/**
 * Follows what is applied on this member. Called between two entries, in the node's turn: it must be quick, must not throw, and must not
 * apply anything itself.
 */
export interface StateObserver {
  /** A command was applied, or refused. */
  applied?(result: ApplyResult): void;
  /** The store was written, and stands at `revision`. */
  written?(revision: number): void;
  /** History was given up. */
  compacted?(): void;
  /** A lease was granted, noted or ended. */
  leaseChanged?(id: bigint): void;
  /** A snapshot replaced everything. */
  restored?(): void;
}
