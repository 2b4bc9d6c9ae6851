import type { SeededRandom } from "../timeline/seeded-random.ts";
import type { Timeline } from "../timeline/timeline.ts";

/** How one direction between two machines behaves. */
export interface LinkOptions {
  /** Every segment takes at least this long. Default 0.1. */
  readonly delayMinMs: number;
  /** Mean of what comes on top, exponentially distributed. Default 0.2. */
  readonly delayMeanMs: number;
  /** Default 0: as fast as asked. */
  readonly bytesPerSecond: number;
  /** One segment in so many arrives in two parts, cut anywhere. Default 8; 0: never. */
  readonly splitOneIn: number;
  /** One segment in so many resets its connection, after any part of it has arrived. Default 0: never. */
  readonly resetOneIn: number;
}

export const linkOptionsDefault: LinkOptions = { delayMinMs: 0.1, delayMeanMs: 0.2, bytesPerSecond: 0, splitOneIn: 8, resetOneIn: 0 };

/** One direction between two machines. What can't pass a cut link is sent again when it is whole: streams lose nothing. */
export class Link {
  readonly name: string;
  readonly random: SeededRandom;
  readonly #timeline: Timeline;
  readonly #isTargetOn: () => boolean;
  readonly #waiting = new Set<() => void>();
  #options: LinkOptions;
  #isCut = false;
  #freeAtUs = 0;

  constructor(timeline: Timeline, name: string, options: LinkOptions, isTargetOn: () => boolean) {
    this.#timeline = timeline;
    this.name = name;
    this.random = timeline.random(`network/link/${name}`);
    this.#options = options;
    this.#isTargetOn = isTargetOn;
  }

  get options(): LinkOptions {
    return this.#options;
  }

  set options(options: LinkOptions) {
    this.#options = options;
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  /** What arrives now is received. */
  get carries(): boolean {
    return !this.#isCut && this.#isTargetOn();
  }

  cut(): void {
    this.#isCut = true;
  }

  heal(): void {
    this.#isCut = false;
    this.tellIfCarries();
  }

  /** Called by the internet when the machine at the other end is switched on. */
  tellIfCarries(): void {
    if (!this.carries || this.#waiting.size === 0) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resume of waiting) resume();
  }

  /** Calls `resume` once, when the link carries again. */
  whenCarries(resume: () => void): void {
    this.#waiting.add(resume);
  }

  /** Draws how long `sizeBytes` take from now, in microseconds. */
  transitUs(sizeBytes: number): number {
    const { delayMinMs, delayMeanMs, bytesPerSecond } = this.#options;
    const delayUs = Math.ceil(delayMinMs * 1_000) + (delayMeanMs > 0 ? this.random.exponential(Math.ceil(delayMeanMs * 1_000)) : 0);
    if (bytesPerSecond === 0) return delayUs;
    const nowUs = this.#timeline.nowUs;
    this.#freeAtUs = Math.max(nowUs, this.#freeAtUs) + Math.ceil((sizeBytes * 1_000_000) / bytesPerSecond);
    return this.#freeAtUs - nowUs + delayUs;
  }
}
