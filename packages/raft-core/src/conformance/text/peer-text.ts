import type { PeerStatus } from "../../types.ts";
import { replicationNames } from "./names.ts";

/** What a leader knows of a peer: `StateReplicate match=14 next=17 paused inflight=2[full]`. */
export function peerText(peer: PeerStatus): string {
  let text = `${replicationNames[peer.state]} match=${peer.match} next=${peer.next}`;
  if (peer.isLearner) text += " learner";
  if (peer.isPaused) text += " paused";
  if (peer.pendingSnapshot > 0) text += ` pendingSnap=${peer.pendingSnapshot}`;
  if (!peer.isActive) text += " inactive";
  if (peer.inflightMessages > 0) text += ` inflight=${peer.inflightMessages}${peer.isInflightFull ? "[full]" : ""}`;
  return text;
}

/** One line for each peer, in the order given. */
export function peersText(peers: readonly PeerStatus[]): string {
  return peers.map((peer) => `${peer.id}: ${peerText(peer)}\n`).join("");
}
