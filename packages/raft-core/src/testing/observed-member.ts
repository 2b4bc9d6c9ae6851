import type { CoreStatus, HardState, LogEntry, LogIndex, NodeId, Term } from "../types.ts";

/** What a loss of power now would leave to a member. */
export interface DurableView {
  /** Null where nobody can tell. */
  readonly hardState: HardState | null;
  /** Whether the entry would be there, or a snapshot that covers it. */
  holds(index: LogIndex, term: Term): boolean;
}

/** One member of a cluster, seen from outside: a core with a test for its driver, or a whole node in a simulation. */
export interface ObservedMember {
  readonly id: NodeId;
  /** What its core says; of a member that is down, what it said last. */
  status(): CoreStatus;
  /** An entry of its log. Undefined where the log is compacted or has not come yet. */
  entryAt(index: LogIndex): LogEntry | undefined;
  /** Null where nobody can look at the disk. */
  readonly durable: DurableView | null;
  /** Equal for equal contents of the state machine at `status().applied`. Null where nobody computes it. */
  readonly stateHash: number | string | null;
}
