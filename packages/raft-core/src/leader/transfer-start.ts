import type { CoreState } from "../core-state.ts";
import type { Progress } from "../tracker/progress.ts";
import type { NodeId, TransferOutcome, TransferRefusal } from "../types.ts";
import { tellToCampaign } from "./hand-over.ts";
import type { Leadership } from "./leadership.ts";
import { sendAppend } from "./replication.ts";
import { endTransfer } from "./transfer.ts";

export interface TransferWish {
  readonly target: NodeId;
  /** The leader is about to stop, and gives the target its vote. */
  readonly isResigning: boolean;
}

/**
 * Hands leadership to `target` (dissertation 3.10): it is brought up to date, then told to campaign at once. Meanwhile nothing is
 * proposed. Ends with another leader, or after an election time-out; who resigns leads no longer as soon as the target is told.
 */
export function startTransfer(state: CoreState, leadership: Leadership, { target, isResigning }: TransferWish): TransferOutcome {
  const peer = leadership.progressOf(target);
  if (peer === undefined) {
    state.emit?.({ type: "peerUnknown", from: target });
    return { outcome: "refused", reason: "not_a_voter" };
  }
  const refusal = transferRefusal(state, leadership, peer);
  if (refusal !== null) {
    state.emit?.({ type: "transferRefused", reason: refusal, target, term: state.term });
    return { outcome: "refused", reason: refusal };
  }
  state.emit?.({ type: "transferStarted", target, term: state.term });
  leadership.transferElapsed = 0;
  // The check of the quorum must not wait for a leader that is asked again and again.
  if (state.options.reference.transferPostponesQuorumCheck) state.electionElapsed = 0;
  leadership.transferTarget = target;
  leadership.isResigning = isResigning;
  leadership.lease?.end();
  if (peer.match === state.log.lastIndex) tellToCampaign(state, leadership, { peer, caughtUp: false });
  else sendAppend(state, peer);
  return { outcome: "started" };
}

function transferRefusal(state: CoreState, leadership: Leadership, peer: Progress): TransferRefusal | null {
  if (peer.isLearner) return "not_a_voter";
  if (peer.repair !== null) return "under_repair";
  if (leadership.transferTarget === peer.id) return "in_progress";
  endTransfer(state, leadership, "superseded");
  return peer.id === state.id ? "to_self" : null;
}
