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

  /** This attempt may fail because others have not noticed yet; there is another one after everybody had a turn. */
  postpone(now: number, members: number): void {
    this.due = now + members * this.stagger;
  }

  /** The leader spoke, or the election that the suspicion was for has come. */
  clear(): void {
    this.isRaised = false;
  }
}
