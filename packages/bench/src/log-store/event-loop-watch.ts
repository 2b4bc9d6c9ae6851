import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";

/** How late the event loop came back, in milliseconds. */
export interface EventLoopDelays {
  readonly p99Ms: number;
  readonly maxMs: number;
  /**
   * The longest delay that this process can have made itself: no longer than the processor time that all its threads used meanwhile. What
   * is above it, the machine took for others.
   */
  readonly ownMaxMs: number;
}

const tickMs = 1;
const nsPerMs = 1e6;
const usPerMs = 1000;

/** Watches the event loop from its making to `stop`. */
export class EventLoopWatch {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: tickMs });
  readonly #timer: NodeJS.Timeout;
  #lastMs = performance.now();
  #lastCpuMs = cpuMs();
  #ownMaxMs = 0;

  constructor() {
    this.#histogram.enable();
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  stop(): EventLoopDelays {
    this.#histogram.disable();
    clearInterval(this.#timer);
    // The histogram holds the times between two looks, which are a tick apart when nothing is late.
    const late = (ns: number): number => Math.max(0, ns / nsPerMs - tickMs);
    return { p99Ms: late(this.#histogram.percentile(99)), maxMs: late(this.#histogram.max), ownMaxMs: this.#ownMaxMs };
  }

  #tick(): void {
    const nowMs = performance.now();
    const nowCpuMs = cpuMs();
    const lateMs = nowMs - this.#lastMs - tickMs;
    this.#ownMaxMs = Math.max(this.#ownMaxMs, Math.min(lateMs, nowCpuMs - this.#lastCpuMs));
    this.#lastMs = nowMs;
    this.#lastCpuMs = nowCpuMs;
  }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / usPerMs;
}
