import { assert } from "../assert.ts";

/** Something that waits for its share of a budget. */
export interface BudgetWaiter {
  /** The share is taken: called once, not from within `take`. */
  budgetGranted(): void;
}

/**
 * What the large incomplete messages of one connection may occupy together. A message takes its whole length before its stream gets window
 * for it, so that memory is bounded by flow control; who finds no room waits in line until messages are complete.
 *
 *   take --fits, nobody waits--> held --release-->
 *     |                           ^
 *     +--> [ waiting, in order ] -+ when it fits
 *
 * Whatever the limit, one message always fits when no other is held: the line never stands still for want of room.
 */
export class PartialBudget {
  readonly #bytesMax: number;
  readonly #waiting = new Map<BudgetWaiter, number>();
  #heldBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** Takes `byteCount` now and returns true, or puts the waiter at the end of the line. */
  take(waiter: BudgetWaiter, byteCount: number): boolean {
    if (this.#waiting.size === 0 && this.#fits(byteCount)) {
      this.#heldBytes += byteCount;
      return true;
    }
    assert(!this.#waiting.has(waiter), "A waiter stands in line once");
    this.#waiting.set(waiter, byteCount);
    return false;
  }

  release(byteCount: number): void {
    this.#heldBytes -= byteCount;
    assert(this.#heldBytes >= 0, "No more is given back than was taken");
    this.#grant();
  }

  /** Leaves the line. */
  cancel(waiter: BudgetWaiter): void {
    if (this.#waiting.delete(waiter)) this.#grant();
  }

  /** Nobody who waits is served any more: the connection ends. */
  close(): void {
    this.#waiting.clear();
  }

  #fits(byteCount: number): boolean {
    return this.#heldBytes === 0 || this.#heldBytes + byteCount <= this.#bytesMax;
  }

  /** Strictly in order: small messages do not overtake a large one for ever. */
  #grant(): void {
    for (const [waiter, byteCount] of this.#waiting) {
      if (!this.#fits(byteCount)) return;
      this.#waiting.delete(waiter);
      this.#heldBytes += byteCount;
      waiter.budgetGranted();
    }
  }
}
