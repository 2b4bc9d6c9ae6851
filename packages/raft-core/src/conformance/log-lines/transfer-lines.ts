import { assertNever } from "../../assert.ts";
import type { TransferResult } from "../../types.ts";
import { hex, roleNames } from "../text/names.ts";
import { debug, type EventOf, info, type LogLine } from "./log-line.ts";

type TransferEvent = EventOf<
  "transferStarted" | "transferRefused" | "timeoutNowSent" | "transferEnded" | "timeoutNowReceived" | "timeoutNowIgnored"
>;

/** About leadership that is handed over. */
export function transferLine(self: string, event: TransferEvent): LogLine | null {
  switch (event.type) {
    case "transferStarted":
      return info(`${self} [term ${event.term}] starts to transfer leadership to ${hex(event.target)}`);
    case "transferRefused":
      return transferRefused(self, event);
    case "timeoutNowSent":
      return info(timeoutNowText(self, event));
    case "transferEnded":
      if (!isAnnounced(event.result)) return null;
      return info(`${self} [term ${event.term}] abort previous transferring leadership to ${hex(event.target)}`);
    case "timeoutNowReceived":
      return info(`${self} [term ${event.term}] received MsgTimeoutNow from ${hex(event.from)} and starts an election to get leadership.`);
    case "timeoutNowIgnored":
      return debug(`${self} [term ${event.term} state ${roleNames[event.role]}] ignored MsgTimeoutNow from ${hex(event.from)}`);
    default:
      return assertNever(event);
  }
}

function transferRefused(self: string, { reason, target, term }: EventOf<"transferRefused">): LogLine | null {
  switch (reason) {
    case "no_leader":
      return info(`${self} no leader at term ${term}; dropping leader transfer msg`);
    case "to_self":
      return debug(`${self} is already leader. Ignored transferring leadership to self`);
    case "not_a_voter":
      return debug(`${self} is learner. Ignored transferring leadership`);
    case "in_progress": {
      const who = hex(target);
      return info(`${self} [term ${term}] transfer leadership to ${who} is in progress, ignores request to same node ${who}`);
    }
    case "not_leader":
    case "under_repair":
    case "quarantined":
      return null;
    default:
      return assertNever(reason);
  }
}

function timeoutNowText(self: string, event: EventOf<"timeoutNowSent">): string {
  const target = hex(event.target);
  if (event.caughtUp) return `${self} sent MsgTimeoutNow to ${target} after received MsgAppResp`;
  return `${self} sends MsgTimeoutNow to ${target} immediately as ${target} already has up-to-date log`;
}

/** Only a transfer that gives way to another is mentioned. */
function isAnnounced(result: TransferResult): boolean {
  return result === "superseded";
}
