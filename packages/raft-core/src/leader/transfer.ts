import type { CoreState } from "../core-state.ts";
import type { Progress } from "../tracker/progress.ts";
import type { TransferResult } from "../types.ts";
import type { Leadership } from "./leadership.ts";

/** The target may have got the last entry it lacked. */
export function handOverIfCaughtUp(state: CoreState, leadership: Leadership, peer: Progress): void {
  if (peer.id === leadership.transferTarget && peer.match === state.log.lastIndex) tellToCampaign(state, peer, { caughtUp: true });
}

/** Does nothing while no transfer is under way. */
export function endTransfer(state: CoreState, leadership: Leadership, result: TransferResult): void {
  const target = leadership.transferTarget;
  if (target === 0) return;
  leadership.transferTarget = 0;
  state.emit?.({ type: "transferEnded", target, result, term: state.term });
}

/** The target has all there is. */
export function tellToCampaign(state: CoreState, peer: Progress, how: { readonly caughtUp: boolean }): void {
  const message = { type: "timeoutNow", from: state.id, to: peer.id, term: state.term } as const;
  state.outbox.send(message);
  state.emit?.({ type: "timeoutNowSent", target: peer.id, caughtUp: how.caughtUp });
}
