import type { RaftKvStatus } from "@raftkv/api";
import type { Refusal } from "../../state/apply-result.ts";

/** Why a write through RaftKV's own service was not executed, and what to do, for people. */
export function refusalSentence(reason: Refusal): string {
  switch (reason) {
    case "no-space":
      return "The store has reached its quota: remove keys and compact the history, or start the members with a higher --quota-backend-bytes";
    case "corrupt-cluster":
      return "The alarm CORRUPT is raised: the members' stores may differ, and take no writes until somebody has looked and ended the alarm";
    case "result-forgotten":
      return "Nobody knows any more whether the request was executed: its client no longer waited for it, or had too many others under way";
    case "session-expired":
      return "Nobody knows any more whether the request was executed: its client was silent for too long; begin a new session";
    case "too-many-sessions":
      return "There are too many clients with sessions: close some, or try again in a minute";
    default:
      return `The request was refused as ${reason}`;
  }
}

/** The same for programs. */
export function refusalStatus(reason: Refusal): RaftKvStatus {
  switch (reason) {
    case "result-forgotten":
    case "session-expired":
      return "session-lost";
    case "too-many-sessions":
      return "overloaded";
    default:
      return "bad-request";
  }
}
