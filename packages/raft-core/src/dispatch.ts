import { assertNever } from "./assert.ts";
import { contradictionOf } from "./contradiction.ts";
import type { Candidacy, CoreState } from "./core-state.ts";
import { startElection, succeedLeader } from "./election/campaign.ts";
import { ticksOfLoyalty } from "./election/stickiness.ts";
import { handleVoteRequest, handleVoteResponse, refuseOutdatedPreVote } from "./election/voting.ts";
import { answerDeposedLeader, handleAppend, handleHeartbeat, handleInstallSnapshot } from "./follower.ts";
import type { Leadership } from "./leader/leadership.ts";
import { notePeerRepair } from "./leader/peer-repair.ts";
import { handleAppendResponse, handleHeartbeatResponse } from "./leader/replication.ts";
import { startTransfer } from "./leader/transfer-start.ts";
import { isTracked } from "./membership/configuration.ts";
import type { LeaderMessage, OwnMessage, PeerMessage, TermedMessage, TransferLeadership } from "./messages.ts";
import { quarantine } from "./quarantine.ts";
import { becomeFollower, followLeader } from "./roles.ts";
import type { StepRejection, TransferOutcome } from "./types.ts";

/** A message from another member. What contradicts what this member knows is refused, without any effect but quarantine. */
export function admit(state: CoreState, message: TermedMessage): StepRejection | null {
  if (isResponse(message) && !isTracked(state.configuration, message.from)) {
    state.emit?.({ type: "unknownSenderIgnored", message });
    return null;
  }
  // Messages of an earlier term count for nothing (paper 5.1), so nothing is concluded from what they say.
  const isBelieved = state.options.reference.trustMessages || message.term < state.term;
  const rejection = isBelieved ? null : rejectionOf(state, message);
  if (rejection === null) stepTermed(state, message);
  return rejection;
}

/** In quarantine: who leads is worth knowing, nothing else is done. */
export function watch(state: CoreState, message: PeerMessage): void {
  if (!("term" in message) || !isFromLeader(message) || message.term < state.term) return;
  if (message.term > state.term) becomeFollower(state, message.term, message.from);
  else followLeader(state, message.from);
}

/** A message that nothing contradicts, or that this member sent to itself. */
export function stepTermed(state: CoreState, message: TermedMessage): void {
  if (message.term > state.term && !enterTerm(state, message)) return;
  if (message.term < state.term) return stepOutdated(state, message);
  if (message.type === "requestVote" || message.type === "requestPreVote") return handleVoteRequest(state, message);
  switch (state.role.kind) {
    case "leader":
      return stepLeader(state, state.role, message);
    case "candidate":
    case "preCandidate":
      return stepCandidate(state, state.role, message);
    case "follower":
      return stepFollower(state, message);
    default:
      return assertNever(state.role);
  }
}

/** Only a follower knows whom to pass it to. */
export function forwardTransfer(state: CoreState, message: TransferLeadership): TransferOutcome {
  if (state.role.kind !== "follower") return { outcome: "refused", reason: "no_leader" };
  if (state.leader === 0) {
    state.emit?.({ type: "transferRefused", reason: "no_leader", target: message.target, term: state.term });
    return { outcome: "refused", reason: "no_leader" };
  }
  state.outbox.send(message);
  return { outcome: "forwarded", to: state.leader };
}

/** What shows that this member lost data it acknowledged takes it out. */
function rejectionOf(state: CoreState, message: TermedMessage): StepRejection | null {
  const { from, term } = message;
  const { commit, lastIndex } = state.log;
  const contradiction = contradictionOf(state, message);
  if (contradiction === "conflicts_with_committed") {
    quarantine(state, { kind: contradiction, index: commit, term, from });
  } else if (contradiction === "commit_beyond_log" && message.type === "heartbeat") {
    quarantine(state, { kind: contradiction, commit: message.commit, lastIndex, from });
    watch(state, message);
  }
  return contradiction;
}

