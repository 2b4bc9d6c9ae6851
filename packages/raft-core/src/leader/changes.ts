import { assert } from "../assert.ts";
import type { CoreState } from "../core-state.ts";
import { applyChange as changed } from "../membership/changer.ts";
import { isJoint, isVoter } from "../membership/configuration.ts";
import { becomeFollower } from "../roles.ts";
import type { Configuration, ConfigurationChange, NodeId } from "../types.ts";
import { proposeChange } from "./proposing.ts";
import { advanceCommit, broadcastAppend, confirmReads, sendMissing } from "./replication.ts";
import { endTransfer } from "./transfer.ts";

/** Leaves the joint configuration. */
const LEAVE: ConfigurationChange = { transition: "auto", operations: [], context: new Uint8Array(0) };

/**
 * The driver applied a configuration entry: it is in force from now on. One that can't be applied changes nothing, and does so at every
 * member.
 */
export function applyChange(state: CoreState, change: ConfigurationChange): Configuration {
  // The entry was handed out before a snapshot came that covers it, and the snapshot's configuration is in force already.
  if (state.log.isRestoring && !state.options.reference.changesApplyDuringRestore) return state.configuration;
  const result = changed(state.configuration, change);
  if (result.ok) switchConfiguration(state, result.configuration, result.started);
  return state.configuration;
}

/** `started` are those whose progress begins anew. */
export function switchConfiguration(state: CoreState, configuration: Configuration, started: readonly NodeId[]): void {
  state.configuration = configuration;
  state.emit?.({ type: "configurationSwitched", configuration });
  const role = state.role;
  if (role.kind !== "leader") return;
  role.track(configuration, started, Math.max(state.log.lastIndex, 1));
  const own = role.progressOf(state.id);
  if (own === undefined || own.isLearner) {
    if (state.options.stepDownOnRemoval) becomeFollower(state, state.term, 0);
    return;
  }
  if (configuration.voters.length === 0) return;
  // A smaller quorum may hold more than the larger one did.
  if (advanceCommit(state, role)) broadcastAppend(state);
  else sendMissing(state, role);
  confirmReads(state, role);
  if (role.transferTarget !== 0 && !isVoter(configuration, role.transferTarget)) endTransfer(state, role, "target_gone");
}

/** Tried again at every apply, so that a new leader finishes what an old one began, and at every heartbeat, as a hand-over may have stood in the way. */
export function leaveJointIfDue(state: CoreState): void {
  const { role, configuration, log } = state;
  if (role.kind !== "leader" || !configuration.autoLeave || log.applied < role.pendingChange) return;
  assert(isJoint(configuration), "Only a joint configuration is left by itself");
  const outcome = proposeChange(state, LEAVE);
  if (outcome.outcome === "dropped") state.emit?.({ type: "autoLeaveDropped", configuration, reason: outcome.reason });
  else state.emit?.({ type: "autoLeaveProposed", configuration });
}
