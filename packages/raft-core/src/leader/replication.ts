import { assert } from "../assert.ts";
import type { CoreState } from "../core-state.ts";
import { payloadBytes } from "../log/raft-log.ts";
import type { AppendEntriesResponse, Heartbeat, HeartbeatResponse } from "../messages.ts";
import type { Progress } from "../tracker/progress.ts";
import type { LogEntry, LogIndex } from "../types.ts";
import { handOverIfCaughtUp } from "./hand-over.ts";
import type { Leadership } from "./leadership.ts";

const NO_ENTRIES: readonly LogEntry[] = [];

/** Sends everybody else what they lack, or at least the commit index. */
export function broadcastAppend(state: CoreState): void {
  const role = state.role;
  assert(role.kind === "leader", "Only a leader replicates");
  if (!role.isAnnounced && !state.options.reference.newLeaderSpeaksAtOnce) return;
  for (const peer of role.peers) if (peer.id !== state.id) sendAppend(state, peer);
}

/** Sends the commit index to everybody who can make use of it and was not told. */
export function broadcastCommit(state: CoreState, leadership: Leadership): void {
  const { commit } = state.log;
  if (leadership.isAnnounced) for (const peer of leadership.peers) if (lacksCommit(state, peer, commit)) sendAppend(state, peer);
}

/** A read of this member waits for what is committed now, or is when the read gets its index. */
export function readAwaitsCommit(state: CoreState, leadership: Leadership, peer: Progress): void {
  const { log, options } = state;
  if (!options.commitMayWait || !leadership.isAnnounced) return;
  leadership.awaitedCommit = log.lastIndex;
  if (lacksCommit(state, peer, log.commit)) sendAppend(state, peer);
}

/** Whether somebody could make use of a commit index, at most the present one, and was not told. */
export function isCommitUntold(state: CoreState, leadership: Leadership, commit: LogIndex): boolean {
  if (!leadership.isAnnounced) return false;
  for (const peer of leadership.peers) if (lacksCommit(state, peer, commit)) return true;
  return false;
}

/** Who needs a snapshot first can make no use of it. */
function lacksCommit(state: CoreState, peer: Progress, commit: LogIndex): boolean {
  return peer.id !== state.id && !peer.isPaused && peer.canLearnCommit(commit) && state.log.termAt(peer.next - 1) !== undefined;
}

/** A new leader's first word: the entry that opens its term, and whatever was proposed since. */
export function announceLeadership(state: CoreState, leadership: Leadership): void {
  if (leadership.isAnnounced) return;
  leadership.isAnnounced = true;
  // Who proposed entries of earlier terms is not known.
  leadership.awaitedCommit = state.log.lastIndex;
  if (!state.options.reference.newLeaderSpeaksAtOnce) broadcastAppend(state);
}

/** Sends everybody else what they lack, and nothing to those who lack nothing. */
export function sendMissing(state: CoreState, leadership: Leadership): void {
  for (const peer of leadership.peers) if (peer.id !== state.id) sendEntriesIfAny(state, peer);
}

/** A heartbeat to everybody else, with the commit index as far as it can know of it (paper 5.2). */
export function broadcastHeartbeat(state: CoreState, leadership: Leadership): void {
  const { reads, lease } = leadership;
  if (lease !== null) lease.roundSent(reads.openRound(), state.nowMs);
  const readPosition = lease === null ? reads.unconfirmed : reads.issued;
  for (const peer of leadership.peers) {
    if (peer.id === state.id) continue;
    const commit = Math.min(peer.match, state.log.commit);
    peer.sentCommit = commit;
    const heartbeat: Heartbeat = { type: "heartbeat", from: state.id, to: peer.id, term: state.term, commit, readPosition };
    state.outbox.send(peer.repair === null ? heartbeat : { ...heartbeat, repair: peer.repair });
  }
}

/** One append, without entries if there is nothing to send or no room for it. Nothing if the peer has to answer first. */
export function sendAppend(state: CoreState, peer: Progress): void {
  if (peer.isPaused) return;
  sendEntries(state, peer, entriesFor(state, peer));
}

/** False if there was nothing to send, or no room for it. */
function sendEntriesIfAny(state: CoreState, peer: Progress): boolean {
  if (peer.isPaused) return false;
  const entries = entriesFor(state, peer);
  const isCompacted = peer.next < state.log.firstIndex;
  return (entries.length > 0 || isCompacted) && sendEntries(state, peer, entries);
}

/** Fills the peer's window as far as there are entries. */
function sendPending(state: CoreState, peer: Progress): void {
  while (sendEntriesIfAny(state, peer));
}

/** None where the next one is compacted, and none into a full window: then only the commit index travels. */
function entriesFor(state: CoreState, peer: Progress): readonly LogEntry[] {
  const { log, options } = state;
  if (peer.next < log.firstIndex || peer.next > log.lastIndex) return NO_ENTRIES;
  if (peer.state === "replicate" && peer.window.isFull) return NO_ENTRIES;
  return log.slice(peer.next, log.lastIndex + 1, options.appendBytesMax);
}

/** False if not even a snapshot could be sent. */
function sendEntries(state: CoreState, peer: Progress, entries: readonly LogEntry[]): boolean {
  const prevIndex = peer.next - 1;
  const prevTerm = state.log.termAt(prevIndex);
  if (prevTerm === undefined) return sendSnapshot(state, peer);
  const commit = state.log.commit;
  peer.sent(entries.length, payloadBytes(entries), commit);
  state.outbox.send({ type: "appendEntries", from: state.id, to: peer.id, term: state.term, prevIndex, prevTerm, commit, entries });
  return true;
}

