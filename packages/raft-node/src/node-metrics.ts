import type { LogIndex, RepairStatus } from "@raftkv/raft-core";
import type { LogStoreMetrics, LostEntries } from "./log-store.ts";

/**
 * - `sound`: takes part
 * - `repairing`: lost entries that it may have acknowledged; follows, but gives no vote before it has them again
 * - `quarantined`: can't stand by what it acknowledged, and only watches
 */
export type MemberState = "sound" | "repairing" | "quarantined";

/** What is lost, and how far it has come back. */
export type MemberRepairStatus = LostEntries & RepairStatus;

/** How a member stands and what it counted since it started. Put together when somebody asks. */
export interface NodeMetrics {
  readonly memberState: MemberState;
  /** Null for a sound member. */
  readonly repair: MemberRepairStatus | null;
  readonly hasLeader: boolean;
  readonly isLeader: boolean;
  readonly isLearner: boolean;
  /** How often another member, or this one, was seen to lead. */
  readonly leaderChanges: number;
  readonly commit: LogIndex;
  readonly applied: LogIndex;
  /** Proposals of this member that wait, and those that failed. */
  readonly proposalsPending: number;
  readonly proposalsFailed: number;
  readonly log: LogStoreMetrics;
}
