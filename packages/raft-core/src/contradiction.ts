import type { CoreState } from "./core-state.ts";
import type { AppendEntries, AppendEntriesResponse, HeartbeatResponse, InstallSnapshot, LeaderMessage, TermedMessage } from "./messages.ts";
import type { StepRejection } from "./types.ts";

/**
 * Furthest that one message may lift a term. At an election each second a member needs 136 years to come so far by itself; without
 * the limit one broken message could use up all terms of a cluster.
 */
export const TERM_JUMP_MAX = 2 ** 32;

/**
 * Why a message of this term or a later one can't be true, given what this member knows for certain; null if it may be. Asked before
 * the message has any effect. Members that keep what they synced never send such a message, whatever is lost, late or repeated.
 */
export function contradictionOf(state: CoreState, message: TermedMessage): StepRejection | null {
  // A new member may join a cluster of any age.
  if (state.term > 0 && message.term - state.term > TERM_JUMP_MAX) return "term_jump";
  switch (message.type) {
    case "appendEntries":
      return isSecondLeader(state, message) ? "second_leader" : contradictionOfAppend(state, message);
    case "heartbeat":
      if (isSecondLeader(state, message)) return "second_leader";
      // A member that lost entries says so itself: its leader may not have heard of it yet.
      return message.commit > state.log.lastIndex && state.repair === null ? "commit_beyond_log" : null;
    case "installSnapshot":
      return isSecondLeader(state, message) ? "second_leader" : contradictionOfSnapshot(state, message);
    case "appendEntriesResponse":
      return contradictionOfAppendResponse(state, message);
    case "heartbeatResponse":
      return contradictionOfHeartbeatResponse(state, message);
    default:
      return null;
  }
}

/** A term has one leader (paper 5.2). */
function isSecondLeader(state: CoreState, message: LeaderMessage): boolean {
  return message.term === state.term && state.leader !== 0 && state.leader !== message.from;
}

/** Every later leader holds what is committed (paper 5.4.3). */
function contradictionOfAppend(state: CoreState, message: AppendEntries): StepRejection | null {
  const log = state.log;
  if (log.deniesCommitted(message.prevIndex, message.prevTerm)) return "conflicts_with_committed";
  for (const entry of message.entries) {
    if (entry.index > log.commit) break;
    if (log.deniesCommitted(entry.index, entry.term)) return "conflicts_with_committed";
  }
  return null;
}

function contradictionOfSnapshot(state: CoreState, message: InstallSnapshot): StepRejection | null {
  return state.log.deniesCommitted(message.snapshot.index, message.snapshot.term) ? "conflicts_with_committed" : null;
}

/** A follower answers for what this leader sent, and a leader's log only grows. */
function contradictionOfAppendResponse(state: CoreState, message: AppendEntriesResponse): StepRejection | null {
  if (state.role.kind !== "leader" || message.term !== state.term) return null;
  return message.index > state.log.lastIndex ? "index_beyond_log" : null;
}

/** A position that was confirmed before it is given out would later pass for a majority's answer (dissertation 6.4). */
function contradictionOfHeartbeatResponse(state: CoreState, message: HeartbeatResponse): StepRejection | null {
  if (state.role.kind !== "leader" || message.term !== state.term) return null;
  return message.readPosition > state.role.reads.issued ? "read_beyond_issued" : null;
}
