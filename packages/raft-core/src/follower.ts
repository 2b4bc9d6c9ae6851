import type { CoreState } from "./core-state.ts";
import type { AppendEntries, Heartbeat, InstallSnapshot, LogIndex, NodeId } from "./types.ts";

/** Takes a leader's entries (paper 5.3). The answer waits for the disk. */
export function handleAppend(state: CoreState, message: AppendEntries): void {
  const log = state.log;
  if (message.prevIndex < log.commit) return acknowledge(state, message.from, log.commit);
  if (log.termAt(message.prevIndex) !== message.prevTerm) return reject(state, message);
  log.merge(message.entries);
  const verified = message.prevIndex + message.entries.length;
  // Beyond what this message verified the own log may still hold entries of a deposed leader.
  log.commitTo(Math.min(message.commit, verified));
  acknowledge(state, message.from, verified);
}

/** The leader caps the commit index by what this member acknowledged; one beyond the own log was refused before. */
export function handleHeartbeat(state: CoreState, message: Heartbeat): void {
  state.log.commitTo(message.commit);
  state.outbox.send({
    type: "heartbeatResponse",
    from: state.id,
    to: message.from,
    term: state.term,
    readPosition: message.readPosition,
  });
}

/** Replaces the log by a snapshot, unless the log already holds what the snapshot does (paper 7). */
export function handleInstallSnapshot(state: CoreState, message: InstallSnapshot): void {
  const log = state.log;
  const snapshot = message.snapshot;
  if (snapshot.index > log.commit && snapshot.configuration.voters.includes(state.id)) {
    if (log.termAt(snapshot.index) === snapshot.term) {
      log.commitTo(snapshot.index);
    } else {
      log.restore(snapshot);
      state.configuration = snapshot.configuration;
    }
  }
  acknowledge(state, message.from, log.commit);
}

/** Tells a leader of an older term that its time is over; otherwise it might never hear of the new term. */
export function answerDeposedLeader(state: CoreState, leader: NodeId): void {
  acknowledge(state, leader, 0);
}

function acknowledge(state: CoreState, to: NodeId, index: LogIndex): void {
  state.outbox.sendWhenDurable({
    type: "appendEntriesResponse",
    from: state.id,
    to,
    term: state.term,
    index,
    rejected: false,
    hintIndex: 0,
    hintTerm: 0,
  });
}

function reject(state: CoreState, message: AppendEntries): void {
  const hintIndex = state.log.hintAt(message.prevIndex, message.prevTerm);
  state.outbox.sendWhenDurable({
    type: "appendEntriesResponse",
    from: state.id,
    to: message.from,
    term: state.term,
    index: message.prevIndex,
    rejected: true,
    hintIndex,
    hintTerm: state.log.termAt(hintIndex) ?? 0,
  });
}
