import { create, encodeRequestCommand, etcdserverpb, toBinary } from "@raftkv/api";
import type { Clock, Logger, RaftNode, Timer } from "@raftkv/raft-node";
import type { AlarmTable } from "../state/alarm-table.ts";
import type { ApplyResult } from "../state/apply-result.ts";
import { type MeasuredStore, SpaceQuota } from "./space-quota.ts";

const { AlarmRequest_AlarmAction: Action, AlarmRequestSchema, AlarmType } = etcdserverpb;

/** How often this member looks whether its alarm can end. */
const lookMs = 1_000;
/** Space has to be there for as long before the alarm ends. */
const roomyMs = 5_000;

export interface SpaceAlarmOptions {
  readonly node: Pick<RaftNode<ApplyResult>, "submit">;
  readonly alarms: Pick<AlarmTable, "isRaised">;
  readonly store: MeasuredStore;
  /** Bytes that the store of this member may take; Infinity for no limit. */
  readonly quotaBytes: number;
  readonly memberId: bigint;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Raises this member's alarm NOSPACE when its quota is exceeded, and ends it when space has been there again for a while: nobody has to be
 * called at night for what a compaction has mended. Both through the log, since the alarm binds all members.
 *
 *     none ── a request is refused ──► raised ── 5 s with 10 % of the quota free, or DEACTIVATE ──► none
 */
export class SpaceAlarm {
  readonly quota: SpaceQuota;
  private readonly options: SpaceAlarmOptions;
  private timer: Timer | null = null;
  /** One proposal at a time. */
  private isProposing = false;
  private roomySinceMs: number | null = null;

  constructor(options: SpaceAlarmOptions) {
    const { store, quotaBytes } = options;
    this.options = options;
    this.quota = new SpaceQuota({ store, limitBytes: quotaBytes, onExceeded: () => this.raise() });
    this.armTimer();
  }

  stop(): void {
    this.timer?.cancel();
  }

  /** Called for every request that the quota refuses. */
  private raise(): void {
    const { logger, quotaBytes } = this.options;
    if (this.isProposing || this.isRaised) return;
    logger.error("the store has reached its quota, writes that need space are refused", { quotaBytes });
    this.propose(Action.ACTIVATE);
  }

  private get isRaised(): boolean {
    const { alarms, memberId } = this.options;
    return alarms.isRaised({ memberId, kind: AlarmType.NOSPACE });
  }

  private armTimer(): void {
    this.timer = this.options.clock.setTimer(lookMs, () => {
      this.armTimer();
      this.look();
    });
  }

  private look(): void {
    if (!this.isRaised || !this.quota.isRoomy) {
      this.roomySinceMs = null;
      return;
    }
    const nowMs = this.options.clock.monotonicMs();
    this.roomySinceMs ??= nowMs;
    if (nowMs - this.roomySinceMs < roomyMs || this.isProposing) return;
    this.options.logger.info("the store is below its quota again, the alarm ends");
    this.propose(Action.DEACTIVATE);
  }

  /** What fails is tried again: by the next refused request, or the next look. */
  private propose(action: etcdserverpb.AlarmRequest_AlarmAction): void {
    const { node, memberId } = this.options;
    const request = create(AlarmRequestSchema, { action, memberID: memberId, alarm: AlarmType.NOSPACE });
    const done = (): void => {
      this.isProposing = false;
    };
    this.isProposing = true;
    node.submit(encodeRequestCommand("alarm", toBinary(AlarmRequestSchema, request)), { succeed: done, fail: done });
  }
}
