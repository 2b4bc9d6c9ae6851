import type { CoreState } from "../core-state.ts";
import { TERM_MAX } from "../message-check.ts";
import { becomeFollower } from "../roles.ts";
import type { Progress } from "../tracker/progress.ts";
import type { NodeId } from "../types.ts";
import type { Leadership } from "./leadership.ts";

/** The target may have got the last entry it lacked. */
export function handOverIfCaughtUp(state: CoreState, leadership: Leadership, peer: Progress): void {
  const isCaughtUp = peer.id === leadership.transferTarget && peer.match === state.log.lastIndex;
  if (isCaughtUp) tellToCampaign(state, leadership, { peer, caughtUp: true });
}

/** The target has all there is. */
export function tellToCampaign(
  state: CoreState,
  leadership: Leadership,
  { peer, caughtUp }: { readonly peer: Progress; readonly caughtUp: boolean },
): void {
  // What one that is not counted acknowledged may be gone.
  const isResigning = leadership.isResigning && peer.isCounted && state.term < TERM_MAX;
  state.outbox.send({ type: "timeoutNow", from: state.id, to: peer.id, term: state.term, isResigning });
  state.emit?.({ type: "timeoutNowSent", target: peer.id, caughtUp });
  if (isResigning) resignTo(state, peer.id);
}

/**
 * Votes for the target in the next term before it asks, which saves a question and its answer. It is a vote as any other: one in its term,
 * to a log that has everything the own one has, and gone only when it is durable. Meanwhile the target makes its own vote durable. Who has
 * given it leads no longer, whatever becomes of the target.
 */
function resignTo(state: CoreState, successor: NodeId): void {
  becomeFollower(state, state.term + 1, 0, successor);
  state.vote = successor;
  state.outbox.sendWhenDurable({ type: "requestVoteResponse", from: state.id, to: successor, term: state.term, granted: true });
  state.emit?.({ type: "leaderResigned", successor, term: state.term });
}
