import type { NodeId } from "@raftkv/raft-core";
import type { Timing } from "./timing.ts";

/** A leader that misses fewer heartbeats than this is never suspected. */
const HEARTBEATS_MIN = 4;
/** A leader that was silent for so long once may well be silent for as long again, and somewhat longer. */
const LARGEST_GAP_FACTOR = 2;
const DEVIATION_FACTOR = 4;
/** Weights of the newest gap in the mean and in the deviation, as TCP estimates round trips (RFC 6298, 2.3). */
const MEAN_WEIGHT = 1 / 8;
const DEVIATION_WEIGHT = 1 / 4;
/** The memory of the largest gap fades to a half in this time. */
const HALF_LIFE_MS = 120_000;
/** Of the time between two looks at the clock so many ticks count; the rest this process spent asleep or busy. */
const ATTENDED_TICKS = 2;

/**
 * Notices that the leader has been silent for longer than it ever is, before the election time-out has passed. It learns the gaps
 * between the leader's messages, which on an idle cluster are its heartbeats:
 *
 * ```text
 *   limit = max( 4 heartbeats, 2 * largest recent gap, mean + 4 * deviation ), at most the election time-out
 *
 *   messages  │ │ │││  │ │   │  │                  ? silent for longer than the limit
 *             └──── interval ────┘ └─── interval     only the largest gap of each heartbeat interval is learned,
 *                      └───┘                         or a flood of appends would teach that leaders never pause
 * ```
 *
 * It counts only time in which this process attended: a clock that jumps while the process is stopped or busy says nothing about the
 * leader, whose messages lie unread. After such a stall nothing is concluded before the next tick that comes in time.
 *
 * A suspicion is a hint and leads to no more than pre-votes; whoever is wrong costs a few messages.
 */
export class FailureDetector {
  private readonly timing: Timing;
  private readonly fading: number;
  private leader: NodeId = 0;
  /** Milliseconds in which this process attended, since it began. */
  private attendedMs = 0;
  private lookedMs: number;
  private tickedMs: number;
  /** When the leader was heard last, in attended time. */
  private heardMs = 0;
  private intervalStartMs = 0;
  private intervalGapMs = 0;
  private largestGapMs = 0;
  private meanMs: number;
  private deviationMs: number;

  constructor(timing: Timing, nowMs: number) {
    this.timing = timing;
    this.fading = 0.5 ** (timing.heartbeatMs / HALF_LIFE_MS);
    this.lookedMs = nowMs;
    this.tickedMs = nowMs;
    this.meanMs = timing.heartbeatMs;
    this.deviationMs = timing.heartbeatMs / 2;
  }

  /** The silence after which the leader is suspected. */
  get limitMs(): number {
    const { heartbeatMs, electionMs } = this.timing;
    const usual = this.meanMs + DEVIATION_FACTOR * this.deviationMs;
    const longest = Math.max(HEARTBEATS_MIN * heartbeatMs, LARGEST_GAP_FACTOR * this.largestGapMs, usual);
    return Math.min(longest, electionMs);
  }

  /** Whom this member follows; 0 for nobody, also while it leads itself. A new leader begins with what was learned of the last one. */
  follow(leader: NodeId, nowMs: number): void {
    if (leader === this.leader) return;
    this.leader = leader;
    this.look(nowMs);
    this.heardMs = this.attendedMs;
    this.intervalStartMs = this.attendedMs;
    this.intervalGapMs = 0;
  }

  /** `leader` has sent something. The silence between two leaders is nobody's gap. */
  heard(leader: NodeId, nowMs: number): void {
    if (leader !== this.leader) return this.follow(leader, nowMs);
    this.look(nowMs);
    this.intervalGapMs = Math.max(this.intervalGapMs, this.attendedMs - this.heardMs);
    this.heardMs = this.attendedMs;
    if (this.attendedMs - this.intervalStartMs < this.timing.heartbeatMs) return;
    this.learn(this.intervalGapMs);
    this.intervalStartMs = this.attendedMs;
    this.intervalGapMs = 0;
  }

  /** At each tick, after everything that has arrived was taken. True while the leader is silent for too long. */
  tick(nowMs: number): boolean {
    const isLate = nowMs - this.tickedMs > this.timing.tickMs + this.timing.heartbeatMs;
    this.tickedMs = nowMs;
    this.look(nowMs);
    return this.leader !== 0 && !isLate && this.attendedMs - this.heardMs > this.limitMs;
  }

  private look(nowMs: number): void {
    this.attendedMs += Math.min(nowMs - this.lookedMs, ATTENDED_TICKS * this.timing.tickMs);
    this.lookedMs = nowMs;
  }

  private learn(gapMs: number): void {
    this.largestGapMs = Math.max(gapMs, this.largestGapMs * this.fading);
    const distanceMs = Math.abs(gapMs - this.meanMs);
    this.deviationMs += (distanceMs - this.deviationMs) * DEVIATION_WEIGHT;
    this.meanMs += (gapMs - this.meanMs) * MEAN_WEIGHT;
  }
}
