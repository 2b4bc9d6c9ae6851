import type { LeaseReadOptions } from "../options.ts";

interface Round {
  readonly position: number;
  readonly sentAtMs: number;
}

/** Rounds that wait for a quorum; the oldest are given up. */
const ROUNDS_MAX = 1024;

/**
 * How long no other member can have been elected (dissertation 6.4.1). Whoever answers a round of heartbeats stays loyal for an
 * election time-out counted from when it got it, so from when the round was *sent* at the latest. A tick is subtracted, because the
 * followers' first tick may come at once, and the difference between clocks.
 *
 * ```text
 *     sent                                 expires
 *      │ ──────── (election ticks - 1) * tick * (1 - drift) ────────► │
 *      └─ round 8 ─► quorum answers 8 ─► the lease counts from here ──┘
 * ```
 */
export class LeaderLease {
  private readonly durationMs: number;
  private rounds: Round[] = [];
  private startMs = Number.NEGATIVE_INFINITY;
  private seenMs = Number.NEGATIVE_INFINITY;
  private isEnded = false;

  constructor(options: LeaseReadOptions, electionTicks: number) {
    this.durationMs = (electionTicks - 1) * options.tickMs * (1 - options.driftPpm / 1_000_000);
  }

  /** A round whose time is not known counts for nothing. */
  roundSent(position: number, nowMs: number | null): void {
    if (nowMs === null) return;
    this.rounds.push({ position, sentAtMs: nowMs });
    if (this.rounds.length > ROUNDS_MAX) this.rounds.shift();
  }

  /** A quorum has answered the round of `position`, and with it all before. */
  confirmed(position: number): void {
    let count = 0;
    for (const round of this.rounds) {
      if (round.position > position) break;
      this.startMs = Math.max(this.startMs, round.sentAtMs);
      count++;
    }
    this.rounds.splice(0, count);
  }

  /** False also for ever after the clock went backwards: nothing that was measured by it can be trusted. */
  isValid(nowMs: number | null): boolean {
    if (nowMs === null) return false;
    if (nowMs < this.seenMs) this.end();
    this.seenMs = nowMs;
    return !this.isEnded && nowMs < this.startMs + this.durationMs;
  }

  /** For the rest of this leadership; for instance because another member was asked to campaign whatever it promised. */
  end(): void {
    this.isEnded = true;
  }
}
