import { assertNever } from "../../assert.ts";
import type { CoreEvent } from "../../events.ts";
import type { NodeId } from "../../types.ts";
import type { ChangeText } from "../text/change-text.ts";
import { hex } from "../text/names.ts";
import { electionLine } from "./election-lines.ts";
import type { LogLine } from "./log-line.ts";
import { membershipLine, proposalDroppedLine } from "./proposal-lines.ts";
import { replicationLine } from "./replication-lines.ts";
import { roleLine } from "./role-lines.ts";
import { snapshotLine, storageLine } from "./storage-lines.ts";
import { transferLine } from "./transfer-lines.ts";

export interface LogLineContext {
  /** The member that the event is of. */
  readonly id: NodeId;
  readonly changeText: ChangeText;
}

/** What the reference logs when this happens, null for what it does not mention. */
export function logLineOf(event: CoreEvent, context: LogLineContext): LogLine | null {
  const self = hex(context.id);
  switch (event.type) {
    case "started":
    case "roleEntered":
    case "higherTermSeen":
    case "lowerTermIgnored":
    case "quorumLost":
    case "leaderForgotten":
    case "forgetLeaderRefused":
      return roleLine(self, event);
    case "electionStarted":
    case "campaignRefused":
    case "voteRequested":
    case "voteReceived":
    case "votesCounted":
    case "voteCast":
    case "voteRefused":
    case "voteRequestIgnored":
      return electionLine(self, event);
    case "proposalDropped":
      return proposalDroppedLine(self, event);
    case "readDropped":
      return { level: "INFO", text: `${self} no leader at term ${event.term}; dropping index reading msg` };
    case "changeRefused":
    case "configurationSwitched":
    case "autoLeaveProposed":
    case "autoLeaveDropped":
      return membershipLine(self, event, context.changeText);
    case "appendRefused":
    case "refusalReceived":
    case "progressDecreased":
    case "peerUnreachable":
    case "peerUnknown":
    case "snapshotSent":
    case "snapshotNotSent":
    case "replicationPaused":
    case "replicationResumed":
      return replicationLine(self, event);
    case "conflictFound":
    case "unstableReplaced":
    case "unstableTruncated":
    case "acknowledgementIgnored":
    case "acknowledgementMismatched":
    case "acknowledgementOutdated":
      return storageLine(self, event);
    case "snapshotRestoreStarted":
    case "snapshotRestored":
    case "snapshotFastForwarded":
    case "snapshotHandled":
    case "snapshotRefused":
      return snapshotLine(self, event);
    case "transferStarted":
    case "transferRefused":
    case "timeoutNowSent":
    case "transferEnded":
    case "timeoutNowReceived":
    case "timeoutNowIgnored":
      return transferLine(self, event);
    case "unknownSenderIgnored":
    case "leaderSuspected":
    case "quarantined":
    case "repairStarted":
    case "repairTargeted":
    case "repairEnded":
    case "peerRepairStarted":
    case "peerRepairEnded":
    case "voteWithheld":
    case "leaderResigned":
    case "resignationReceived":
      return null;
    default:
      return assertNever(event);
  }
}
