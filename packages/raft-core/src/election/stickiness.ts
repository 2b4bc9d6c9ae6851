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
  if (leader !== 0 && !state.suspicion.isActive) return Math.max(0, options.electionTicks - electionElapsed);
  // What this member promised a leader before it was restarted is forgotten, but a lease may still rest on it.
  const isFresh = options.leaseReads !== null && !options.reference.voteRightAfterStart;
  return isFresh ? Math.max(0, options.electionTicks - state.now) : 0;
}
