import type { CoreState } from "./core-state.ts";
import { switchConfiguration } from "./leader/changes.ts";
import { isTracked, normalized } from "./membership/configuration.ts";
import type { AppendEntries, AppendEntriesResponse, Heartbeat, HeartbeatResponse, InstallSnapshot } from "./messages.ts";
import type { Repair } from "./repair.ts";
import type { LogIndex, NodeId } from "./types.ts";

/** Takes a leader's entries (paper 5.3). The answer waits for the disk. */
export function handleAppend(state: CoreState, message: AppendEntries): void {
  const log = state.log;
  if (message.prevIndex < log.commit) return acknowledge(state, message.from, log.commit);
  const ownTerm = log.termAt(message.prevIndex);
  if (ownTerm !== message.prevTerm) return refuse(state, message, ownTerm ?? 0);
  log.merge(message.entries);
  const verified = message.prevIndex + message.entries.length;
  // Beyond what this message verified the own log may still hold entries of a deposed leader.
  log.commitTo(Math.min(message.commit, verified));
  acknowledge(state, message.from, verified);
}

/** The leader caps the commit index by what this member acknowledged; one beyond the own log was refused before. */
export function handleHeartbeat(state: CoreState, message: Heartbeat): void {
  const { from, readPosition } = message;
  const { log, repair } = state;
  if (repair !== null) noteRepairTarget(state, repair, message);
  log.commitTo(repair === null ? message.commit : repair.commitWithin(message.commit, log.lastIndex));
  const answer: HeartbeatResponse = { type: "heartbeatResponse", from: state.id, to: from, term: state.term, readPosition };
  state.outbox.send(repair === null ? answer : { ...answer, repairId: repair.id });
}

/** An answer to another repair of this member, before it was started again, says nothing about what is lost now. */
function noteRepairTarget(state: CoreState, repair: Repair, { from, repair: named }: Heartbeat): void {
  if (named?.id !== repair.id || !repair.aimAt(named.index)) return;
  state.emit?.({ type: "repairTargeted", leader: from, target: named.index });
}

/** Replaces the log by a snapshot, unless the log already holds what the snapshot does (paper 7). */
export function handleInstallSnapshot(state: CoreState, message: InstallSnapshot): void {
  const { log, emit } = state;
  const { snapshot } = message;
  const taken = restore(state, message);
  emit?.({ type: "snapshotHandled", snapshot, commit: log.commit, taken });
  acknowledge(state, message.from, taken ? log.lastIndex : log.commit);
}

/** Whether this member belongs to the snapshot's configuration does not matter: it may have been added since. */
function restore(state: CoreState, { snapshot }: InstallSnapshot): boolean {
  const { log, emit, options } = state;
  if (snapshot.index <= log.commit) return false;
  const configuration = normalized(snapshot.configuration);
  if (options.reference.refuseSnapshotsWithoutSelf && !isTracked(configuration, state.id)) {
    emit?.({ type: "snapshotRefused", snapshot });
    return false;
  }
  if (log.termAt(snapshot.index) === snapshot.term) {
    emit?.({ type: "snapshotFastForwarded", snapshot, commit: log.commit, ...state.logEnd });
    log.commitTo(snapshot.index);
    return false;
  }
  log.restore(snapshot);
  switchConfiguration(state, configuration, []);
  emit?.({ type: "snapshotRestored", snapshot, commit: log.commit, ...state.logEnd });
  return true;
}

/** Tells a leader of an older term that its time is over; otherwise it might never hear of the new term. */
export function answerDeposedLeader(state: CoreState, leader: NodeId): void {
  acknowledge(state, leader, 0);
}

function acknowledge(state: CoreState, to: NodeId, index: LogIndex): void {
  state.repair?.verifiedTo(index);
  answer(state, {
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

function refuse(state: CoreState, message: AppendEntries, ownTermAtPrev: number): void {
  state.emit?.({ type: "appendRefused", message, ownTermAtPrev });
  const hintIndex = state.log.hintAt(message.prevIndex, message.prevTerm);
  answer(state, {
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

/** Under repair every answer says so: no quorum may count it. */
function answer({ outbox, repair }: CoreState, response: AppendEntriesResponse): void {
  outbox.sendWhenDurable(repair === null ? response : { ...response, repairId: repair.id });
}
