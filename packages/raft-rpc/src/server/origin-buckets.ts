import { TokenBucket } from "../http2/token-bucket.ts";
import type { Rate } from "../limits.ts";

/** Origins that are remembered; above it the one that took a token the longest time ago is forgotten. */
const originsMax = 4096;

/** A bucket of tokens for each origin (`originOf`), all of one rate. Who is not known has a full one. */
export class OriginBuckets {
  readonly #rate: Rate;
  /** In the order in which they took their last tokens. */
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /** Origins that are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Undefined: it is not known. */
  find(origin: string): TokenBucket | undefined {
    return this.#buckets.get(origin);
  }

  /** To take tokens from: the origin is the last to be forgotten. */
  use(origin: string, nowMs: number): TokenBucket {
    const bucket = this.#buckets.get(origin) ?? new TokenBucket(this.#rate, nowMs);
    this.#buckets.delete(origin);
    this.#buckets.set(origin, bucket);
    if (this.#buckets.size > originsMax) {
      const [longestAgo] = this.#buckets.keys();
      if (longestAgo !== undefined) this.#buckets.delete(longestAgo);
    }
    return bucket;
  }
}
