import { assert } from "./assert.ts";
import type { LogIndex, RepairStatus } from "./types.ts";

/** How far a log has come, as the end of a repair looks at it. */
interface LogExtent {
  readonly commit: LogIndex;
  readonly durable: LogIndex;
  readonly isRestoring: boolean;
}

/**
 * A member whose log lost entries that it had acknowledged, while term and vote are sound. It follows, stores, applies and answers as
 * any other, but gives no vote, does not campaign, and marks its answers with `id`, so that no leader counts it.
 *
 * ```text
 *   start ──► no leader has said ──► target known, log not verified up to it ──► whole, told to the driver ──► an ordinary member
 *              ▲       a heartbeat with `id`           │          appends and snapshots        `endRepair`, after it is durable
 *              └───────────── a later term ────────────┘
 * ```
 *
 * Why that is safe (after dissertation 3.6 and Alagappan et al., "Protocol-aware recovery", 2018). Let `e` be an entry that this member
 * acknowledged to a leader of term `t`, so that it is committed or may become so with that acknowledgement. Every later leader has to hold it.
 *
 * 1. Term and vote survived. So the member votes once in each term, and follows no leader of a term before `t`.
 * 2. While it gives no vote, whoever is elected after `t` got its majority from others, and one of these still holds `e`. The leader of
 *    term `t` holds it too, as its log only grows. So every leader that this member follows holds `e`.
 * 3. Such a leader names as target the end of its log at a moment after the loss, which is at or above `e`. What is verified against that
 *    leader's log up to there, and durable, holds `e`. From then on the rules for every other member keep it.
 */
export class Repair {
  /** No earlier start of this member had it: a leader tells by it that more may have been lost. */
  readonly id: number;
  /** End of the log of this term's leader when it heard of the repair, 0 while it has not said. */
  private target: LogIndex = 0;
  /** The log equals that of this term's leader up to here. It says nothing about the log of the next one. */
  private verified: LogIndex = 0;
  /**
   * The commit index on the disk. A member that lost it, but not the entries, could campaign among members that a committed change
   * has removed (dissertation 4.1), so it has to come back with them.
   */
  private durableCommit: LogIndex;
  private isTold = false;

  constructor(id: number, commit: LogIndex) {
    assert(Number.isSafeInteger(id) && id > 0, "A repair has a positive number");
    this.id = id;
    this.durableCommit = commit;
  }

  get status(): RepairStatus {
    return { target: this.target, verified: this.verified };
  }

  /** Highest commit index to believe: the leader may still take what was lost for stored, and what was not may be what gave way since. */
  commitWithin(commit: LogIndex, last: LogIndex): LogIndex {
    return Math.min(commit, this.verified, last);
  }

  /** Its leader, if it has one, was not heard yet. */
  termBegan(): void {
    this.target = 0;
    this.verified = 0;
  }

  /** The log is about to be acknowledged to this term's leader up to `index`. */
  verifiedTo(index: LogIndex): void {
    this.verified = Math.max(this.verified, index);
  }

  /** This term's leader heard of this repair when its log ended at `target`. True if that is news. */
  aimAt(target: LogIndex): boolean {
    const isNew = target !== this.target;
    this.target = target;
    return isNew;
  }

  commitStored(commit: LogIndex): void {
    this.durableCommit = commit;
  }

  /** Whether the driver is to hear, for the first time, that everything is there again. */
  isDone(log: LogExtent): boolean {
    const { target, verified, durableCommit, isTold } = this;
    const isVerified = target > 0 && verified >= target && log.durable >= target && !log.isRestoring;
    return !isTold && isVerified && durableCommit >= Math.min(log.commit, target);
  }

  told(): void {
    this.isTold = true;
  }

  /** The driver made durable that the repair is over. */
  checkEnd(): void {
    assert(this.isTold, "A repair ends only after the core has said that everything is there again");
  }
}
