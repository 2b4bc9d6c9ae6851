import { assert } from "../assert.ts";
import type { RpcClock, RpcTimer } from "../rpc-clock.ts";

const slotMs = 4;
const slotCount = 1024;
const timerDelayMsMax = 2 ** 31 - 1;
/** In `wheelSlot`: taken out, to be fired in this turn unless it is cleared or set before. */
const firing = -2;

/** Something with a deadline. The wheel's fields are in the object itself, so that setting and clearing allocate nothing. */
export abstract class DeadlineEntry {
  wheelPrevious: DeadlineEntry | null = null;
  wheelNext: DeadlineEntry | null = null;
  wheelSlot = -1;
  /** On the wheel's clock; Infinity for none. */
  deadlineMs = Number.POSITIVE_INFINITY;

  /** The deadline has passed; the entry is out of the wheel. */
  abstract deadlinePassed(): void;
}

/** A timer on the wheel that is not a call. */
export class WheelTimer extends DeadlineEntry {
  readonly #wake: () => void;

  constructor(wake: () => void) {
    super();
    this.#wake = wake;
  }

  override deadlinePassed(): void {
    this.#wake();
  }
}

/**
 * Deadlines of all calls with one timer of the clock: a hashed wheel.
 *
 *   slot  [ 0 ]->a->b  [ 1 ]  [ 2 ]->c  ...  [ 1023 ]     entry in slot floor(deadline / 4 ms) mod 1024
 *
 * An entry further away than one round stays in its slot until its round comes. The clock's timer is set for the next slot in use, so a
 * wheel without entries costs nothing. Deadlines fire up to 4 ms late, never early.
 */
export class DeadlineWheel {
  readonly #clock: RpcClock;
  readonly #slots: (DeadlineEntry | null)[] = new Array<DeadlineEntry | null>(slotCount).fill(null);
  #count = 0;
  /** The slot number (not wrapped) up to which all is done. */
  #doneTick: number;
  #timer: RpcTimer | null = null;
  #timerTick = Number.POSITIVE_INFINITY;

  constructor(clock: RpcClock) {
    this.#clock = clock;
    this.#doneTick = Math.floor(clock.monotonicMs() / slotMs) - 1;
  }

  get size(): number {
    return this.#count;
  }

  /** Sets or moves the entry's deadline; Infinity takes it out. */
  set(entry: DeadlineEntry, deadlineMs: number): void {
    this.clear(entry);
    entry.deadlineMs = deadlineMs;
    if (deadlineMs === Number.POSITIVE_INFINITY) return;
    const tick = Math.max(Math.floor(deadlineMs / slotMs), this.#doneTick + 1);
    const slot = tick % slotCount;
    const head = this.#slots[slot] ?? null;
    entry.wheelSlot = slot;
    entry.wheelNext = head;
    if (head !== null) head.wheelPrevious = entry;
    this.#slots[slot] = entry;
    this.#count++;
    if (tick < this.#timerTick) this.#arm(tick);
  }

  /** Takes the entry out, if it is in. Keeps `deadlineMs`. */
  clear(entry: DeadlineEntry): void {
    if (entry.wheelSlot < 0) {
      entry.wheelSlot = -1;
      return;
    }
    if (entry.wheelPrevious !== null) entry.wheelPrevious.wheelNext = entry.wheelNext;
    else this.#slots[entry.wheelSlot] = entry.wheelNext;
    if (entry.wheelNext !== null) entry.wheelNext.wheelPrevious = entry.wheelPrevious;
    entry.wheelPrevious = null;
    entry.wheelNext = null;
    entry.wheelSlot = -1;
    this.#count--;
    assert(this.#count >= 0, "A wheel has no negative number of entries");
  }

  #arm(tick: number): void {
    this.#timer?.cancel();
    this.#timerTick = tick;
    // At the end of the slot everything in it has passed.
    const delayMs = (tick + 1) * slotMs - this.#clock.monotonicMs();
    this.#timer = this.#clock.setTimer(Math.min(Math.max(delayMs, 0), timerDelayMsMax), this.#turn);
  }

  readonly #turn = (): void => {
    this.#timer = null;
    this.#timerTick = Number.POSITIVE_INFINITY;
    const nowMs = this.#clock.monotonicMs();
    const lastTick = Math.floor(nowMs / slotMs) - 1;
    const firstTick = Math.max(this.#doneTick + 1, lastTick - slotCount + 1);
    this.#doneTick = Math.max(this.#doneTick, lastTick);
    const due: DeadlineEntry[] = [];
    for (let tick = firstTick; tick <= lastTick; tick++) this.#takeDue(tick % slotCount, nowMs, due);
    for (const entry of due) {
      // A deadline that fired before this one may have moved or cleared it.
      if (entry.wheelSlot !== firing) continue;
      entry.wheelSlot = -1;
      entry.deadlinePassed();
    }
    if (this.#count > 0) this.#armNext();
  };

  #takeDue(slot: number, nowMs: number, due: DeadlineEntry[]): void {
    let entry = this.#slots[slot] ?? null;
    while (entry !== null) {
      const next: DeadlineEntry | null = entry.wheelNext;
      if (entry.deadlineMs <= nowMs) {
        this.clear(entry);
        entry.wheelSlot = firing;
        due.push(entry);
      }
      entry = next;
    }
  }

  /** Cancels the clock's timer: nothing fires any more until the next `set`. For owners that end, so that nothing holds the process. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#timerTick = Number.POSITIVE_INFINITY;
  }

  #armNext(): void {
    for (let distance = 1; distance <= slotCount; distance++) {
      const tick = this.#doneTick + distance;
      if (this.#slots[tick % slotCount] !== null) {
        if (tick < this.#timerTick) this.#arm(tick);
        return;
      }
    }
  }
}
