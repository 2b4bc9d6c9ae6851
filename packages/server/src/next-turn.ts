import type { Clock } from "@raftkv/raft-node";

/** Resolves in a later turn of the event loop: long work is cut into slices by it. */
export function nextTurn(clock: Clock): Promise<void> {
  return new Promise((resolve) => void clock.setTimer(0, resolve));
}
