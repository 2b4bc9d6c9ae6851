import { assertNever } from "../../assert.ts";
import type { ChangeText } from "../text/change-text.ts";
import { configurationText } from "../text/configuration-text.ts";
import { hex } from "../text/names.ts";
import { debug, type EventOf, info, type LogLine, warn } from "./log-line.ts";

type MembershipEvent = EventOf<"changeRefused" | "configurationSwitched" | "autoLeaveProposed" | "autoLeaveDropped">;

/** About proposals that came to nothing. A leader that was removed drops them in silence. */
export function proposalDroppedLine(self: string, event: EventOf<"proposalDropped">): LogLine | null {
  const { reason, term, leader, transferTarget } = event;
  switch (reason) {
    case "no_leader":
      return info(`${self} no leader at term ${term}; dropping proposal`);
    case "not_forwarded":
      return info(`${self} not forwarding to leader ${hex(leader)} at term ${term}; dropping proposal`);
    case "transfer_in_progress":
      return debug(`${self} [term ${term}] transfer leadership to ${hex(transferTarget)} is in progress; dropping proposal`);
    case "quota":
      return warn(`${self} appending new entries to log would exceed uncommitted entry size limit; dropping proposal`);
    case "removed":
    case "quarantined":
    case "conf_pending":
    case "conf_joint":
    case "conf_not_joint":
    case "barrier":
    case "conf_invalid":
    case "learner_behind":
      return null;
    default:
      return assertNever(reason);
  }
}

/** About changes of the members. */
export function membershipLine(self: string, event: MembershipEvent, changeText: ChangeText): LogLine | null {
  const configuration = configurationText(event.configuration);
  switch (event.type) {
    case "changeRefused": {
      const reason = refusalText(event);
      return reason === null
        ? null
        : info(`${self} ignoring conf change ${changeText(event.change)} at config ${configuration}: ${reason}`);
    }
    case "configurationSwitched":
      return info(`${self} switched to configuration ${configuration}`);
    case "autoLeaveProposed":
      return info(`initiating automatic transition out of joint configuration ${configuration}`);
    case "autoLeaveDropped":
      return debug(`not initiating automatic transition out of joint configuration ${configuration}: raft proposal dropped`);
    default:
      return assertNever(event);
  }
}

/** Null for what the reference does not refuse. */
function refusalText({ reason, pendingIndex, applied }: EventOf<"changeRefused">): string | null {
  switch (reason) {
    case "conf_pending":
      return `possible unapplied conf change at index ${pendingIndex} (applied to ${applied})`;
    case "conf_joint":
      return "must transition out of joint config first";
    case "conf_not_joint":
      return "not in joint state; refusing empty conf change";
    case "barrier":
    case "conf_invalid":
    case "learner_behind":
      return null;
    default:
      return assertNever(reason);
  }
}
