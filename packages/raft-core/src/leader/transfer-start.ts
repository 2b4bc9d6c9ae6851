import type { CoreState } from "../core-state.ts";
import type { Progress } from "../tracker/progress.ts";
import type { NodeId, TransferOutcome, TransferRefusal } from "../types.ts";
import type { Leadership } from "./leadership.ts";
import { sendAppend } from "./replication.ts";
import { endTransfer, tellToCampaign } from "./transfer.ts";

/**
 * Hands leadership to `target` (dissertation 3.10): it is brought up to date, then told to campaign at once. Meanwhile nothing is
 * proposed. Ends with another leader, or after an election time-out.
 */
export function startTransfer(state: CoreState, leadership: Leadership, target: NodeId): TransferOutcome {
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
  leadership.lease?.end();
  if (peer.match === state.log.lastIndex) tellToCampaign(state, peer, { caughtUp: false });
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
