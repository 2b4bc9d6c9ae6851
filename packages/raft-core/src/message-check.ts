import { decodeChange } from "./membership/change-codec.ts";
import { isWellFormedConfiguration } from "./membership/configuration.ts";
import type {
  AppendEntries,
  AppendEntriesResponse,
  ForwardPropose,
  Heartbeat,
  PeerMessage,
  RequestPreVote,
  RequestVote,
} from "./messages.ts";
import type { LogEntry, NodeId, SnapshotMeta } from "./types.ts";

/** No message may carry a term above it. Elections count on from what a message said, and would else leave the safe integers. */
export const TERM_MAX = 2 ** 48;
/** No message may carry an index above it; a leader counts on from the last one. */
export const INDEX_MAX = 2 ** 48;

/** Whether a message is for `self` and from somebody else. */
export function isAddressedTo(self: NodeId, message: PeerMessage): boolean {
  return message.to === self && message.from !== self;
}

/** Whether a message can be stepped at all, whatever this member knows: numbers in range, entries without gaps. */
export function isWellFormed(message: PeerMessage): boolean {
  if (!isPositive(message.from)) return false;
  switch (message.type) {
    case "requestVote":
    case "requestPreVote":
      return isWellFormedVote(message);
    case "requestVoteResponse":
      return isTerm(message.term) && isMark(message.repairId);
    case "requestPreVoteResponse":
      // A new member may refuse before it has seen any term.
      return (isTerm(message.term) || (message.term === 0 && !message.granted)) && isMark(message.repairId);
    case "timeoutNow":
      return isTerm(message.term);
    case "transferLeadership":
      return isTerm(message.term) && isPositive(message.target);
    case "appendEntries":
      return isWellFormedAppend(message);
    case "appendEntriesResponse":
      return isWellFormedAnswer(message);
    case "heartbeat":
      return isWellFormedHeartbeat(message);
    case "heartbeatResponse":
      return isTerm(message.term) && isCount(message.readPosition) && isMark(message.repairId);
    case "installSnapshot":
      return isTerm(message.term) && isWellFormedSnapshot(message.snapshot) && message.snapshot.term <= message.term;
    case "forwardPropose":
      return isWellFormedProposal(message);
    case "readIndexRequest":
      return isCount(message.requestId);
    case "readIndexResponse":
      return isCount(message.requestId) && isIndex(message.index);
  }
}

function isWellFormedVote(message: RequestVote | RequestPreVote): boolean {
  const isPriority = isCount(message.priority);
  return isPriority && isTerm(message.term) && isPosition(message.lastIndex, message.lastTerm) && message.lastTerm < message.term;
}

function isWellFormedAppend(message: AppendEntries): boolean {
  if (!isTerm(message.term) || !isPosition(message.prevIndex, message.prevTerm) || !isIndex(message.commit)) return false;
  return areConsecutive(message.entries, message.prevIndex, message.prevTerm, message.term);
}

function areConsecutive(entries: readonly LogEntry[], prevIndex: number, prevTerm: number, lastTermMax: number): boolean {
  let term = Math.max(prevTerm, 1);
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i];
    if (entry === undefined || entry.index !== prevIndex + 1 + i || !(entry.term >= term) || !Number.isSafeInteger(entry.term))
      return false;
    if (entry.kind === "configuration" && decodeChange(entry.data) === undefined) return false;
    term = entry.term;
  }
  return term <= lastTermMax && isIndex(prevIndex + entries.length);
}

function isWellFormedHeartbeat({ term, commit, readPosition, repair }: Heartbeat): boolean {
  if (!isTerm(term) || !isIndex(commit) || !isCount(readPosition)) return false;
  return repair === undefined || (isPositive(repair.id) && isIndex(repair.index));
}

function isWellFormedAnswer(message: AppendEntriesResponse): boolean {
  if (!isTerm(message.term) || !isIndex(message.index) || !isIndex(message.hintIndex) || !isMark(message.repairId)) return false;
  return (message.hintTerm === 0 || isTerm(message.hintTerm)) && (!message.rejected || message.hintIndex <= message.index);
}

function isWellFormedSnapshot(snapshot: SnapshotMeta): boolean {
  return snapshot.index > 0 && isPosition(snapshot.index, snapshot.term) && isWellFormedConfiguration(snapshot.configuration);
}

function isWellFormedProposal(message: ForwardPropose): boolean {
  if (message.payloads.length === 0) return false;
  return message.kind === "command" || message.payloads.every((data) => decodeChange(data) !== undefined);
}

/** An index and the term of its entry; only index 0 has term 0. */
function isPosition(index: number, term: number): boolean {
  return index === 0 ? term === 0 : isIndex(index) && isTerm(term);
}

/** Only a member under repair marks its answers. */
function isMark(repairId: number | undefined): boolean {
  return repairId === undefined || isPositive(repairId);
}

function isTerm(value: number): boolean {
  return isPositive(value) && value <= TERM_MAX;
}

function isIndex(value: number): boolean {
  return isCount(value) && value <= INDEX_MAX;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isPositive(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}
