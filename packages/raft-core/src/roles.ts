import { assert } from "./assert.ts";
import { type Candidacy, type CoreState, FOLLOWER } from "./core-state.ts";
import { appendAsLeader } from "./leader/appending.ts";
import { Leadership } from "./leader/leadership.ts";
import { endTransfer } from "./leader/transfer.ts";
import { allVoters } from "./membership/configuration.ts";
import { VoteTally } from "./quorum/vote-tally.ts";
import type { NodeId, RoleName, Term } from "./types.ts";

/** `leader` is 0 if it is not known yet. `cause` is the member whose message led here, 0 if it was none. */
export function becomeFollower(state: CoreState, term: Term, leader: NodeId, cause: NodeId = leader): void {
  leaveRole(state, term, leader, cause);
  state.role = FOLLOWER;
  roleEntered(state, "follower");
}

/** Begins the next term with a vote for itself, which counts when it is durable. */
export function becomeCandidate(state: CoreState, { asksLater }: Pick<Candidacy, "asksLater">): void {
  assert(state.role.kind !== "leader", "A leader does not campaign");
  assert(state.repair === null, "A member under repair does not campaign");
  leaveRole(state, state.term + 1, 0, 0);
  state.vote = state.id;
  state.role = { kind: "candidate", tally: new VoteTally(), asksLater };
  roleEntered(state, "candidate");
}

/** Only asks: term, vote and timers stay as they are (dissertation 9.6). The leader it no longer believes in is forgotten. */
export function becomePreCandidate(state: CoreState): void {
  assert(state.role.kind !== "leader", "A leader does not campaign");
  forgetReads(state, state.term, 0);
  state.leader = 0;
  state.role = { kind: "preCandidate", tally: new VoteTally(), asksLater: false };
  roleEntered(state, "preCandidate");
}

/** Opens the term with an empty entry: only an entry of its own term lets a leader commit what came before (paper 8). */
export function becomeLeader(state: CoreState): void {
  assert(state.role.kind === "candidate" && state.vote === state.id, "Only a candidate that voted for itself becomes leader");
  const { tally } = state.role;
  leaveRole(state, state.term, state.id, state.id);
  const { id, configuration, log, options, outbox } = state;
  const leadership = new Leadership({ self: id, configuration, lastIndex: log.lastIndex, options, outbox });
  if (!options.reference.probeWhoVoted) leadership.presumeInStep((peer) => tally.isGrantedBy(peer));
  state.role = leadership;
  appendAsLeader(state, leadership, [{ kind: "empty", data: NO_DATA }]);
  roleEntered(state, "leader");
}

/** The leader of this term has spoken to a follower. */
export function followLeader(state: CoreState, leader: NodeId): void {
  assert(state.role.kind === "follower", "Only a follower follows");
  forgetReads(state, state.term, leader);
  state.leader = leader;
  state.electionElapsed = 0;
  state.promisedUntil = state.now + state.options.electionTicks;
  state.roundsWithoutLeader = 0;
  state.suspicion.clear();
}

export function resetElectionTimer(state: CoreState): void {
  state.electionElapsed = 0;
  state.electionTimeout = state.options.electionTicks + state.random.below(state.options.electionTicks);
}

/** A vote lasts as long as its term, whatever roles are played in it (paper 5.2). */
function leaveRole(state: CoreState, term: Term, leader: NodeId, cause: NodeId): void {
  assert(term >= state.term && Number.isSafeInteger(term), "Terms never decrease");
  if (state.role.kind === "leader") {
    state.role.reads.failAll("leadership_lost");
    endTransfer(state, state.role, cause === state.role.transferTarget ? "done" : "leadership_lost");
  }
  forgetReads(state, term, leader);
  if (term !== state.term) {
    state.term = term;
    state.repair?.termBegan();
    state.vote = 0;
  }
  state.leader = leader;
  if (leader === 0) {
    state.suspicion.postpone(state.now, allVoters(state.configuration).length, state.random);
  } else {
    state.roundsWithoutLeader = 0;
    state.suspicion.clear();
  }
  resetElectionTimer(state);
}

function forgetReads(state: CoreState, term: Term, leader: NodeId): void {
  if (term !== state.term || leader !== state.leader) state.forwardedReads.failAll("leadership_lost");
}

function roleEntered(state: CoreState, role: RoleName): void {
  state.emit?.({ type: "roleEntered", role, term: state.term });
}

const NO_DATA = new Uint8Array(0);
