import { type EventOwner, EventQueue, type SimulatedEvent } from "./event-queue.ts";
import { type Seed, SeededRandom } from "./seeded-random.ts";
import { Trace } from "./trace.ts";

/** This many events at one instant: something schedules itself again without delay. */
const eventsPerInstantMax = 1_000_000;

/** The one order of everything that happens, in whole microseconds. */
export class Timeline {
  readonly seed: Seed;
  readonly trace: Trace;
  readonly #queue = new EventQueue();
  #nowUs = 0;
  #sequence = 0;
  #eventsAtNow = 0;
  #firedTotal = 0;

  constructor(seed: Seed, traceLinesMax: number) {
    this.seed = seed;
    this.trace = new Trace(traceLinesMax);
  }

  /** Microseconds since the start of the run. */
  get nowUs(): number {
    return this.#nowUs;
  }

  get eventsWaiting(): number {
    return this.#queue.waiting;
  }

  get eventsFired(): number {
    return this.#firedTotal;
  }

  /** When the next event is due, or null if nothing waits. */
  get nextUs(): number | null {
    return this.#queue.peek()?.timeUs ?? null;
  }

  random(label: string): SeededRandom {
    return new SeededRandom(this.seed).child(label);
  }

  /** Calls `action` in `delayUs` whole microseconds, after everything that was scheduled for that instant before. */
  schedule(delayUs: number, kind: string, action: () => void, owner: EventOwner | null = null): SimulatedEvent {
    return this.scheduleAt(this.#nowUs + delayUs, kind, action, owner);
  }

  scheduleAt(timeUs: number, kind: string, action: () => void, owner: EventOwner | null = null): SimulatedEvent {
    if (!Number.isSafeInteger(timeUs) || timeUs < this.#nowUs) {
      throw new RangeError(`Event ${kind} at ${timeUs} us is before now, ${this.#nowUs} us, or not a whole number`);
    }
    const isOver = owner?.isOver === true;
    const event: SimulatedEvent = { timeUs, sequence: this.#sequence++, kind, owner, action: isOver ? null : action };
    if (!isOver) this.#queue.push(event);
    return event;
  }

  cancel(event: SimulatedEvent): void {
    this.#queue.cancel(event);
  }

  /** Lets the next event happen. False if there is none. */
  fireNext(): boolean {
    const event = this.#queue.pop();
    if (event === undefined) return false;
    this.advanceTo(event.timeUs);
    if (++this.#eventsAtNow > eventsPerInstantMax) {
      throw new Error(`Time stands still at ${this.#nowUs} us: more than ${eventsPerInstantMax} events, the last is ${event.kind}`);
    }
    const { owner, action } = event;
    event.action = null;
    if (action === null || owner?.isOver === true) return true;
    this.#firedTotal++;
    this.trace.add(event.timeUs, event.kind, owner?.name ?? "world");
    if (owner === null) action();
    else owner.enter(event.kind, action);
    return true;
  }

  /** Moves the clock forward; nothing may be due before. */
  advanceTo(timeUs: number): void {
    if (timeUs < this.#nowUs) throw new RangeError(`Time goes back from ${this.#nowUs} us to ${timeUs} us`);
    if (timeUs > this.#nowUs) this.#eventsAtNow = 0;
    this.#nowUs = timeUs;
  }
}