/** False if the message is to have no effect: somebody else's election while this member has a leader. */
function enterTerm(state: CoreState, message: TermedMessage): boolean {
  if (message.type === "requestVote" || message.type === "requestPreVote") {
    const remainingTicks = ticksOfLoyalty(state, message);
    if (remainingTicks > 0) {
      const { term: ownTerm, vote, logEnd } = state;
      state.emit?.({ type: "voteRequestIgnored", request: message, ownTerm, vote, remainingTicks, ...logEnd });
      return false;
    }
  }
  if (isResignation(state, message)) {
    state.emit?.({ type: "resignationReceived", from: message.from, term: state.term });
    if (succeedLeader(state, message.from) === "started") return true;
  }
  // A pre-vote only asks about a term, and its grant only answers; nobody is in that term yet.
  if (message.type === "requestPreVote" || (message.type === "requestPreVoteResponse" && message.granted)) return true;
  state.emit?.({ type: "higherTermSeen", message, ownTerm: state.term });
  becomeFollower(state, message.term, isFromLeader(message) ? message.from : 0, message.from);
  return true;
}

/**
 * The leader's vote for the next term, which nobody asked it for: it has resigned in favour of this member, and what told this member to
 * campaign was lost or is still on its way.
 */
function isResignation({ term, leader }: CoreState, message: TermedMessage): boolean {
  return message.type === "requestVoteResponse" && message.granted && message.from === leader && message.term === term + 1;
}

/** A member stuck in a higher term than its leader's is freed by telling the leader of that term. */
function stepOutdated(state: CoreState, message: TermedMessage): void {
  // One under repair can't free itself by an election.
  const isFreeing = state.options.checkQuorum || state.options.preVote || state.repair !== null;
  if (isFreeing && (message.type === "appendEntries" || message.type === "heartbeat")) return answerDeposedLeader(state, message.from);
  if (message.type === "requestPreVote") return refuseOutdatedPreVote(state, message);
  state.emit?.({ type: "lowerTermIgnored", message, ownTerm: state.term });
}

function stepLeader(state: CoreState, leadership: Leadership, message: TermedMessage): void {
  if (message.type === "transferLeadership") {
    startTransfer(state, leadership, { target: message.target, isResigning: false });
    return;
  }
  const peer = leadership.progressOf(message.from);
  if (peer === undefined) {
    state.emit?.({ type: "peerUnknown", from: message.from });
  } else if (message.type === "appendEntriesResponse") {
    notePeerRepair(state, leadership, peer, message);
    handleAppendResponse(state, leadership, peer, message);
  } else if (message.type === "heartbeatResponse") {
    notePeerRepair(state, leadership, peer, message);
    handleHeartbeatResponse(state, leadership, peer, message);
  }
}

function stepCandidate(state: CoreState, role: Candidacy, message: TermedMessage): void {
  if (message.type === "requestVoteResponse" || message.type === "requestPreVoteResponse") {
    handleVoteResponse(state, role, message);
  } else if (isFromLeader(message)) {
    becomeFollower(state, message.term, message.from);
    stepFollower(state, message);
  } else if (message.type === "timeoutNow" && message.isResigning && role.kind === "preCandidate") {
    // It has doubted its leader, which still led and is gone now.
    state.emit?.({ type: "timeoutNowReceived", from: message.from, term: state.term });
    succeedLeader(state, message.from);
  } else if (message.type === "timeoutNow") {
    state.emit?.({ type: "timeoutNowIgnored", from: message.from, role: role.kind, term: state.term });
  }
}

function stepFollower(state: CoreState, message: TermedMessage): void {
  if (isFromLeader(message)) followLeader(state, message.from);
  switch (message.type) {
    case "appendEntries":
      return handleAppend(state, message);
    case "heartbeat":
      return handleHeartbeat(state, message);
    case "installSnapshot":
      return handleInstallSnapshot(state, message);
    case "timeoutNow":
      state.emit?.({ type: "timeoutNowReceived", from: message.from, term: state.term });
      if (message.isResigning) succeedLeader(state, message.from);
      else startElection(state, "transfer");
      return;
    case "transferLeadership":
      forwardTransfer(state, { ...message, from: state.id, to: state.leader });
      return;
    default:
      return;
  }
}

/** Whether it is of a kind that a member also sends to itself. */
export function isOwnMessage(message: PeerMessage): message is OwnMessage {
  const { type } = message;
  return type === "requestVoteResponse" || type === "requestPreVoteResponse" || type === "appendEntriesResponse";
}

function isFromLeader(message: TermedMessage): message is LeaderMessage {
  return message.type === "appendEntries" || message.type === "heartbeat" || message.type === "installSnapshot";
}

function isResponse(message: TermedMessage): boolean {
  return isOwnMessage(message) || message.type === "heartbeatResponse";
}