/** Only to a peer that is alive: a snapshot is dear. */
function sendSnapshot(state: CoreState, peer: Progress): boolean {
  const { log, emit } = state;
  if (!peer.isActive) {
    emit?.({ type: "snapshotNotSent", to: peer.id });
    return false;
  }
  const snapshot = log.snapshot;
  assert(snapshot !== null, "What is compacted is in a snapshot");
  emit?.({ type: "snapshotSent", snapshot, firstIndex: log.firstIndex, commit: log.commit, peer: peer.status() });
  peer.becomeSnapshot(snapshot.index);
  emit?.({ type: "replicationPaused", peer: peer.status() });
  state.outbox.send({ type: "installSnapshot", from: state.id, to: peer.id, term: state.term, snapshot });
  return true;
}

export function handleAppendResponse(state: CoreState, leadership: Leadership, peer: Progress, message: AppendEntriesResponse): void {
  peer.isActive = true;
  if (message.rejected) return handleRefusal(state, peer, message);
  if (!peer.accepted(message.index) && !(message.index === peer.match && peer.state === "probe")) return;
  resumeReplication(state, peer, message);
  if (advanceCommit(state, leadership)) commitMoved(state, leadership);
  else if (peer.id !== state.id && peer.canLearnCommit(state.log.commit) && !mayWait(state, leadership, peer)) sendAppend(state, peer);
  if (peer.id === state.id) return;
  sendPending(state, peer);
  handOverIfCaughtUp(state, leadership, peer);
}

function commitMoved(state: CoreState, leadership: Leadership): void {
  if (!state.options.commitMayWait) return broadcastAppend(state);
  for (const peer of leadership.peers) {
    if (peer.id === state.id) continue;
    if (mayWait(state, leadership, peer)) sendEntriesIfAny(state, peer);
    else sendAppend(state, peer);
  }
}

/** Nobody but this member's own callers waits for the commit index, as far as is known. */
function mayWait(state: CoreState, leadership: Leadership, peer: Progress): boolean {
  return state.options.commitMayWait && leadership.awaitedCommit <= peer.sentCommit;
}

function resumeReplication(state: CoreState, peer: Progress, message: AppendEntriesResponse): void {
  switch (peer.state) {
    case "probe":
      return peer.becomeReplicate();
    case "snapshot":
      // Whatever snapshot it came from: its log connects to this one, and that is enough.
      if (peer.match + 1 < state.log.firstIndex) return;
      state.emit?.({ type: "replicationResumed", cause: "caught_up", peer: peer.status() });
      peer.becomeProbe();
      return peer.becomeReplicate();
    case "replicate": {
      if (state.options.adaptiveWindow && peer.window.isFull) peer.window.blocked(waitingBytes(state, peer));
      return peer.window.release(message.index);
    }
  }
}

/** How much the next append could carry; nothing where it is compacted. */
function waitingBytes(state: CoreState, peer: Progress): number {
  const { log, options } = state;
  if (peer.next < log.firstIndex) return 0;
  return payloadBytes(log.slice(peer.next, log.lastIndex + 1, options.appendBytesMax));
}

/** Both sides skip whole terms, so that finding where two logs part takes about one question per term (paper 5.3). */
function handleRefusal(state: CoreState, peer: Progress, message: AppendEntriesResponse): void {
  state.emit?.({ type: "refusalReceived", message });
  const hint = message.hintTerm > 0 ? state.log.hintAt(message.hintIndex, message.hintTerm) : message.hintIndex;
  if (!peer.refused(message.index, hint)) return;
  state.emit?.({ type: "progressDecreased", peer: peer.status() });
  if (peer.state === "replicate") peer.becomeProbe();
  sendAppend(state, peer);
}

/** It also rescues a follower whose whole window was lost: it rejects the empty append that gets through. */
export function handleHeartbeatResponse(state: CoreState, leadership: Leadership, peer: Progress, message: HeartbeatResponse): void {
  peer.isActive = true;
  peer.unpause();
  if (peer.match < state.log.lastIndex || peer.state === "probe") sendAppend(state, peer);
  if (message.readPosition <= peer.readPosition) return;
  peer.readPosition = message.readPosition;
  confirmReads(state, leadership);
}

/** A quorum may have answered for more reads than before. */
export function confirmReads(state: CoreState, leadership: Leadership): void {
  const position = leadership.confirmedPosition(state.configuration);
  leadership.lease?.confirmed(position);
  leadership.reads.confirm(position);
}

/** Commits what a quorum holds, if it is of this term (paper 5.4.2, figure 8). True if the commit index moved. */
export function advanceCommit(state: CoreState, leadership: Leadership): boolean {
  const index = leadership.replicatedIndex(state.configuration);
  if (index <= state.log.commit || state.log.termAt(index) !== state.term) return false;
  return state.log.commitTo(index);
}

/** Messages to this peer were lost. */
export function peerUnreachable(state: CoreState, peer: Progress): void {
  if (peer.state === "replicate") peer.becomeProbe();
  state.emit?.({ type: "peerUnreachable", peer: peer.status() });
}

/** The transfer of a snapshot ended. It probes, but only after the peer's next answer: the snapshot is still being installed. */
export function snapshotReported(state: CoreState, peer: Progress, stored: boolean): void {
  if (peer.state !== "snapshot") return;
  peer.snapshotEnded(stored);
  state.emit?.({ type: "replicationResumed", cause: stored ? "stored" : "failed", peer: peer.status() });
  peer.pause();
}
