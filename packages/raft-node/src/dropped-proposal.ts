import type { ChangeRefusal, ProposeDropped } from "@raftkv/raft-core";
import { NodeError, type Retryable } from "./node-error.ts";

/** `wait`: the core will soon take it, here or at another leader. `refusal` is set if the change itself was the reason. */
export type DroppedProposal = "wait" | { readonly error: NodeError; readonly refusal: ChangeRefusal | null };

/** What it means for whoever proposed it that the core did not take a proposal. */
export function meaningOf(reason: ProposeDropped): DroppedProposal {
  switch (reason) {
    case "no_leader":
    case "transfer_in_progress":
      return "wait";
    case "not_forwarded":
      return failure(new NodeError("ERR_NO_LEADER", "safe", "Another member leads, and this one passes nothing on"));
    case "removed":
      return failure(new NodeError("ERR_REMOVED", "safe", "This member was removed from the cluster"));
    case "quota":
      return failure(new NodeError("ERR_OVERLOADED", "safe", "Too many bytes are proposed and not yet applied"));
    case "quarantined":
      return failure(quarantinedError("safe"));
    case "conf_pending":
    case "conf_joint":
    case "conf_not_joint":
    case "barrier":
    case "conf_invalid":
    case "learner_behind":
      return {
        error: new NodeError("ERR_REFUSED", "safe", `The members can't be changed now: ${refusalSentences[reason]}`),
        refusal: reason,
      };
    default:
      return reason satisfies never;
  }
}

/** This member found that what it acknowledged is gone or wrong. */
export function quarantinedError(retryable: Retryable): NodeError {
  return new NodeError("ERR_QUARANTINED", retryable, "This member can't trust its data and takes no part");
}

/** This member lost entries, and what it has applied may be older than what it showed before. */
export function underRepairError(): NodeError {
  return new NodeError("ERR_UNDER_REPAIR", "safe", "This member lost entries and does not have all of them again");
}

function failure(error: NodeError): DroppedProposal {
  return { error, refusal: null };
}

const refusalSentences: Readonly<Record<ChangeRefusal, string>> = {
  conf_pending: "another change is not applied yet",
  conf_joint: "a joint configuration has to be left first",
  conf_not_joint: "there is no joint configuration to leave",
  barrier: "the leader is new and has not committed anything yet",
  conf_invalid: "it would leave no voters, or moves too many at once",
  learner_behind: "a learner that is to become a voter is too far behind",
};
