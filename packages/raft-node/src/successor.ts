import type { CoreStatus, NodeId, PeerStatus } from "@raftkv/raft-core";

const NOBODY: ReadonlySet<NodeId> = new Set();

/**
 * Who can take over from this leader soonest, null if nobody can: a voter that lives and has lost nothing, with the fewest entries still to
 * come. Not one of those that were `tried`.
 */
export function successorOf({ id, configuration, peers }: CoreStatus, tried: ReadonlySet<NodeId> = NOBODY): NodeId | null {
  let best: PeerStatus | null = null;
  for (const peer of peers) {
    const isMeant = peer.id !== id && configuration.voters.includes(peer.id) && !tried.has(peer.id);
    const isEligible = isMeant && !peer.isDistrusted && !peer.isUnderRepair && isWithinReach(peer);
    if (isEligible && (best === null || isSooner(peer, best))) best = peer;
  }
  return best?.id ?? null;
}

/** A check of the quorum has just made everybody inactive, but one that was lost is being probed since then. */
function isWithinReach(peer: PeerStatus): boolean {
  return peer.state === "replicate" || (peer.state === "probe" && peer.isActive);
}

function isSooner(peer: PeerStatus, other: PeerStatus): boolean {
  if (peer.isActive !== other.isActive) return peer.isActive;
  if (peer.state !== other.state) return peer.state === "replicate";
  return peer.match > other.match;
}
