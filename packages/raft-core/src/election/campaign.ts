import type { Candidacy, CoreState } from "../core-state.ts";
import { allVoters, isLearner, isTracked } from "../membership/configuration.ts";
import { INDEX_MAX, TERM_MAX } from "../message-check.ts";
import { isQuorum } from "../quorum/joint.ts";
import { becomeCandidate, becomePreCandidate } from "../roles.ts";
import type { CampaignOutcome, NodeId, Term } from "../types.ts";
import { campaignPriority, PRIORITY_ABOVE_ALL } from "./priority.ts";

/**
 * `preVote` asks first whether an election could be won; `transfer` is for a leader that hands over, which the others must not refuse;
 * `succession` is for one that resigned: its vote is on its way, and with the own one enough.
 */
export type CampaignKind = "preVote" | "election" | "transfer" | "succession";

/** Starts an election if this member may (paper 5.2; dissertation 9.6 for the pre-vote). */
export function startElection(state: CoreState, kind: CampaignKind): CampaignOutcome {
  const refusal = campaignRefusal(state);
  if (refusal !== null) {
    state.emit?.({ type: "campaignRefused", reason: refusal, term: state.term });
    return refusal;
  }
  state.emit?.({ type: "electionStarted", term: state.term });
  state.roundsWithoutLeader++;
  campaign(state, kind);
  return "started";
}

/**
 * Stands for election in place of a leader that resigned. If its vote and the own one are a majority nobody else is asked at once: what the
 * others would write and answer takes time from the two that count.
 */
export function succeedLeader(state: CoreState, leader: NodeId): CampaignOutcome {
  const isEnough = isQuorum(state.configuration, (id) => id === state.id || id === leader);
  return startElection(state, isEnough ? "succession" : "transfer");
}

/** The vote of the leader that resigned is late, or lost. */
export function askAfterAll(state: CoreState, candidacy: Candidacy): void {
  candidacy.asksLater = false;
  for (const voter of allVoters(state.configuration)) if (voter !== state.id) requestVote(state, voter, "transfer", state.term);
}

/** The kind of election that a member starts by itself. */
export function ownCampaignKind(state: CoreState): CampaignKind {
  return state.options.preVote ? "preVote" : "election";
}

/** Whether the election time-out means anything to this member: it is a voter, as far as it knows, and has a whole log to stand with. */
export function isPromotable(state: CoreState): boolean {
  const { configuration, id, log, quarantine, repair } = state;
  if (quarantine !== null || repair !== null) return false;
  return isTracked(configuration, id) && !isLearner(configuration, id) && !log.isRestoring;
}

export function campaign(state: CoreState, kind: CampaignKind): void {
  if (kind === "preVote") becomePreCandidate(state);
  else becomeCandidate(state, { asksLater: kind === "succession" });
  const term = kind === "preVote" ? state.term + 1 : state.term;
  for (const voter of allVoters(state.configuration)) {
    if (voter === state.id) voteForItself(state, kind, term);
    else if (kind !== "succession") requestVote(state, voter, kind, term);
  }
}

function campaignRefusal(state: CoreState): CampaignOutcome | null {
  if (state.role.kind === "leader") return "already_leader";
  if (state.quarantine !== null) return "quarantined";
  if (state.repair !== null) return "under_repair";
  if (!isPromotable(state)) return "unpromotable";
  if (state.term >= TERM_MAX || state.log.lastIndex >= INDEX_MAX) return "exhausted";
  return state.log.hasUnappliedChange() ? "unapplied_configuration" : null;
}

/** It counts only when it is durable: a member that forgot its vote in a crash could vote again. */
function voteForItself(state: CoreState, kind: CampaignKind, term: Term): void {
  const type = kind === "preVote" ? "requestPreVoteResponse" : "requestVoteResponse";
  state.outbox.sendWhenDurable({ type, from: state.id, to: state.id, term, granted: true });
}

/**
 * A real request of a member whose log has a tail that is not durable waits until log and term are: forgotten in a crash, the tail would
 * be missing from a second candidacy in the same term, which the votes that it earned would still count for. With a durable log a
 * request promises nothing: whoever forgot that it asked comes back as the same candidate, and its own vote counts only when it is
 * durable. A pre-vote never promises anything.
 */
function requestVote(state: CoreState, to: NodeId, kind: CampaignKind, term: Term): void {
  const { id, outbox } = state;
  const { lastIndex, lastTerm } = state.logEnd;
  const request = kind === "preVote" ? "requestPreVote" : "requestVote";
  state.emit?.({ type: "voteRequested", request, to, ownTerm: state.term, lastIndex, lastTerm });
  // Whom the leader chose as its successor nobody outranks.
  const priority = kind === "transfer" ? PRIORITY_ABOVE_ALL : campaignPriority(state);
  const question = { from: id, to, term, lastIndex, lastTerm, priority };
  if (request === "requestPreVote") {
    outbox.send({ type: request, ...question });
    return;
  }
  const message = { type: request, ...question, isTransfer: kind === "transfer" } as const;
  const isLogDurable = state.log.durable === lastIndex;
  if (isLogDurable || state.options.reference.requestVotesBeforeDurable) outbox.send(message);
  else outbox.sendWhenDurable(message);
}
