import type { Ports, RaftNode } from "@raftkv/raft-node";
import { AutoCompactor } from "./compaction/auto-compactor.ts";
import { type CompactionPlan, PeriodicPlan, RevisionPlan } from "./compaction/compaction-plan.ts";
import { StoreReclaimer } from "./compaction/store-reclaimer.ts";
import type { AutoCompaction, StoreConfig } from "./config/store-config.ts";
import { SessionClock } from "./services/raftkv/session-clock.ts";
import { SpaceAlarm } from "./space/space-alarm.ts";
import type { ApplyResult } from "./state/apply-result.ts";
import type { ReplicatedState } from "./state/replicated-state.ts";

export interface StoreUpkeepOptions {
  readonly config: StoreConfig;
  readonly node: Pick<RaftNode<ApplyResult>, "isLeader" | "submit">;
  readonly state: ReplicatedState;
  readonly memberId: bigint;
  readonly ports: Pick<Ports, "clock" | "logger">;
}

/** What a member does by itself so that its store does not grow for ever: quota, compaction, giving memory back, ending sessions. */
export class StoreUpkeep {
  readonly space: SpaceAlarm;
  readonly reclaimer: StoreReclaimer;
  private readonly sessionClock: SessionClock;
  private readonly compactor: AutoCompactor | null;

  constructor({ config, node, state, memberId, ports: { clock, logger } }: StoreUpkeepOptions) {
    const { store, alarms } = state;
    this.space = new SpaceAlarm({ node, alarms, store, quotaBytes: config.quotaBytes, memberId, clock, logger });
    this.reclaimer = new StoreReclaimer({ store, clock });
    state.observe(this.reclaimer);
    this.sessionClock = new SessionClock({ node, state, clock });
    const plan = planOf(config.autoCompaction, { nowMs: clock.monotonicMs(), revision: store.revision });
    this.compactor = plan === null ? null : new AutoCompactor({ plan, node, store, clock, logger });
  }

  stop(): void {
    this.space.stop();
    this.reclaimer.stop();
    this.sessionClock.stop();
    this.compactor?.stop();
  }
}

function planOf(choice: AutoCompaction, start: { readonly nowMs: number; readonly revision: number }): CompactionPlan | null {
  switch (choice.mode) {
    case "off":
      return null;
    case "periodic":
      return new PeriodicPlan(choice.periodMs, start);
    case "revision":
      return new RevisionPlan(choice.revisions);
    default:
      return choice satisfies never;
  }
}
