import type { AppendEntries, AppendEntriesResponse, LogEntry, NodeId, PeerMessage, RequestVote, SnapshotMeta } from "./types.ts";

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
      return isWellFormedVote(message);
    case "requestVoteResponse":
      return isTerm(message.term);
    case "appendEntries":
      return isWellFormedAppend(message);
    case "appendEntriesResponse":
      return isWellFormedAnswer(message);
    case "heartbeat":
      return isTerm(message.term) && isIndex(message.commit) && isCount(message.readPosition);
    case "heartbeatResponse":
      return isTerm(message.term) && isCount(message.readPosition);
    case "installSnapshot":
      return isTerm(message.term) && isWellFormedSnapshot(message.snapshot) && message.snapshot.term <= message.term;
    case "forwardPropose":
      return message.payloads.length > 0;
    case "readIndexRequest":
      return isCount(message.requestId);
    case "readIndexResponse":
      return isCount(message.requestId) && isIndex(message.index);
  }
}

/** Whether each voter is named once, in order. */
export function isAscending(ids: readonly NodeId[]): boolean {
  return ids.every((id, place) => Number.isSafeInteger(id) && id > (ids[place - 1] ?? 0));
}

function isWellFormedVote(message: RequestVote): boolean {
  return isTerm(message.term) && isPosition(message.lastIndex, message.lastTerm) && message.lastTerm < message.term;
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
    term = entry.term;
  }
  return term <= lastTermMax && isIndex(prevIndex + entries.length);
}

function isWellFormedAnswer(message: AppendEntriesResponse): boolean {
  if (!isTerm(message.term) || !isIndex(message.index) || !isIndex(message.hintIndex)) return false;
  return (message.hintTerm === 0 || isTerm(message.hintTerm)) && (!message.rejected || message.hintIndex <= message.index);
}

function isWellFormedSnapshot(snapshot: SnapshotMeta): boolean {
  const voters = snapshot.configuration.voters;
  return snapshot.index > 0 && isPosition(snapshot.index, snapshot.term) && voters.length > 0 && isAscending(voters);
}

/** An index and the term of its entry; only index 0 has term 0. */
function isPosition(index: number, term: number): boolean {
  return index === 0 ? term === 0 : isIndex(index) && isTerm(term);
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
