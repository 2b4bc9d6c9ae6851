import { PRIORITY_MAX } from "../core-options.ts";
import type { CoreState } from "../core-state.ts";
import type { RequestPreVote, RequestVote } from "../messages.ts";

/** Elections without a result after which priorities are set aside: those of high priority may be gone. */
const ROUNDS_WITH_PRIORITY = 2;

/** Nobody outranks it. */
export const PRIORITY_ABOVE_ALL = PRIORITY_MAX + 1;

/** The priority to campaign with. */
export function campaignPriority(state: CoreState): number {
  return state.roundsWithoutLeader > ROUNDS_WITH_PRIORITY ? PRIORITY_ABOVE_ALL : state.options.priority;
}

/** Whether this member would rather see somebody else lead: the candidate is of lower rank and knows nothing that this one does not. */
export function outranks(state: CoreState, request: RequestPreVote | RequestVote): boolean {
  const { log, options } = state;
  const isNewer = request.lastTerm > log.lastTerm || (request.lastTerm === log.lastTerm && request.lastIndex > log.lastIndex);
  return request.priority < options.priority && !isNewer;
}
