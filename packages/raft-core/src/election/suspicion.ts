import type { RandomSource } from "../types.ts";

/** Waits are doubled so many times at most: then they are as long as an election time-out, or longer. */
const DOUBLINGS_MAX = 4;

/**
 * A hint, not a proof, that the leader is gone: its connection was reset, or it has been silent for longer than it ever is. A member
 * that suspects its leader no longer refuses its vote for the leader's sake, and asks for pre-votes itself without waiting for the
 * election time-out. It starts nothing but pre-votes, which come to nothing unless a majority has the same suspicion.
 *
 * All members get the hint at about the same time. So that they don't all stand for election and split the votes, each waits
 * `stagger` ticks for every one that stands before it.
 */
export class Suspicion {
  private readonly stagger: number;
  private isRaised = false;
  /** Elections that this member began since the suspicion was raised. */
  private tries = 0;
  /** Tick at which to campaign next. */
  private due = 0;

  constructor(stagger: number) {
    this.stagger = stagger;
  }

  get isActive(): boolean {
    return this.isRaised;
  }

  /** `place` is how many others stand before this member. */
  raise(now: number, place: number): void {
    if (this.isRaised) return;
    this.isRaised = true;
    this.tries = 0;
    this.due = now + place * this.stagger;
  }

  isDue(now: number): boolean {
    return this.isRaised && now >= this.due;
  }

  tried(): void {
    this.tries++;
  }

  /**
   * Leaves an election that has begun, own or another's, the time that it needs. It may fail because others have not noticed yet or because
   * votes were split: chance keeps those who try again apart. Or because disks and network are slow: each wait is twice the one before.
   */
  postpone(now: number, members: number, random: RandomSource): void {
    if (!this.isRaised) return;
    const turns = Math.max(1, members) * this.stagger * 2 ** Math.min(Math.max(0, this.tries - 1), DOUBLINGS_MAX);
    this.due = now + turns + random.below(2 * turns);
  }

  /** Somebody leads. */
  clear(): void {
    this.isRaised = false;
  }
}
