/** What is known of a client. */
export interface Session {
  readonly clientId: bigint;
  /** When its last request was applied, in milliseconds of the log's time. */
  usedAtMs: number;
  /** Requests below this sequence are not answered any more. */
  forgottenBelow: number;
  /** First results by sequence, in the order in which they were recorded. */
  readonly results: Map<number, Uint8Array>;
  /** Snapshots that the table had opened when this object was made. Those opened later have it, and want it as it is. */
  readonly snapshotCount: number;
}
