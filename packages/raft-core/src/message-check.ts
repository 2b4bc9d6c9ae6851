import type { AppendEntries, LogEntry, NodeId, PeerMessage, SnapshotMeta } from "./types.ts";

/** Whether a message from outside can be stepped at all: addressed to this member, numbers in range, entries without gaps. */
export function isWellFormed(message: PeerMessage, self: NodeId): boolean {
  if (message.to !== self || message.from === self || !isPositive(message.from)) return false;
  switch (message.type) {
    case "requestVote":
      return isPositive(message.term) && isCount(message.lastIndex) && isCount(message.lastTerm) && message.lastTerm < message.term;
    case "requestVoteResponse":
      return isPositive(message.term);
    case "appendEntries":
      return isWellFormedAppend(message);
    case "appendEntriesResponse":
      return isPositive(message.term) && isCount(message.index) && isCount(message.hintIndex) && isCount(message.hintTerm);
    case "heartbeat":
      return isPositive(message.term) && isCount(message.commit) && isCount(message.readPosition);
    case "heartbeatResponse":
      return isPositive(message.term) && isCount(message.readPosition);
    case "installSnapshot":
      return isPositive(message.term) && isWellFormedSnapshot(message.snapshot) && message.snapshot.term <= message.term;
    case "forwardPropose":
      return message.payloads.length > 0;
    case "readIndexRequest":
      return isCount(message.requestId);
    case "readIndexResponse":
      return isCount(message.requestId) && isCount(message.index);
  }
}

function isWellFormedAppend(message: AppendEntries): boolean {
  if (!isPositive(message.term) || !isCount(message.prevIndex) || !isCount(message.prevTerm) || !isCount(message.commit)) return false;
  return areConsecutive(message.entries, message.prevIndex, message.prevTerm, message.term);
}

function areConsecutive(entries: readonly LogEntry[], prevIndex: number, prevTerm: number, lastTermMax: number): boolean {
  let term = prevTerm;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i];
    if (entry === undefined || entry.index !== prevIndex + 1 + i || !(entry.term >= term)) return false;
    term = entry.term;
  }
  return term <= lastTermMax && Number.isSafeInteger(term) && Number.isSafeInteger(prevIndex + entries.length);
}

function isWellFormedSnapshot(snapshot: SnapshotMeta): boolean {
  return isPositive(snapshot.index) && isPositive(snapshot.term);
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isPositive(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}
