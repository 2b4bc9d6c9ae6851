import type { CoreState } from "../core-state.ts";
import type { RequestPreVote, RequestVote } from "../messages.ts";

/**
 * Ticks for which this member still stands by the leader it knows, 0 if it doesn't: who heard a leader within the shortest election
 * time-out helps nobody to replace it, the leader itself included (dissertation 4.2.3). Without it a removed or half-connected member
 * could depose a leader that all others are content with.
 */
export function ticksOfLoyalty(state: CoreState, request: RequestPreVote | RequestVote): number {
  const { options, electionElapsed, leader } = state;
  if (!options.checkQuorum || (request.type === "requestVote" && request.isTransfer)) return 0;
  const isContent = leader !== 0 && !state.suspicion.isActive;
  return Math.max(ticksOfPromise(state), isContent ? options.electionTicks - electionElapsed : 0);
}

/**
 * Ticks for which a lease may rest on this member's word. It holds whatever becomes known meanwhile, also if the leader is not known any
 * more: the lease counts from when its heartbeat was sent, and asks nobody again (dissertation 6.4.1).
 */
export function ticksOfPromise({ options, promisedUntil, now }: CoreState): number {
  return options.leaseReads === null ? 0 : Math.max(0, promisedUntil - now);
}
