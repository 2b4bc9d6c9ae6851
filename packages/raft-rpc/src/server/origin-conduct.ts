import type { ConnectionLimits } from "./connection-admission.ts";
import { OriginBuckets } from "./origin-buckets.ts";

const msPerSecond = 1000;

/**
 * Which origins (`originOf`) had connections that ended badly: by a fault of the client, or before a call. Each takes a token from the
 * bucket of its origin. An origin that owes some waits with every new connection until it owes nothing, but never long: behind one
 * address may be many clients, and only one of them that is to blame.
 *
 *   tokens of an origin:   faultRate.burst ... 0 ... -owed          bad end: -1, time: +faultRate.perSecond
 *   a new connection:      | begins at once    | waits until 0, at most delayMaxMs
 */
export class OriginConduct {
  readonly #delayMaxMs: number;
  readonly #owedMax: number;
  readonly #origins: OriginBuckets;

  constructor({ faultRate, delayMaxMs }: Pick<ConnectionLimits, "faultRate" | "delayMaxMs">) {
    this.#delayMaxMs = delayMaxMs;
    // More could not be felt, and would only keep the delay at its maximum for longer.
    this.#owedMax = (faultRate.perSecond * delayMaxMs) / msPerSecond;
    this.#origins = new OriginBuckets(faultRate);
  }

  /** Origins that are remembered. */
  get size(): number {
    return this.#origins.size;
  }

  /** A connection from there ended badly. */
  blame(origin: string, nowMs: number): void {
    this.#origins.use(origin, nowMs).charge(nowMs, this.#owedMax);
  }

  /** How long a new connection from there has to wait; mostly 0. */
  delayMs(origin: string, nowMs: number): number {
    return Math.min(this.#delayMaxMs, this.#origins.find(origin)?.owedMs(nowMs) ?? 0);
  }
}
