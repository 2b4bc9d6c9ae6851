import type { CoreState } from "./core-state.ts";
import { broadcastAppend } from "./replication.ts";
import { becomeCandidate, becomeFollower, becomeLeader } from "./roles.ts";
import type { NodeId, RequestVote, RequestVoteResponse } from "./types.ts";

/**
 * Starts an election (paper 5.2). The requests wait until the new term is durable: a member that forgot in a crash that it asked
 * could ask again in the same term with a shorter log, and be given the votes that the longer one earned.
 */
export function campaign(state: CoreState): void {
  becomeCandidate(state);
  const lastIndex = state.log.lastIndex;
  const lastTerm = state.log.lastTerm;
  for (const voter of state.configuration.voters) {
    if (voter === state.id) continue;
    state.outbox.sendWhenDurable({ type: "requestVote", from: state.id, to: voter, term: state.term, lastIndex, lastTerm });
  }
}

/** The request has this member's term. One vote per term, to a log at least as complete as the own one (paper 5.4.1). */
export function handleRequestVote(state: CoreState, message: RequestVote): void {
  const isFree = state.vote === message.from || (state.vote === 0 && state.leader === 0);
  const granted = isFree && state.log.isAtLeast(message.lastTerm, message.lastIndex);
  if (granted) {
    state.vote = message.from;
    state.electionElapsed = 0;
  }
  state.outbox.sendWhenDurable({ type: "requestVoteResponse", from: state.id, to: message.from, term: state.term, granted });
}

/** The answer has this member's term. */
export function handleRequestVoteResponse(state: CoreState, message: RequestVoteResponse): void {
  countVote(state, message.from, message.granted);
}

/** The candidate's own vote is durable. */
export function countOwnVote(state: CoreState): void {
  countVote(state, state.id, true);
}

function countVote(state: CoreState, voter: NodeId, granted: boolean): void {
  if (state.role.kind !== "candidate") return;
  const outcome = state.role.tally.record(voter, granted);
  if (outcome === "won") {
    becomeLeader(state);
    broadcastAppend(state);
  } else if (outcome === "lost") {
    becomeFollower(state, state.term, 0);
  }
}
