import type { CoreState } from "../core-state.ts";
import type { AppendEntriesResponse, HeartbeatResponse } from "../messages.ts";
import type { Progress } from "../tracker/progress.ts";
import type { Leadership } from "./leadership.ts";
import { advanceCommit, broadcastAppend, confirmReads } from "./replication.ts";
import { endTransfer } from "./transfer.ts";

/**
 * Looks at the mark of an answer, before the answer itself counts. What a member acknowledged before the loss has done its work: an entry
 * that was committed with it stays committed (see `Repair`). But the member lacks it now, so what to send is found out anew.
 *
 * An answer that was under way for long may tell of a repair that is over, or not yet of one that has begun. Either is put right by the
 * next answer: it only costs a probe, as no target is below what was lost and no quorum counts more than the member once had.
 */
export function notePeerRepair(
  state: CoreState,
  leadership: Leadership,
  peer: Progress,
  message: AppendEntriesResponse | HeartbeatResponse,
): void {
  const id = message.repairId;
  if (id === undefined) {
    if (peer.repair !== null) endPeerRepair(state, leadership, peer);
  } else if (peer.repair?.id !== id) {
    startPeerRepair(state, leadership, peer, { id, answer: message });
  }
}

/** The target is read from the log only now: it is not below anything that the member acknowledged to this leader and lost. */
function startPeerRepair(
  state: CoreState,
  leadership: Leadership,
  peer: Progress,
  { id, answer }: { readonly id: number; readonly answer: AppendEntriesResponse | HeartbeatResponse },
): void {
  const target = state.log.lastIndex;
  peer.repair = { id, index: target };
  // The end of the log is asked about first: often little is missing. Or this answer is taken for one to the question that is open now.
  peer.startOver((answer.type === "appendEntriesResponse" ? answer.index : target) + 1);
  state.emit?.({ type: "peerRepairStarted", id, target, peer: peer.status() });
  if (leadership.transferTarget === peer.id) endTransfer(state, leadership, "target_gone");
}

/** What it acknowledged while it was not counted counts now. */
function endPeerRepair(state: CoreState, leadership: Leadership, peer: Progress): void {
  const id = peer.repair?.id ?? 0;
  peer.repair = null;
  state.emit?.({ type: "peerRepairEnded", id, peer: peer.status() });
  if (advanceCommit(state, leadership)) broadcastAppend(state);
  confirmReads(state, leadership);
}
