import type { CoreState } from "./core-state.ts";
import { becomeFollower } from "./roles.ts";
import type { QuarantineEvidence } from "./types.ts";

/**
 * Takes a member out that can't stand by what it acknowledged. It goes on listening, so that it knows who leads, but it gives no vote,
 * acknowledges nothing, does not campaign, and neither stores nor applies anything: what it has is kept as it is. A member that
 * answered instead could help to elect a leader that lacks what the lost data held.
 *
 * There is no way back for this core. Its driver repairs or replaces the store and makes a new one.
 */
export function quarantine(state: CoreState, evidence: QuarantineEvidence): void {
  if (state.quarantine !== null) return;
  if (state.role.kind !== "follower") becomeFollower(state, state.term, 0);
  state.quarantine = evidence;
  state.forwardedReads.failAll("quarantined");
  state.outbox.dropMessages();
  state.emit?.({ type: "quarantined", evidence });
}
