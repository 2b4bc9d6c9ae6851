import type { CoreState } from "../core-state.ts";
import { isQuorum } from "../quorum/joint.ts";
import { becomeFollower } from "../roles.ts";
import type { Leadership } from "./leadership.ts";

/**
 * A leader that heard no quorum for an election time-out steps down: others may have elected a new one already, and callers should ask
 * there (dissertation 6.2). The count begins anew in any case.
 *
 * A member under repair counts here, although no other quorum may contain it. It is heard, and it needs this leader: if a majority
 * under repair deposed it, the votes for another would be missing, and nobody could repair anybody.
 */
export function checkQuorum(state: CoreState, leadership: Leadership): void {
  const isActive = isQuorum(state.configuration, (id) => id === state.id || leadership.progressOf(id)?.isActive === true);
  if (!isActive) {
    state.emit?.({ type: "quorumLost", term: state.term });
    becomeFollower(state, state.term, 0);
  }
  for (const peer of leadership.peers) if (peer.id !== state.id) peer.isActive = false;
}
