import { assert } from "./assert.ts";
import { type CoreState, FOLLOWER } from "./core-state.ts";
import { Leadership } from "./leadership.ts";
import { VoteTally } from "./quorum/vote-tally.ts";
import type { NodeId, Term } from "./types.ts";

const NO_DATA = new Uint8Array(0);

/** `leader` is 0 if it is not known yet. */
export function becomeFollower(state: CoreState, term: Term, leader: NodeId): void {
  leaveRole(state, term, leader);
  state.role = FOLLOWER;
}

/** Begins the next term with a vote for itself, which counts when it is durable. */
export function becomeCandidate(state: CoreState): void {
  assert(state.role.kind !== "leader", "A leader does not campaign");
  leaveRole(state, state.term + 1, 0);
  state.vote = state.id;
  state.role = { kind: "candidate", tally: new VoteTally(state.configuration.voters) };
}

/** Opens the term with an empty entry: only an entry of its own term lets a leader commit what came before (paper 8). */
export function becomeLeader(state: CoreState): void {
  assert(state.role.kind === "candidate" && state.vote === state.id, "Only a candidate that voted for itself becomes leader");
  leaveRole(state, state.term, state.id);
  const termStart = state.log.lastIndex + 1;
  state.role = new Leadership({
    self: state.id,
    voters: state.configuration.voters,
    termStart,
    limits: state.options,
    outbox: state.outbox,
  });
  state.log.append({ index: termStart, term: state.term, kind: "empty", data: NO_DATA });
}

/** A vote lasts as long as its term, whatever roles are played in it (paper 5.2). */
function leaveRole(state: CoreState, term: Term, leader: NodeId): void {
  assert(term >= state.term && Number.isSafeInteger(term), "Terms never decrease");
  if (state.role.kind === "leader") state.role.reads.failAll("leadership_lost");
  if (term !== state.term || leader !== state.leader) state.forwardedReads.failAll("leadership_lost");
  if (term !== state.term) {
    state.term = term;
    state.vote = 0;
  }
  state.leader = leader;
  resetElectionTimer(state);
}

export function resetElectionTimer(state: CoreState): void {
  state.electionElapsed = 0;
  state.electionTimeout = state.options.electionTicks + state.random.below(state.options.electionTicks);
}
