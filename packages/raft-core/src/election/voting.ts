import type { Candidacy, CoreState } from "../core-state.ts";
import { broadcastAppend } from "../leader/replication.ts";
import { allVoters, isLearner, isTracked } from "../membership/configuration.ts";
import type { RequestPreVote, RequestPreVoteResponse, RequestVote, RequestVoteResponse } from "../messages.ts";
import { becomeFollower, becomeLeader } from "../roles.ts";
import { campaign } from "./campaign.ts";
import { campaignInsteadOf } from "./hints.ts";
import { outranks } from "./priority.ts";

/**
 * Answers a request of this member's term, or a pre-vote for a later one. One vote per term, to a log at least as complete as the own
 * one (paper 5.4.1); any number of pre-votes. Learners and members that find themselves in no configuration answer too: the candidate
 * may know a newer one.
 */
export function handleVoteRequest(state: CoreState, request: RequestPreVote | RequestVote): void {
  if (state.repair !== null) return withholdVote(state, request, state.repair.id);
  const isPreVote = request.type === "requestPreVote";
  const isFree = state.vote === request.from || (state.vote === 0 && state.leader === 0) || (isPreVote && request.term > state.term);
  const granted = isFree && state.log.isAtLeast(request.lastTerm, request.lastIndex) && !outranks(state, request);
  state.emit?.({ type: granted ? "voteCast" : "voteRefused", request, ownTerm: state.term, vote: state.vote, ...state.logEnd });
  if (granted && !isPreVote) {
    state.electionElapsed = 0;
    state.vote = request.from;
  }
  answer(state, request, granted);
  if (granted) state.suspicion.postpone(state.now, allVoters(state.configuration).length, state.random);
  else if (isPreVote) campaignInsteadOf(state, request);
}

/** Under repair: the log that it is compared with may lack what this member once acknowledged. The refusal lets the candidate go on at once. */
function withholdVote(state: CoreState, request: RequestPreVote | RequestVote, repairId: number): void {
  state.emit?.({ type: "voteWithheld", request, ownTerm: state.term });
  state.outbox.sendWhenDurable({ ...answerTo(state, request, false), repairId });
}

/** A pre-vote for a term that is over: the own, higher one frees a member that would else ask for ever. */
export function refuseOutdatedPreVote(state: CoreState, request: RequestPreVote): void {
  state.emit?.({ type: "voteRefused", request, ownTerm: state.term, vote: state.vote, ...state.logEnd });
  answer(state, request, false);
}

/** Each voter's first answer counts, and only answers to what this member asked (paper 5.2). */
export function handleVoteResponse(state: CoreState, role: Candidacy, response: RequestPreVoteResponse | RequestVoteResponse): void {
  const isPreVote = role.kind === "preCandidate";
  if (isPreVote !== (response.type === "requestPreVoteResponse")) return;
  // A grant of a pre-vote has the term that was asked for, which may have been another one then.
  const isOutdated = isPreVote && response.granted && response.term !== state.term + 1;
  if (isOutdated && !state.options.reference.trustMessages) return;
  const phase = isPreVote ? "preVote" : "vote";
  const { from, granted } = response;
  const { configuration } = state;
  state.emit?.({ type: "voteReceived", phase, from, granted, ownTerm: state.term });
  role.tally.record(from, granted);
  if (state.emit !== undefined) {
    const counts = role.tally.counts((id) => isTracked(configuration, id) && !isLearner(configuration, id));
    state.emit({ type: "votesCounted", phase, granted: counts.granted, refused: counts.refused });
  }
  const outcome = role.tally.outcome(configuration);
  if (outcome === "lost") becomeFollower(state, state.term, 0);
  if (outcome !== "won") return;
  if (isPreVote) return campaign(state, "election");
  becomeLeader(state);
  if (state.options.reference.newLeaderSpeaksAtOnce) broadcastAppend(state);
}

/** The answer waits for the disk, a refusal too: the term that it speaks of must not be forgotten. */
function answer(state: CoreState, request: RequestPreVote | RequestVote, granted: boolean): void {
  state.outbox.sendWhenDurable(answerTo(state, request, granted));
}

function answerTo(state: CoreState, request: RequestPreVote | RequestVote, granted: boolean): RequestPreVoteResponse | RequestVoteResponse {
  const type = request.type === "requestPreVote" ? "requestPreVoteResponse" : "requestVoteResponse";
  const term = granted ? request.term : state.term;
  return { type, from: state.id, to: request.from, term, granted };
}
