import { assert } from "./assert.ts";
import type { CoreState } from "./core-state.ts";
import type { Leadership } from "./leadership.ts";
import { payloadBytes } from "./log/raft-log.ts";
import type { Progress } from "./tracker/progress.ts";
import type { AppendEntriesResponse, HeartbeatResponse, LogEntry } from "./types.ts";

const NO_ENTRIES: readonly LogEntry[] = [];

/** Sends every follower what it lacks, or at least the commit index. */
export function broadcastAppend(state: CoreState): void {
  const role = state.role;
  assert(role.kind === "leader", "Only a leader replicates");
  for (const follower of role.followers) sendAppend(state, follower);
}

/** A heartbeat to every follower, with the commit index as far as it can know of it (paper 5.2). */
export function broadcastHeartbeat(state: CoreState, leadership: Leadership): void {
  const readPosition = leadership.reads.unconfirmed;
  for (const follower of leadership.followers) {
    const commit = Math.min(follower.match, state.log.commit);
    follower.sentCommit = commit;
    state.outbox.send({ type: "heartbeat", from: state.id, to: follower.id, term: state.term, commit, readPosition });
  }
}

/** One append, without entries if there is nothing to send or no room for it. Nothing if the follower has to answer first. */
export function sendAppend(state: CoreState, follower: Progress): void {
  if (follower.isPaused) return;
  const isFull = follower.state === "replicate" && follower.window.isFull;
  sendEntries(state, follower, isFull ? NO_ENTRIES : entriesFor(state, follower));
}

/** Fills the follower's window as far as there are entries. */
function sendPending(state: CoreState, follower: Progress): void {
  while (!follower.isPaused && follower.next <= state.log.lastIndex && !follower.window.isFull) {
    sendEntries(state, follower, entriesFor(state, follower));
  }
}

/** Without entries also where the next one is compacted; `sendEntries` then sends a snapshot. */
function entriesFor(state: CoreState, follower: Progress): readonly LogEntry[] {
  if (follower.next < state.log.firstIndex) return NO_ENTRIES;
  return state.log.slice(follower.next, state.log.lastIndex + 1, state.options.appendBytesMax);
}

function sendEntries(state: CoreState, follower: Progress, entries: readonly LogEntry[]): void {
  const prevIndex = follower.next - 1;
  const prevTerm = state.log.termAt(prevIndex);
  if (prevTerm === undefined) return sendSnapshot(state, follower);
  const commit = state.log.commit;
  follower.sent(entries.length, payloadBytes(entries), commit);
  state.outbox.send({ type: "appendEntries", from: state.id, to: follower.id, term: state.term, prevIndex, prevTerm, commit, entries });
}

/** Only to a follower that is alive: a snapshot is dear. */
function sendSnapshot(state: CoreState, follower: Progress): void {
  if (!follower.heard) return;
  const snapshot = state.log.snapshot;
  assert(snapshot !== null && snapshot.index >= state.log.firstIndex - 1, "What is compacted is in a snapshot");
  follower.becomeSnapshot(snapshot.index);
  state.outbox.send({ type: "installSnapshot", from: state.id, to: follower.id, term: state.term, snapshot });
}

export function handleAppendResponse(state: CoreState, leadership: Leadership, message: AppendEntriesResponse): void {
  const follower = leadership.progressOf(message.from);
  if (follower === undefined) return;
  follower.heard = true;
  if (message.rejected) return handleRejection(state, follower, message);
  if (!follower.accepted(message.index) && !(message.index === follower.match && follower.state === "probe")) return;
  switch (follower.state) {
    case "probe":
      follower.becomeReplicate();
      break;
    case "snapshot":
      if (follower.match + 1 >= state.log.firstIndex) follower.becomeReplicate();
      break;
    case "replicate":
      follower.window.release(message.index);
      break;
  }
  if (advanceCommit(state, leadership)) broadcastAppend(state);
  else if (state.log.commit > follower.sentCommit && follower.sentCommit < follower.next - 1) sendAppend(state, follower);
  sendPending(state, follower);
}

/** Both sides skip whole terms, so that finding where two logs part takes about one question per term (paper 5.3). */
function handleRejection(state: CoreState, follower: Progress, message: AppendEntriesResponse): void {
  const hint = message.hintTerm > 0 ? state.log.hintAt(message.hintIndex, message.hintTerm) : message.hintIndex;
  if (follower.refused(message.index, hint)) sendAppend(state, follower);
}

/** It also rescues a follower whose whole window was lost: it rejects the empty append that gets through. */
export function handleHeartbeatResponse(state: CoreState, leadership: Leadership, message: HeartbeatResponse): void {
  const follower = leadership.progressOf(message.from);
  if (follower === undefined) return;
  follower.heard = true;
  follower.unpause();
  if (follower.match < state.log.lastIndex || follower.state === "probe") sendAppend(state, follower);
  if (message.readPosition <= follower.readPosition) return;
  follower.readPosition = message.readPosition;
  leadership.reads.confirm(leadership.confirmedPosition(leadership.reads.issued));
}

/**
 * Commits what a majority holds, if it is of this term (paper 5.4.2, figure 8). True if the commit index moved. The leader counts
 * itself by what its own disk holds.
 */
export function advanceCommit(state: CoreState, leadership: Leadership): boolean {
  const index = leadership.replicatedIndex(state.log.durable);
  if (index <= state.log.commit || state.log.termAt(index) !== state.term) return false;
  return state.log.commitTo(index);
}

/** Entries of this leader became durable on its own disk. */
export function countOwnEntries(state: CoreState, leadership: Leadership): void {
  if (advanceCommit(state, leadership)) broadcastAppend(state);
}
