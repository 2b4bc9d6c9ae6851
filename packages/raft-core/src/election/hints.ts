import type { CoreState } from "../core-state.ts";
import { allVoters } from "../membership/configuration.ts";
import type { RequestPreVote } from "../messages.ts";
import type { CampaignOutcome, NodeId } from "../types.ts";
import { isPromotable, startElection } from "./campaign.ts";

/**
 * The driver has reason to believe that the leader is gone. A pre-vote follows before the election time-out: at once, or after those
 * that stand before this member. Not with lease reads: a leader that lives on relies on everybody waiting out the full time.
 */
export function suspectLeader(state: CoreState, suspect: NodeId, cause: "connection_reset" | "silence"): CampaignOutcome {
  const { options, leader, suspicion } = state;
  if (state.repair !== null) return "under_repair";
  const isPossible = options.preVote && options.leaseReads === null && state.role.kind === "follower";
  if (!isPossible || suspect === 0 || suspect !== leader || state.quarantine !== null) return "hint_ignored";
  if (suspicion.isActive) return "deferred";
  state.emit?.({ type: "leaderSuspected", leader, cause });
  const others = allVoters(state.configuration).filter((id) => id !== suspect);
  // One that is no voter only stops standing by the leader.
  const place = others.indexOf(state.id);
  suspicion.raise(state.now, Math.max(0, place));
  return campaignOnSuspicion(state);
}

/** Called at every tick, and as soon as the leader is suspected. An election of one's own is left alone unless somebody refused. */
export function campaignOnSuspicion(state: CoreState): CampaignOutcome {
  const { role, suspicion, now } = state;
  const isUndecided = role.kind === "candidate" && role.tally.counts(() => true).refused === 0;
  if (isUndecided || !suspicion.isDue(now)) return "deferred";
  return campaignAtOnce(state);
}

/** Of those who suspect the leader this member is the one to campaign: another that asked knows less than it does. */
export function campaignInsteadOf(state: CoreState, request: RequestPreVote): void {
  const knowsLess = !state.log.isAtLeast(request.lastTerm, request.lastIndex);
  if (state.suspicion.isActive && state.role.kind === "follower" && knowsLess) campaignAtOnce(state);
}

function campaignAtOnce(state: CoreState): CampaignOutcome {
  if (!isPromotable(state)) return "unpromotable";
  state.suspicion.tried();
  state.suspicion.postpone(state.now, allVoters(state.configuration).length, state.random);
  return startElection(state, "preVote");
}
