import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import { ThreadTime } from "./thread-time.ts";

/** How late the event loop came back, in milliseconds. */
export interface EventLoopDelays {
  readonly p99Ms: number;
  readonly maxMs: number;
  /** The longest delay in which the event loop's thread worked all the time: what is above it, the machine gave to others. */
  readonly ownMaxMs: number;
}

const tickMs = 1;
const nsPerMs = 1e6;

/** Watches the event loop from its making to `stop`. */
export class EventLoopWatch {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: tickMs });
  readonly #threadTime = new ThreadTime();
  readonly #timer: NodeJS.Timeout;
  #lastMs = performance.now();
  #lastWorkedMs = this.#threadTime.readMs();
  #ownMaxMs = 0;

  constructor() {
    this.#histogram.enable();
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  stop(): EventLoopDelays {
    this.#histogram.disable();
    clearInterval(this.#timer);
    this.#threadTime.close();
    // The histogram holds the times between two looks, which are a tick apart when nothing is late.
    const late = (ns: number): number => Math.max(0, ns / nsPerMs - tickMs);
    return { p99Ms: late(this.#histogram.percentile(99)), maxMs: late(this.#histogram.max), ownMaxMs: this.#ownMaxMs };
  }

  #tick(): void {
    const nowMs = performance.now();
    const workedMs = this.#threadTime.readMs();
    const lateMs = nowMs - this.#lastMs - tickMs;
    this.#ownMaxMs = Math.max(this.#ownMaxMs, Math.min(lateMs, workedMs - this.#lastWorkedMs));
    this.#lastMs = nowMs;
    this.#lastWorkedMs = workedMs;
  }
}
