import type { CoreState } from "./core-state.ts";
import { switchConfiguration } from "./leader/changes.ts";
import { isJoint, isVoter, isWellFormedConfiguration, normalized } from "./membership/configuration.ts";
import { becomeFollower } from "./roles.ts";
import type { Configuration, RecoveryOutcome } from "./types.ts";

/**
 * Puts another configuration in force without asking anybody, after a majority was lost for good (dissertation 4.2.2 names no other
 * way). Whatever only the lost members held is gone, and if any of them still lives there are two clusters: only an operator who knows
 * can decide this. The driver saves a snapshot at the applied index with the new configuration before it lets this member campaign.
 */
export function recoverUnsafely(state: CoreState, wanted: Configuration): RecoveryOutcome {
  const configuration = normalized(wanted);
  if (state.quarantine !== null) return "quarantined";
  if (state.repair !== null) return "under_repair";
  if (!isWellFormedConfiguration(configuration) || isJoint(configuration)) return "conf_invalid";
  if (!isVoter(configuration, state.id)) return "not_a_voter_of_it";
  if (state.leader !== 0) return "leader_known";
  if (state.log.applied < state.log.commit) return "unapplied_entries";
  // Applied later, it would change the new configuration into who knows what.
  if (state.log.hasChangeAfter(state.log.applied)) return "pending_configuration";
  becomeFollower(state, state.term, 0);
  switchConfiguration(state, configuration, []);
  return "done";
}
