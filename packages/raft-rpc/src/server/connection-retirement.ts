import { type DeadlineWheel, WheelTimer } from "../grpc/deadline-wheel.ts";
import type { RpcClock } from "../rpc-clock.ts";

/** Why a connection is told to go. The text stands in its GOAWAY. */
export type RetirementReason = "max_idle" | "max_age";

export interface ConnectionRetirementOptions {
  readonly clock: RpcClock;
  readonly wheel: DeadlineWheel;
  /** Infinity for never. */
  readonly idleMs: number;
  readonly ageMs: number;
  readonly onRetire: (reason: RetirementReason) => void;
}

/**
 * Finds the moment when a connection has been idle for long enough, or is old enough, to be told to go. A connection begins idle.
 */
export class ConnectionRetirement {
  readonly #options: ConnectionRetirementOptions;
  readonly #idleTimer: WheelTimer;
  readonly #ageTimer: WheelTimer;

  constructor(options: ConnectionRetirementOptions) {
    this.#options = options;
    this.#idleTimer = new WheelTimer(() => options.onRetire("max_idle"));
    this.#ageTimer = new WheelTimer(() => options.onRetire("max_age"));
    const nowMs = options.clock.monotonicMs();
    if (options.ageMs !== Number.POSITIVE_INFINITY) options.wheel.set(this.#ageTimer, nowMs + options.ageMs);
    this.idle();
  }

  /** The last call ended. */
  idle(): void {
    const { clock, wheel, idleMs } = this.#options;
    if (idleMs !== Number.POSITIVE_INFINITY) wheel.set(this.#idleTimer, clock.monotonicMs() + idleMs);
  }

  /** A call began. */
  busy(): void {
    this.#options.wheel.clear(this.#idleTimer);
  }

  stop(): void {
    this.#options.wheel.clear(this.#idleTimer);
    this.#options.wheel.clear(this.#ageTimer);
  }
}
