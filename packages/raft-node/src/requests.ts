import type { LogIndex, SoftState } from "@raftkv/raft-core";
import { LeadershipTransfer } from "./leadership-transfer.ts";
import { MembershipChanges } from "./membership-changes.ts";
import type { NodeError } from "./node-error.ts";
import type { ResolvedNodeOptions } from "./node-options.ts";
import { Proposals } from "./proposals.ts";
import { Reads } from "./reads.ts";

/** Everything that callers of this member wait for. What happens to the member happens to all of it. */
export class Requests<Result> {
  readonly proposals: Proposals<Result>;
  readonly changes: MembershipChanges;
  readonly reads: Reads;
  readonly transfer: LeadershipTransfer;

  constructor({ random, logger, timing, requestTimeoutMs: timeoutMs, requestsMax, requestBytesMax }: ResolvedNodeOptions<Result>) {
    const onCompletionError = (error: unknown): void => logger.error("an answer could not be given", { error });
    const limits = { countMax: requestsMax, timeoutMs, onCompletionError };
    this.proposals = new Proposals({ ...limits, random, bytesMax: requestBytesMax });
    this.changes = new MembershipChanges({ random, timeoutMs });
    this.reads = new Reads(limits);
    this.transfer = new LeadershipTransfer(timing.electionMs);
  }

  /** Role or leader changed from what they were `before`. */
  roleChanged(state: SoftState, before: SoftState): void {
    if (before.role === "leader" && state.role !== "leader") {
      this.proposals.leadershipLost();
      this.changes.leadershipLost();
    }
    this.transfer.roleChanged(state);
  }

  /** Everything up to `index` was applied one by one. */
  applied(index: LogIndex): void {
    this.proposals.settleOrphans(index);
    this.changes.settleOrphans(index);
    this.reads.applied(index);
  }

  /** A snapshot brought the state machine to `index`. */
  restored(index: LogIndex): void {
    this.proposals.settleOrphansBySnapshot(index);
    this.changes.settleOrphansBySnapshot(index);
    this.reads.applied(index);
  }

  /** Ends what waited for too long. */
  expire(nowMs: number): void {
    this.proposals.expire(nowMs);
    this.changes.expire(nowMs);
    this.reads.expire(nowMs);
    this.transfer.expire(nowMs);
  }

  failAll(error: NodeError): void {
    this.proposals.failAll(error);
    this.changes.failAll(error);
    this.reads.failAll(error);
    this.transfer.giveUp();
  }
}
