import type { Clock, RaftNode, Timer } from "@raftkv/raft-node";
import type { ApplyResult } from "../state/apply-result.ts";

/** As etcd's: looks in a row, an election time-out apart, that find no leader. */
const looksMax = 3;

export interface LeaderLossOptions {
  readonly node: Pick<RaftNode<ApplyResult>, "leader">;
  readonly clock: Clock;
  readonly electionMs: number;
}

/** Tells those who want a leader that there has been none for too long: streams with the metadata `hasleader`, which end then. */
export class LeaderLoss {
  private readonly options: LeaderLossOptions;
  private readonly listeners = new Set<() => void>();
  private timer: Timer | null = null;
  private looksWithoutLeader = 0;

  constructor(options: LeaderLossOptions) {
    this.options = options;
  }

  /** `onLost` is called once at most. The result takes it back. */
  listen(onLost: () => void): () => void {
    this.listeners.add(onLost);
    if (this.timer === null) {
      this.looksWithoutLeader = 0;
      this.schedule();
    }
    return () => this.forget(onLost);
  }

  private forget(onLost: () => void): void {
    this.listeners.delete(onLost);
    if (this.listeners.size > 0) return;
    this.timer?.cancel();
    this.timer = null;
  }

  private schedule(): void {
    const { clock, electionMs } = this.options;
    this.timer = clock.setTimer(electionMs, () => this.look());
  }

  private look(): void {
    this.timer = null;
    this.looksWithoutLeader = this.options.node.leader === 0 ? this.looksWithoutLeader + 1 : 0;
    if (this.looksWithoutLeader >= looksMax) {
      const lost = [...this.listeners];
      this.listeners.clear();
      for (const onLost of lost) onLost();
    }
    if (this.listeners.size > 0) this.schedule();
  }
}
