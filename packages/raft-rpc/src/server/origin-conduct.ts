import { TokenBucket } from "../http2/token-bucket.ts";
import type { ConnectionLimits } from "./connection-admission.ts";

/** Origins that are remembered; above it whoever behaved badly the longest time ago is forgotten. */
const originsMax = 4096;
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
  readonly #limits: Pick<ConnectionLimits, "faultRate" | "delayMaxMs">;
  readonly #owedMax: number;
  /** In the order of their last bad end. */
  readonly #origins = new Map<string, TokenBucket>();

  constructor(limits: Pick<ConnectionLimits, "faultRate" | "delayMaxMs">) {
    this.#limits = limits;
    // More could not be felt, and would only keep the delay at its maximum for longer.
    this.#owedMax = (limits.faultRate.perSecond * limits.delayMaxMs) / msPerSecond;
  }

  /** Origins that are remembered. */
  get size(): number {
    return this.#origins.size;
  }

  /** A connection from there ended badly. */
  blame(origin: string, nowMs: number): void {
    const bucket = this.#origins.get(origin) ?? new TokenBucket(this.#limits.faultRate, nowMs);
    bucket.charge(nowMs, this.#owedMax);
    this.#origins.delete(origin);
    this.#origins.set(origin, bucket);
    if (this.#origins.size <= originsMax) return;
    const [longestAgo] = this.#origins.keys();
    if (longestAgo !== undefined) this.#origins.delete(longestAgo);
  }

  /** How long a new connection from there has to wait; mostly 0. */
  delayMs(origin: string, nowMs: number): number {
    return Math.min(this.#limits.delayMaxMs, this.#origins.get(origin)?.owedMs(nowMs) ?? 0);
  }
}
