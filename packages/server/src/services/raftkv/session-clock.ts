import { encodeAdvanceTimeCommand } from "@raftkv/api";
import type { Clock, RaftNode, Timer } from "@raftkv/raft-node";
import type { ApplyResult } from "../../state/apply-result.ts";
import type { ReplicatedState } from "../../state/replicated-state.ts";

/** Well below the least time after which a session may end. */
const periodMs = 30_000;

export interface SessionClockOptions {
  readonly node: Pick<RaftNode<ApplyResult>, "isLeader" | "submit">;
  readonly state: ReplicatedState;
  readonly clock: Clock;
}

/**
 * Tells the state the time through the log while there are sessions: the leader's clock decides for all members when one has been idle for
 * too long. Each leader has a clock of its own, so a change of leaders may count for a little too much or too little.
 */
export class SessionClock {
  private readonly options: SessionClockOptions;
  private timer: Timer | null = null;

  constructor(options: SessionClockOptions) {
    this.options = options;
    this.armTimer();
  }

  stop(): void {
    this.timer?.cancel();
  }

  private armTimer(): void {
    this.timer = this.options.clock.setTimer(periodMs, () => {
      this.armTimer();
      this.tell();
    });
  }

  private tell(): void {
    const { node, state, clock } = this.options;
    if (!node.isLeader || state.store.sessions.count === 0) return;
    const readingMs = Math.floor(clock.monotonicMs());
    // What is lost is made up for by the next one.
    node.submit(encodeAdvanceTimeCommand(readingMs), { succeed: () => {}, fail: () => {} });
  }
}
