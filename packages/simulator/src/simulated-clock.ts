import type { Clock, Timer } from "@raftkv/raft-node";
import type { Life } from "./timeline/life.ts";
import type { Timeline } from "./timeline/timeline.ts";

/** 2026-01-01T00:00:00Z: a run begins there, whenever it is run. */
const wallStartMs = 1_767_225_600_000;
const million = 1_000_000;

/**
 * The oscillator of one machine. It belongs to the machine, so it goes on through crashes of the process.
 *
 *     local = localBase + (now - nowBase) * (1,000,000 + drift) / 1,000,000        in whole microseconds, never back
 */
export class Oscillator {
  readonly #timeline: Timeline;
  #nowBaseUs = 0;
  #localBaseUs = 0;
  #driftPpm = 0;
  #wallOffsetUs = wallStartMs * 1_000;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  get localUs(): number {
    return this.#localAt(this.#timeline.nowUs);
  }

  get wallUs(): number {
    return this.#wallOffsetUs + this.localUs;
  }

  /** Parts per million by which this clock is fast, from now on; below 0: slow. At most a tenth. */
  setDrift(driftPpm: number): void {
    if (!Number.isInteger(driftPpm) || Math.abs(driftPpm) > million / 10)
      throw new RangeError(`Drift of ${driftPpm} ppm is not in -100000 to 100000`);
    this.#rebase();
    this.#driftPpm = driftPpm;
  }

  /** The monotonic clock jumps ahead, as after a suspended machine woke up. Timers are late by as much. */
  jumpMonotonic(aheadMs: number): void {
    if (aheadMs < 0) throw new RangeError(`A monotonic clock does not go back, not by ${aheadMs} ms`);
    this.#rebase();
    this.#localBaseUs += Math.round(aheadMs * 1_000);
  }

  /** The wall clock jumps, in either direction. */
  jumpWall(aheadMs: number): void {
    this.#wallOffsetUs += Math.round(aheadMs * 1_000);
  }

  /** Microseconds of the timeline until this clock shows `localUs`. */
  untilUs(localUs: number): number {
    const nowUs = this.#timeline.nowUs;
    const neededUs = Math.max(0, localUs - this.#localAt(nowUs));
    let delayUs = Math.ceil((neededUs * million) / (million + this.#driftPpm));
    // Rounding may fall a microsecond short.
    while (this.#localAt(nowUs + delayUs) < localUs) delayUs++;
    return delayUs;
  }

  #localAt(nowUs: number): number {
    return this.#localBaseUs + Math.floor(((nowUs - this.#nowBaseUs) * (million + this.#driftPpm)) / million);
  }

  #rebase(): void {
    this.#localBaseUs = this.localUs;
    this.#nowBaseUs = this.#timeline.nowUs;
  }
}

class SimulatedTimer implements Timer {
  #wake: (() => void) | null;
  readonly #life: Life;
  readonly #oscillator: Oscillator;
  readonly #dueUs: number;
  #event: ReturnType<Life["schedule"]>;

  constructor(life: Life, oscillator: Oscillator, delayUs: number, wake: () => void) {
    this.#life = life;
    this.#oscillator = oscillator;
    this.#wake = wake;
    this.#dueUs = oscillator.localUs + delayUs;
    this.#event = this.#arm();
  }

  cancel(): void {
    this.#wake = null;
    this.#life.timeline.cancel(this.#event);
  }

  #arm(): ReturnType<Life["schedule"]> {
    return this.#life.schedule(this.#oscillator.untilUs(this.#dueUs), "timer", () => this.#fire());
  }

  #fire(): void {
    // The clock may have been slowed down in the meantime.
    if (this.#wake !== null && this.#oscillator.localUs < this.#dueUs) {
      this.#event = this.#arm();
      return;
    }
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}

/** The Clock port of one life of a process. */
export class SimulatedClock implements Clock {
  readonly #life: Life;
  readonly #oscillator: Oscillator;

  constructor(life: Life, oscillator: Oscillator) {
    this.#life = life;
    this.#oscillator = oscillator;
  }

  monotonicMs(): number {
    return this.#oscillator.localUs / 1_000;
  }

  wallMs(): number {
    return Math.floor(this.#oscillator.wallUs / 1_000);
  }

  setTimer(delayMs: number, wake: () => void): Timer {
    if (!(delayMs >= 0 && delayMs <= Number.MAX_SAFE_INTEGER / 1e6)) throw new RangeError(`Timer of ${delayMs} ms is negative or endless`);
    return new SimulatedTimer(this.#life, this.#oscillator, Math.ceil(delayMs * 1_000), wake);
  }

  /** An event at this instant, after all that was scheduled for it: what has arrived by now comes first. */
  atEndOfTurn(wake: () => void): void {
    this.#life.schedule(0, "end of turn", wake);
  }
}
