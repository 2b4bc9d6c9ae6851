import type { Heartbeat, NodeId } from "@raftkv/raft-core";
import type { Clock } from "@raftkv/raft-node";

interface Beat {
  term: number;
  sentMs: number;
}

/**
 * Counts heartbeats that a leader sent later than two of its intervals after the one before: its disk or its processor keeps it from its
 * work, and the others may soon elect another one.
 */
export class HeartbeatPunctuality {
  lateCount = 0;
  private readonly clock: Clock;
  private readonly heartbeatMs: number;
  /** Grows to the number of members. */
  private readonly last = new Map<NodeId, Beat>();

  constructor(clock: Clock, heartbeatMs: number) {
    this.clock = clock;
    this.heartbeatMs = heartbeatMs;
  }

  sent({ to, term }: Pick<Heartbeat, "to" | "term">): void {
    const nowMs = this.clock.monotonicMs();
    const last = this.last.get(to);
    if (last === undefined) {
      this.last.set(to, { term, sentMs: nowMs });
      return;
    }
    // The first of a leadership can't be late.
    if (last.term === term && nowMs - last.sentMs > 2 * this.heartbeatMs) this.lateCount++;
    last.term = term;
    last.sentMs = nowMs;
  }
}
