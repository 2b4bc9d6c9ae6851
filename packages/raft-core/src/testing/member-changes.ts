import type { ChangeTransition, ConfigurationChange, MemberOperation, NodeId } from "../types.ts";

export function addVoter(id: NodeId): MemberOperation {
  return { type: "addVoter", id };
}

export function addLearner(id: NodeId): MemberOperation {
  return { type: "addLearner", id };
}

export function remove(id: NodeId): MemberOperation {
  return { type: "remove", id };
}

/** One operation is done at once, several through a joint configuration that is left by itself. */
export function changeOf(...operations: readonly MemberOperation[]): ConfigurationChange {
  return transitionOf("auto", ...operations);
}

/** Through a joint configuration that stays until `LEAVE_JOINT` is proposed. */
export function explicitChangeOf(...operations: readonly MemberOperation[]): ConfigurationChange {
  return transitionOf("explicit", ...operations);
}

/** Ends a joint configuration. */
export const LEAVE_JOINT: ConfigurationChange = changeOf();

function transitionOf(transition: ChangeTransition, ...operations: readonly MemberOperation[]): ConfigurationChange {
  return { transition, operations, context: new Uint8Array(0) };
}
