/** A time to live that keys share: when it has run out, the leader has them deleted. */
export interface Lease {
  /** A signed 64-bit id, never 0n. */
  readonly id: bigint;
  readonly ttlSeconds: number;
  /** Number of the command that granted it, which tells it from an earlier lease of the same id. */
  readonly grantNumber: number;
  /** What a leader last noted to be left of the time, for its successors; 0: nothing was noted, count the whole `ttlSeconds`. */
  readonly remainingSeconds: number;
}
