export interface RpcTimer {
  /** May be called at any time, also after the timer fired. */
  cancel(): void;
}

/** The time that raft-rpc sees. A `Clock` of raft-node's ports fits; the simulator gives a virtual one. */
export interface RpcClock {
  /** Never goes back. Milliseconds from an arbitrary start, with fractions. */
  monotonicMs(): number;
  /** Calls `wake` once, not earlier than `delayMs` from now. */
  setTimer(delayMs: number, wake: () => void): RpcTimer;
  /** Calls `wake` once, when the input that has already arrived is drained: the end of this event-loop turn. */
  atEndOfTurn(wake: () => void): void;
}

/** Chance for the jitter of reconnects: uniform integer in [0, limit). */
export interface RpcRandom {
  below(limit: number): number;
}
