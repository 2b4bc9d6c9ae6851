import type { RandomSource } from "../types.ts";

/**
 * A hint, not a proof, that the leader is gone: its connection was reset, or it has been silent for longer than it ever is. A member
 * that suspects its leader no longer refuses pre-votes for its sake, and asks for them itself without waiting for the election
 * time-out. Nothing but pre-votes follows from a suspicion, so a wrong one costs a few messages.
 *
 * All members get the hint at about the same time. So that they don't all stand for election and split the votes, each waits
 * `stagger` ticks for every one that stands before it.
 */
export class Suspicion {
  private readonly stagger: number;
  private isRaised = false;
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
    this.due = now + place * this.stagger;
  }

  isDue(now: number): boolean {
    return this.isRaised && now >= this.due;
  }

  /**
   * Leaves an election that has begun, own or another's, the time that it needs. It may fail because others have not noticed yet or because
   * votes were split; chance keeps those who try again apart.
   */
  postpone(now: number, members: number, random: RandomSource): void {
    if (!this.isRaised) return;
    const turns = members * this.stagger;
    this.due = now + turns + random.below(2 * turns);
  }

  /** Somebody leads. */
  clear(): void {
    this.isRaised = false;
  }
}
