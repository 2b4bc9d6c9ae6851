import type { CoreState } from "../core-state.ts";
import { applyChange } from "../membership/changer.ts";
import { isJoint, isLearner } from "../membership/configuration.ts";
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
  if (promotesLaggard(state, leadership, change)) return "learner_behind";
  return options.reference.refusedChangeBecomesEmpty || applyChange(configuration, change).ok ? null : "conf_invalid";
}

/** A voter that lacks much would hold up every commit that needs it (dissertation 4.2.1). */
function promotesLaggard(state: CoreState, leadership: Leadership, { operations }: ConfigurationChange): boolean {
  const { configuration, log, options } = state;
  const lagMax = options.promotionLagMax;
  if (lagMax === null) return false;
  return operations.some(({ type, id }) => {
    const peer = leadership.progressOf(id);
    const isPromotion = type === "addVoter" && isLearner(configuration, id) && peer !== undefined;
    return isPromotion && (!peer.isActive || peer.repair !== null || log.lastIndex - peer.match > lagMax);
  });
}
