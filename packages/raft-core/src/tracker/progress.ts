import { assert } from "../assert.ts";
import type { Heartbeat } from "../messages.ts";
import type { LogIndex, NodeId, PeerStatus, ReplicationState } from "../types.ts";
import { InflightWindow } from "./inflight-window.ts";

export interface ProgressLimits {
  readonly inflightMessagesMax: number;
  readonly inflightBytesMax: number;
  readonly adaptiveWindow: boolean;
}

/**
 * What the leader of a term knows of one member; of itself too.
 *
 * ```text
 *                 matching answer
 *       ┌───────┐ ──────────────► ┌───────────┐
 *   ──► │ probe │                 │ replicate │   probe: one append, then wait
 *       └───────┘ ◄────────────── └───────────┘   replicate: `next` advances with every send, up to a full window;
 *          │  ▲     rejection, unreachable ▲      who voted for the leader begins here
 *   entry  │  │ stored or failed           │      snapshot: nothing is sent
 *   gone   ▼  │                            │
 *       ┌──────────┐   answer that connects│
 *       │ snapshot │ ──────────────────────┘
 *       └──────────┘
 * ```
 */
export class Progress {
  readonly id: NodeId;
  readonly window: InflightWindow;
  isLearner: boolean;
  state: ReplicationState = "probe";
  /** The member's durable log equals the leader's up to here. Decreases within a term only when entries are lost. */
  match: LogIndex = 0;
  /** First entry to send. Always above `match`. */
  next: LogIndex;
  /** Highest commit index it was told. */
  sentCommit: LogIndex = 0;
  /** It answered since the last check of the quorum. */
  isActive = false;
  /** Its store was lost or exchanged: what it acknowledged in this term is gone. */
  isDistrusted = false;
  /** Set while it marks its answers: what its heartbeats have to tell it. */
  repair: Required<Heartbeat>["repair"] | null = null;
  /** Highest read position it confirmed. */
  readPosition = 0;
  /** It replicates although nothing was verified yet. */
  private isPresumedInStep = false;
  private isWaiting = false;
  private pendingSnapshot: LogIndex = 0;

  constructor(id: NodeId, next: LogIndex, isLearner: boolean, limits: ProgressLimits) {
    this.id = id;
    this.next = next;
    this.isLearner = isLearner;
    this.window = new InflightWindow(limits.inflightMessagesMax, limits.inflightBytesMax, limits.adaptiveWindow);
  }

  /** Whether a quorum may contain it. */
  get isCounted(): boolean {
    return !this.isDistrusted && this.repair === null;
  }

  get isPaused(): boolean {
    return this.isWaiting || this.state === "snapshot";
  }

  pause(): void {
    this.isWaiting = true;
  }

  /** It lives: one more append may go. */
  unpause(): void {
    this.isWaiting = false;
  }

  /** An append with `count` entries of `bytes` in total, the first of them `next`, is about to leave. */
  sent(count: number, bytes: number, commit: LogIndex): void {
    if (this.state === "replicate") {
      if (count > 0) {
        this.next += count;
        this.window.add(this.next - 1, bytes);
      }
      this.isWaiting = this.window.isFull;
    } else if (count > 0) {
      this.isWaiting = true;
    }
    this.sentCommit = commit;
  }

  /** Whether telling it `commit` would let it commit something that it was sent before. */
  canLearnCommit(commit: LogIndex): boolean {
    return commit > this.sentCommit && this.sentCommit < this.next - 1;
  }

  /** False if the answer is an old one. */
  accepted(index: LogIndex): boolean {
    if (index <= this.match) return false;
    this.isPresumedInStep = false;
    this.match = index;
    this.next = Math.max(this.next, index + 1);
    this.isWaiting = false;
    return true;
  }

  /**
   * The append after `rejected` did not fit; `hint` is where the logs may agree. False if the answer is an old one: whatever is at
   * or below `match` has been verified, and a probing leader waits for the answer to exactly one question.
   */
  refused(rejected: LogIndex, hint: LogIndex): boolean {
    if (this.state === "replicate") {
      if (rejected <= this.match) return false;
      this.next = this.isPresumedInStep ? Math.min(rejected, hint + 1) : this.match + 1;
    } else {
      if (this.next - 1 !== rejected) return false;
      // It refuses what it had acknowledged. Asking the same again at once would go on for ever.
      if (rejected === this.match) return false;
      this.next = Math.max(Math.min(rejected, hint + 1), this.match + 1);
      this.isWaiting = false;
    }
    this.sentCommit = Math.min(this.sentCommit, this.next - 1);
    return true;
  }

  /**
   * It voted for this leader, so its log is most likely the same: appends follow each other at once. If one is refused it is probed as
   * everybody else.
   */
  presumeInStep(): void {
    assert(this.state === "probe" && this.match === 0, "Only what is not known is presumed");
    this.reset("replicate", this.next);
    this.isPresumedInStep = true;
  }

  becomeProbe(): void {
    const next = this.isPresumedInStep ? this.next : Math.max(this.match, this.pendingSnapshot) + 1;
    this.reset("probe", next);
    this.sentCommit = Math.min(this.sentCommit, next - 1);
  }

  becomeReplicate(): void {
    this.reset("replicate", this.match + 1);
  }

  becomeSnapshot(index: LogIndex): void {
    assert(index > this.match, "A snapshot is sent only to a member that lacks it");
    this.reset("snapshot", index + 1);
    this.pendingSnapshot = index;
    this.sentCommit = index;
  }

  /** It probes again, after the snapshot if that was stored. */
  snapshotEnded(stored: boolean): void {
    if (!stored) this.pendingSnapshot = 0;
    this.becomeProbe();
  }

  /** It lost entries: what it has now is asked anew, from `next` on. */
  startOver(next: LogIndex): void {
    this.match = 0;
    this.sentCommit = 0;
    this.reset("probe", next);
  }

  /** What must hold at all times, for a log that ends at `last`. */
  check(last: LogIndex): void {
    assert(this.match < this.next && this.next <= last + 1, "The next entry to send lies between the verified ones and the end");
    assert(this.state === "replicate" || this.window.count === 0, "Only a peer that replicates has a window of appends");
    assert((this.state === "snapshot") === (this.pendingSnapshot !== 0), "A snapshot is under way to a peer that waits for one");
  }

  status(): PeerStatus {
    return {
      id: this.id,
      state: this.state,
      match: this.match,
      next: this.next,
      isLearner: this.isLearner,
      isPaused: this.isPaused,
      pendingSnapshot: this.pendingSnapshot,
      isActive: this.isActive,
      isDistrusted: this.isDistrusted,
      isUnderRepair: this.repair !== null,
      inflightMessages: this.window.count,
      inflightBytes: this.window.bytes,
      isInflightFull: this.window.isFull,
    };
  }

  private reset(state: ReplicationState, next: LogIndex): void {
    assert(next > this.match, "Nothing verified is sent again");
    this.state = state;
    this.next = next;
    this.isPresumedInStep = false;
    this.isWaiting = false;
    this.pendingSnapshot = 0;
    this.window.clear();
  }
}
