import type { CoreState } from "../core-state.ts";
import { applyChange } from "../membership/changer.ts";
import { isJoint } from "../membership/configuration.ts";
import type { ChangeRefusal, ConfigurationChange } from "../types.ts";
import type { Leadership } from "./leadership.ts";

/** Why this leader may not propose the change now, null if it may. One change at a time keeps quorums overlapping (dissertation 4.1). */
export function changeRefusal(state: CoreState, leadership: Leadership, change: ConfigurationChange): ChangeRefusal | null {
  const { configuration, log, options } = state;
  if (!options.validateChanges) return null;
  if (leadership.pendingChange > log.applied) return "conf_pending";
  const isLeaving = change.operations.length === 0;
  if (isJoint(configuration)) {
    if (!isLeaving) return "conf_joint";
  } else if (isLeaving) {
    return "conf_not_joint";
  }
  // Two leaders that change members before they commit anything could end up with majorities that do not overlap.
  if (options.changeBarrier && log.commit < leadership.termStart) return "barrier";
  return options.reference.refusedChangeBecomesEmpty || applyChange(configuration, change).ok ? null : "conf_invalid";
}
