import { SimulatedInternet } from "./network/simulated-internet.ts";
import { SimulatedNode, type SimulatedNodeOptions } from "./simulated-node.ts";
import { GlobalGuard } from "./timeline/global-guard.ts";
import type { SeededRandom } from "./timeline/seeded-random.ts";
import { Timeline } from "./timeline/timeline.ts";
import type { Trace } from "./timeline/trace.ts";
import { pumpTurns } from "./timeline/turn-pump.ts";

export interface SimulationOptions {
  /** Everything follows from it. A non-negative safe integer. */
  readonly seed: number;
  /** How many of the last events are kept as text. Default 10,000. */
  readonly traceLinesMax?: number;
}

export interface RunLimit {
  /** Simulated milliseconds from now. */
  readonly withinMs: number;
}

/** Simulated time that a run may take if it says nothing else: one hour. */
const withinMsDefault = 3_600_000;

function wholeUs(ms: number): number {
  return Math.ceil(ms * 1_000);
}

/**
 * A world of machines on one timeline, made from one seed. The program under test runs unchanged on the ports of its nodes; the
 * same seed and program give the same run, event by event.
 *
 *     schedule ─► queue by (time, sequence) ─► one event ─► all its microtasks ─► the next event
 *
 * Runs are driven by `drive`, `runFor`, `runUntil`, `runUntilIdle` or `step`, one at a time. While one lasts, the clocks, timers and
 * chance of the real process throw.
 */
export class Simulation {
  readonly seed: number;
  readonly internet: SimulatedInternet;
  readonly #timeline: Timeline;
  readonly #nodes = new Map<string, SimulatedNode>();
  #failure: { readonly reason: unknown } | null = null;
  readonly #watchers: (() => void)[] = [];

  constructor(options: SimulationOptions) {
    if (!Number.isSafeInteger(options.seed) || options.seed < 0)
      throw new RangeError(`Seed ${options.seed} is not a non-negative safe integer`);
    this.seed = options.seed;
    this.#timeline = new Timeline(String(options.seed), options.traceLinesMax ?? 10_000);
    this.internet = new SimulatedInternet(this.#timeline);
  }

  /** Simulated milliseconds since the start. */
  get nowMs(): number {
    return this.#timeline.nowUs / 1_000;
  }

  /** Events that have happened. */
  get eventsTotal(): number {
    return this.#timeline.eventsFired;
  }

  get trace(): Trace {
    return this.#timeline.trace;
  }

  get nodes(): readonly SimulatedNode[] {
    return [...this.#nodes.values()];
  }

  /** A generator of its own for this label; fault plans and workloads draw from it. */
  random(label: string): SeededRandom {
    return this.#timeline.random(label);
  }

  /** Adds a machine; its process is not started. */
  addNode(name: string, options: SimulatedNodeOptions = {}): SimulatedNode {
    if (this.#nodes.has(name)) throw new Error(`There is a node ${name} already`);
    const node = new SimulatedNode(this.#timeline, this.internet, name, options);
    this.#nodes.set(name, node);
    return node;
  }

  /** Calls `action` in `delayMs` simulated milliseconds, outside any process. Returns how to cancel it. */
  schedule(delayMs: number, action: () => void): () => void {
    const event = this.#timeline.schedule(wholeUs(delayMs), "scheduled", action);
    return () => this.#timeline.cancel(event);
  }

  /** `look` is called after every event, once nothing more follows from it. What it throws fails the run. */
  watch(look: () => void): void {
    this.#watchers.push(look);
  }

  /** Calls `body` and lets events happen until its promise settles. Rejects as it does, or if it takes too long. */
  async drive<T>(body: () => Promise<T>, limit: RunLimit = { withinMs: withinMsDefault }): Promise<T> {
    let outcome: { readonly value: T } | { readonly reason: unknown } | null = null;
    const start = (): void => {
      body().then(
        (value) => {
          outcome = { value };
        },
        (reason: unknown) => {
          outcome = { reason };
        },
      );
    };
    await this.#run(start, () => outcome !== null, limit);
    return settled(outcome);
  }

  /** Lets everything of the next `durationMs` happen. */
  async runFor(durationMs: number): Promise<void> {
    const endUs = this.#timeline.nowUs + wholeUs(durationMs);
    await this.#guarded(() => {
      const nextUs = this.#timeline.nextUs;
      if (nextUs !== null && nextUs <= endUs) {
        this.#timeline.fireNext();
        return false;
      }
      this.#timeline.advanceTo(endUs);
      return true;
    });
  }

  /** Lets events happen until `condition` holds, which is asked after each. Rejects if it does not in time. */
  async runUntil(condition: () => boolean, limit: RunLimit): Promise<void> {
    await this.#run(() => {}, condition, limit);
  }

  /** Lets events happen until none waits. */
  async runUntilIdle(limit: RunLimit = { withinMs: withinMsDefault }): Promise<void> {
    await this.#run(
      () => {},
      () => this.#timeline.nextUs === null,
      limit,
    );
  }

  /** Lets one event happen. False if none waits. */
  async step(): Promise<boolean> {
    const fired: boolean[] = [];
    await this.#guarded(() => {
      if (fired.length > 0) return true;
      fired.push(this.#timeline.fireNext());
      return false;
    });
    return fired.includes(true);
  }

  async #run(start: () => void, isDone: () => boolean, limit: RunLimit): Promise<void> {
    const endUs = this.#timeline.nowUs + wholeUs(limit.withinMs);
    let isStarted = false;
    await this.#guarded(() => {
      if (!isStarted) {
        isStarted = true;
        start();
        return false;
      }
      if (isDone()) return true;
      const nextUs = this.#timeline.nextUs;
      if (nextUs === null) throw new Error("Nothing is left to happen, and what the run waits for has not come");
      if (nextUs > endUs) throw new Error(`What the run waits for has not come within ${limit.withinMs} ms`);
      this.#timeline.fireNext();
      return false;
    });
  }

  /** Turns the pump with the real world taken away. Failures tell how to see them again. */
  async #guarded(turn: () => boolean): Promise<void> {
    const guard = GlobalGuard.install((reason) => {
      this.#failure ??= { reason };
    });
    try {
      await pumpTurns(() => {
        if (this.#failure !== null) throw this.#failure.reason;
        for (const look of this.#watchers) look();
        return turn();
      });
    } catch (reason) {
      this.#failure = null;
      const sentence = reason instanceof Error ? reason.message : String(reason);
      throw new SimulationError(`Seed ${this.seed} at ${this.nowMs} ms: ${sentence}`, { cause: reason });
    } finally {
      guard.remove();
    }
  }
}

/** A run went wrong: an event threw, a promise was rejected that nobody waits for, or the time was up. */
export class SimulationError extends Error {
  override readonly name = "SimulationError";
}

function settled<T>(outcome: { readonly value: T } | { readonly reason: unknown } | null): T {
  if (outcome === null) throw new Error("The run ended before its outcome");
  if ("reason" in outcome) throw outcome.reason;
  return outcome.value;
}
