import { assert } from "../assert.ts";
import type { Configuration, ConfigurationChange, MemberOperation, NodeId } from "../types.ts";
import { isJoint, isWellFormedConfiguration, normalized } from "./configuration.ts";
import { MemberDraft } from "./member-draft.ts";

/**
 * Why a change can't be made from the configuration it meets.
 *
 * - `already_joint`: another joint change has to be left first
 * - `zero_voter_joint`: there is nobody to change together with
 * - `not_joint`: there is nothing to leave
 * - `simple_while_joint`: a single change would move one half under the other
 * - `more_than_one_voter`: majorities before and after might not meet (dissertation 4.1)
 * - `no_voters_left`: nobody could ever decide anything again
 */
export type ChangeError =
  | "already_joint"
  | "zero_voter_joint"
  | "not_joint"
  | "simple_while_joint"
  | "more_than_one_voter"
  | "no_voters_left";

/** `started` are those whose progress begins anew, ascending: newcomers, also those removed and added again within the change. */
export type ChangeResult =
  | { readonly ok: true; readonly configuration: Configuration; readonly started: readonly NodeId[] }
  | { readonly ok: false; readonly error: ChangeError };

/** The configuration after `change`. Every member computes it for itself from the same committed entry, so it depends on nothing else. */
export function applyChange(current: Configuration, change: ConfigurationChange): ChangeResult {
  const { transition, operations } = change;
  if (transition === "auto" && operations.length === 0) return leaveJoint(current);
  if (transition === "auto" && operations.length === 1) return changeSimply(current, operations);
  return enterJoint(current, operations, { autoLeave: transition !== "explicit" });
}

/** Changes at most one voter, at once (dissertation 4.1), and any number of learners. */
export function changeSimply(current: Configuration, operations: readonly MemberOperation[]): ChangeResult {
  if (isJoint(current)) return refusal("simple_while_joint");
  const draft = new MemberDraft(current);
  draft.perform(operations);
  if (draft.voters.size === 0) return refusal("no_voters_left");
  if (changedVoters(current.voters, draft.voters) > 1) return refusal("more_than_one_voter");
  return success(draft.configuration({ autoLeave: false }), draft.started());
}

/** Any change of members, while those who voted until now keep deciding along with the new voters (dissertation 4.3). */
export function enterJoint(
  current: Configuration,
  operations: readonly MemberOperation[],
  options: { readonly autoLeave: boolean },
): ChangeResult {
  if (isJoint(current)) return refusal("already_joint");
  if (current.voters.length === 0) return refusal("zero_voter_joint");
  const draft = new MemberDraft({ ...current, outgoing: current.voters });
  draft.perform(operations);
  if (draft.voters.size === 0) return refusal("no_voters_left");
  return success(draft.configuration(options), draft.started());
}

/** The new voters decide alone from now on. */
export function leaveJoint(current: Configuration): ChangeResult {
  if (!isJoint(current)) return refusal("not_joint");
  const learners = [...current.learners, ...current.learnersNext];
  return success(normalized({ voters: current.voters, outgoing: [], learners, learnersNext: [], autoLeave: false }), []);
}

/** How many ids are in one of them only. */
function changedVoters(before: readonly NodeId[], after: ReadonlySet<NodeId>): number {
  const kept = before.filter((id) => after.has(id)).length;
  return before.length + after.size - 2 * kept;
}

function success(configuration: Configuration, started: readonly NodeId[]): ChangeResult {
  assert(isWellFormedConfiguration(configuration), "A change leads from one well-formed configuration to another");
  return { ok: true, configuration, started };
}

function refusal(error: ChangeError): ChangeResult {
  return { ok: false, error };
}
