import { assert } from "../assert.ts";
import type { LogIndex, NodeId, PeerStatus } from "../types.ts";
import { InflightWindow } from "./inflight-window.ts";

export interface ProgressLimits {
  readonly inflightMessagesMax: number;
  readonly inflightBytesMax: number;
}

/**
 * What the leader of a term knows of one follower.
 *
 * ```text
 *                 matching answer
 *       ┌───────┐ ──────────────► ┌───────────┐
 *   ──► │ probe │                 │ replicate │   probe: one append, then wait
 *       └───────┘ ◄────────────── └───────────┘   replicate: `next` advances with every send, up to a full window
 *          │  ▲     rejection, unreachable ▲      snapshot: nothing is sent
 *   entry  │  │ stored or failed           │
 *   gone   ▼  │                            │
 *       ┌──────────┐   answer that connects│
 *       │ snapshot │ ──────────────────────┘
 *       └──────────┘
 * ```
 */
export class Progress {
  readonly id: NodeId;
  readonly window: InflightWindow;
  state: PeerStatus["state"] = "probe";
  /** The follower's durable log equals the leader's up to here. Never decreases within a term. */
  match: LogIndex = 0;
  /** First entry to send. Always above `match`. */
  next: LogIndex;
  /** Highest commit index it was told. */
  sentCommit: LogIndex = 0;
  /** It answered since the last check. */
  heard = false;
  /** Highest read position it confirmed. */
  readPosition = 0;
  private waiting = false;
  private pendingSnapshot: LogIndex = 0;

  constructor(id: NodeId, next: LogIndex, limits: ProgressLimits) {
    this.id = id;
    this.next = next;
    this.window = new InflightWindow(limits.inflightMessagesMax, limits.inflightBytesMax);
  }

  get isPaused(): boolean {
    return this.waiting || this.state === "snapshot";
  }

  /** It lives: one more append may go. */
  unpause(): void {
    this.waiting = false;
  }

  /** An append with `count` entries of `bytes` in total, the first of them `next`, is about to leave. */
  sent(count: number, bytes: number, commit: LogIndex): void {
    if (this.state === "replicate") {
      if (count > 0) {
        this.next += count;
        this.window.add(this.next - 1, bytes);
      }
      this.waiting = this.window.isFull;
    } else if (count > 0) {
      this.waiting = true;
    }
    this.sentCommit = commit;
  }

  /** False if the answer is an old one. */
  accepted(index: LogIndex): boolean {
    if (index <= this.match) return false;
    this.match = index;
    this.next = Math.max(this.next, index + 1);
    this.waiting = false;
    return true;
  }

  /**
   * The append after `rejected` did not fit; `hint` is where the logs may agree. False if the answer is an old one: whatever is at
   * or below `match` has been verified, and a probing leader waits for the answer to exactly one question.
   */
  refused(rejected: LogIndex, hint: LogIndex): boolean {
    if (this.state === "replicate") {
      if (rejected <= this.match) return false;
      this.becomeProbe();
      return true;
    }
    if (this.next - 1 !== rejected) return false;
    this.next = Math.max(Math.min(rejected, hint + 1), this.match + 1);
    this.sentCommit = Math.min(this.sentCommit, this.next - 1);
    this.waiting = false;
    return true;
  }

  becomeProbe(): void {
    const next = this.state === "snapshot" ? Math.max(this.match + 1, this.pendingSnapshot + 1) : this.match + 1;
    this.reset("probe", next);
    this.sentCommit = Math.min(this.sentCommit, next - 1);
  }

  becomeReplicate(): void {
    this.reset("replicate", this.match + 1);
  }

  becomeSnapshot(index: LogIndex): void {
    assert(index > this.match, "A snapshot is sent only to a follower that lacks it");
    this.reset("snapshot", index + 1);
    this.pendingSnapshot = index;
    this.sentCommit = index;
  }

  /** The transfer ended. It probes, but only after the follower's next answer: the snapshot is still being installed. */
  snapshotEnded(stored: boolean): void {
    if (!stored) this.pendingSnapshot = 0;
    this.becomeProbe();
    this.waiting = true;
  }

  private reset(state: PeerStatus["state"], next: LogIndex): void {
    assert(next > this.match, "Nothing verified is sent again");
    this.state = state;
    this.next = next;
    this.waiting = false;
    this.pendingSnapshot = 0;
    this.window.clear();
  }
}
