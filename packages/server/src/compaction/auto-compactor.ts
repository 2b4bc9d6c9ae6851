import { create, encodeRequestCommand, etcdserverpb, toBinary } from "@raftkv/api";
import type { Clock, Logger, RaftNode, Timer } from "@raftkv/raft-node";
import type { ApplyResult } from "../state/apply-result.ts";
import type { CompactionPlan } from "./compaction-plan.ts";

export interface AutoCompactorOptions {
  readonly plan: CompactionPlan;
  readonly node: Pick<RaftNode<ApplyResult>, "isLeader" | "submit">;
  readonly store: { readonly revision: number };
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Gives up history by itself: every member follows the plan, and the one that leads proposes. */
export class AutoCompactor {
  private readonly options: AutoCompactorOptions;
  private timer: Timer | null = null;
  private isProposing = false;

  constructor(options: AutoCompactorOptions) {
    this.options = options;
    this.armTimer();
  }

  stop(): void {
    this.timer?.cancel();
  }

  private armTimer(): void {
    const { clock, plan } = this.options;
    this.timer = clock.setTimer(plan.stepMs, () => {
      this.armTimer();
      this.step();
    });
  }

  private step(): void {
    const { plan, node, store, clock } = this.options;
    const revision = plan.due(clock.monotonicMs(), store.revision);
    if (revision !== null && node.isLeader && !this.isProposing) this.compact(revision);
  }

  private compact(revision: number): void {
    const { plan, node, clock, logger } = this.options;
    const request = create(etcdserverpb.CompactionRequestSchema, { revision: BigInt(revision) });
    this.isProposing = true;
    node.submit(encodeRequestCommand("compaction", toBinary(etcdserverpb.CompactionRequestSchema, request)), {
      succeed: (result) => {
        this.isProposing = false;
        const isDone = result.outcome === "compacted" || (result.outcome === "refused" && result.reason === "compacted");
        if (isDone) plan.compacted(clock.monotonicMs());
        else logger.warn("the automatic compaction was refused", { revision, result });
        if (result.outcome === "compacted") logger.info("compacted the history automatically", { revision });
      },
      fail: (error) => {
        this.isProposing = false;
        logger.warn("the automatic compaction failed, it is tried again", { revision, error });
      },
    });
  }
}
