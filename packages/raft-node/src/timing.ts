/** The options that people know. */
export interface TimingOptions {
  /** Between two heartbeats of the leader. */
  readonly heartbeatMs: number;
  /** Election time-outs are drawn from [electionMs, 2 * electionMs). At least five heartbeats. */
  readonly electionMs: number;
}

/** What the core counts in. */
export interface Timing extends TimingOptions {
  readonly tickMs: number;
  readonly heartbeatTicks: number;
  readonly electionTicks: number;
}

/** Ticks are finer than heartbeats, so that election time-outs differ by less than a heartbeat and votes seldom split. */
const TICKS_PER_HEARTBEAT = 4;
/** Shorter ticks cost more than they tell. */
const TICK_MS_MIN = 5;

/** Throws RangeError if so few heartbeats fit into the election time-out that a single late one could cost an election. */
export function timingOf({ heartbeatMs, electionMs }: TimingOptions): Timing {
  if (electionMs < 5 * heartbeatMs) {
    throw new RangeError(`Election time-out ${electionMs} ms is less than five heartbeats of ${heartbeatMs} ms`);
  }
  const heartbeatTicks = Math.max(1, Math.min(TICKS_PER_HEARTBEAT, Math.floor(heartbeatMs / TICK_MS_MIN)));
  const tickMs = heartbeatMs / heartbeatTicks;
  return { heartbeatMs, electionMs, tickMs, heartbeatTicks, electionTicks: Math.ceil(electionMs / tickMs) };
}
