import { assert } from "../assert.ts";
import type { CoreState } from "../core-state.ts";
import type { Leadership } from "../leader/leadership.ts";
import { isJoint } from "../membership/configuration.ts";
import type { LogIndex, NodeId, Term } from "../types.ts";

/** What a core was when it was checked last. Written into, so that a check makes nothing. */
export class LocalSnapshot {
  term: Term = 0;
  vote: NodeId = 0;
  commit: LogIndex = 0;
  applied: LogIndex = 0;
  isLeader = false;

  take(state: CoreState): void {
    this.term = state.term;
    this.vote = state.vote;
    this.commit = state.log.commit;
    this.applied = state.log.applied;
    this.isLeader = state.role.kind === "leader";
  }
}

/**
 * What must hold at a member whatever it was told, asked before every Ready: nothing that rests on a broken promise may leave. Costs a
 * few comparisons for the member and for each peer of a leader, and therefore stays on.
 */
export function checkLocalInvariants(state: CoreState, before: LocalSnapshot): void {
  const { term, vote, log, options, configuration, role, repair } = state;
  assert(term >= before.term, "The term never goes down");
  assert(log.commit >= before.commit && log.applied >= before.applied, "Commit and applied index never go down");
  assert(term > before.term || before.vote === 0 || vote === before.vote, "A vote stands as long as its term");
  assert(!configuration.autoLeave || isJoint(configuration), "Only a joint configuration is left by itself");
  assert(!log.isRestoring || role.kind === "follower", "A member that is being restored follows");
  assert(repair === null || role.kind === "follower", "A member under repair follows");
  log.checkCursors(options.reference.applyBeforeDurable);
  if (role.kind === "leader") checkLeader(state, role, before);
  else assert(log.lastTerm <= term || options.reference.trustMessages, "No entry is of a later term than the member's");
}

function checkLeader(state: CoreState, leadership: Leadership, before: LocalSnapshot): void {
  const { id, term, vote, leader, log, options } = state;
  assert(vote === id && leader === id, "A leader voted for itself and knows that it leads");
  assert(log.lastTerm === term, "A leader's log ends with an entry of its term");
  const hasCounted = before.isLeader && before.term === term && log.commit > before.commit;
  assert(!hasCounted || (log.termAt(log.commit) ?? term) === term, "Counting commits entries of the own term only");
  assert(log.applied < log.lastIndex || leadership.uncommittedBytes === 0, "The quota is whole again when everything is applied");
  const own = leadership.progressOf(id);
  assert(!options.stepDownOnRemoval || own?.isLearner === false, "A leader is a voter");
  const isCounted = own === undefined || own.match <= Math.max(log.durable, leadership.termStart - 1);
  // A script may let the leader's answer to itself overtake what it rests on.
  assert(isCounted || options.reference.trustMessages, "A leader counts what is on its own disk");
  const last = log.lastIndex;
  const { peers } = leadership;
  for (let place = 0; place < peers.length; place++) peers[place]?.check(last);
}
