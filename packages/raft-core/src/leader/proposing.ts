import { assert } from "../assert.ts";
import type { CoreState } from "../core-state.ts";
import { decodeChange, encodeChange } from "../membership/change-codec.ts";
import type { ForwardPropose } from "../messages.ts";
import type { ConfigurationChange, LogEntry, NodeId, ProposeDropped, ProposeOutcome } from "../types.ts";
import { appendAsLeader, type NewEntry } from "./appending.ts";
import { changeRefusal } from "./change-refusal.ts";
import type { Leadership } from "./leadership.ts";
import { broadcastAppend } from "./replication.ts";

/** Appends all of `payloads` or none. A follower passes them on; a candidate knows nobody to pass them to. */
export function propose(state: CoreState, payloads: readonly Uint8Array[]): ProposeOutcome {
  assert(payloads.length > 0, "A proposal has at least one payload");
  if (state.role.kind !== "leader") {
    return passOn(state, { type: "forwardPropose", from: state.id, to: state.leader, kind: "command", payloads });
  }
  const dropped = leaderRefusal(state, state.role);
  if (dropped !== null) return drop(state, dropped, state.id);
  return append(state, state.role, payloads.map(asCommand), state.id);
}

/** As `propose`, for one change of members. */
export function proposeChange(state: CoreState, change: ConfigurationChange): ProposeOutcome {
  const data = encodeChange(change);
  if (state.role.kind !== "leader") {
    return passOn(state, { type: "forwardPropose", from: state.id, to: state.leader, kind: "configuration", payloads: [data] });
  }
  return appendChange(state, state.role, { change, data, from: state.id });
}

/** Not passed on a second time: two members that each take the other for the leader would do so for ever. */
export function handleForwardPropose(state: CoreState, message: ForwardPropose): void {
  const { kind, payloads, from } = message;
  if (state.role.kind !== "leader") {
    if (state.options.reference.forwardAgain) passOn(state, { ...message, to: state.leader });
    else drop(state, state.leader === 0 ? "no_leader" : "not_forwarded", from);
    return;
  }
  if (kind === "command") {
    const dropped = leaderRefusal(state, state.role);
    if (dropped !== null) drop(state, dropped, from);
    else append(state, state.role, payloads.map(asCommand), from);
    return;
  }
  for (const data of payloads) {
    const change = decodeChange(data);
    if (change !== undefined) appendChange(state, state.role, { change, data, from });
  }
}

/** Applied entries of this leadership give their bytes back. */
export function releaseQuota(state: CoreState, leadership: Leadership, entries: readonly LogEntry[]): void {
  for (const entry of entries) {
    if (entry.term === state.term && entry.index >= leadership.termStart) leadership.uncommittedBytes -= entry.data.length;
  }
  assert(leadership.uncommittedBytes >= 0, "No more bytes are given back than were taken");
}

function passOn(state: CoreState, message: ForwardPropose): ProposeOutcome {
  if (state.role.kind !== "follower" || state.leader === 0) return drop(state, "no_leader", message.from);
  if (!state.options.forwardProposals) return drop(state, "not_forwarded", message.from);
  state.outbox.send(message);
  return { outcome: "forwarded", to: state.leader };
}

function leaderRefusal(state: CoreState, leadership: Leadership): ProposeDropped | null {
  if (leadership.progressOf(state.id) === undefined) return "removed";
  return leadership.transferTarget === 0 ? null : "transfer_in_progress";
}

interface ProposedChange {
  readonly change: ConfigurationChange;
  readonly data: Uint8Array;
  readonly from: NodeId;
}

function appendChange(state: CoreState, leadership: Leadership, { change, data, from }: ProposedChange): ProposeOutcome {
  const dropped = leaderRefusal(state, leadership);
  if (dropped !== null) return drop(state, dropped, from);
  const reason = changeRefusal(state, leadership, change);
  if (reason !== null) {
    const { configuration, log } = state;
    state.emit?.({ type: "changeRefused", change, configuration, reason, pendingIndex: leadership.pendingChange, applied: log.applied });
    if (!state.options.reference.refusedChangeBecomesEmpty) return { outcome: "dropped", reason };
    return append(state, leadership, [asCommand(new Uint8Array(0))], from);
  }
  const outcome = append(state, leadership, [{ kind: "configuration", data }], from);
  if (outcome.outcome === "accepted") leadership.pendingChange = outcome.lastIndex;
  return outcome;
}

function append(state: CoreState, leadership: Leadership, entries: readonly NewEntry[], from: NodeId): ProposeOutcome {
  let bytes = 0;
  for (const entry of entries) bytes += entry.data.length;
  // One proposal above the limit passes while nothing else waits, or it never could.
  const isOverQuota = leadership.uncommittedBytes > 0 && leadership.uncommittedBytes + bytes > state.options.uncommittedBytesMax;
  if (isOverQuota && bytes > 0) return drop(state, "quota", from);
  const firstIndex = state.log.lastIndex + 1;
  appendAsLeader(state, leadership, entries);
  // The sender may only relay it, so everybody is told when it is committed.
  if (from !== state.id) leadership.awaitedCommit = state.log.lastIndex;
  broadcastAppend(state);
  return { outcome: "accepted", term: state.term, firstIndex, lastIndex: state.log.lastIndex };
}

function drop(state: CoreState, reason: ProposeDropped, from: NodeId): ProposeOutcome {
  const transferTarget = state.role.kind === "leader" ? state.role.transferTarget : 0;
  state.emit?.({ type: "proposalDropped", reason, from, term: state.term, leader: state.leader, transferTarget });
  return { outcome: "dropped", reason };
}

function asCommand(data: Uint8Array): NewEntry {
  return { kind: "command", data };
}
