import type { CoreState } from "../core-state.ts";
import type { TransferResult } from "../types.ts";
import type { Leadership } from "./leadership.ts";

/** Does nothing while no transfer is under way. */
export function endTransfer(state: CoreState, leadership: Leadership, result: TransferResult): void {
  const target = leadership.transferTarget;
  if (target === 0) return;
  leadership.transferTarget = 0;
  leadership.isResigning = false;
  state.emit?.({ type: "transferEnded", target, result, term: state.term });
}
