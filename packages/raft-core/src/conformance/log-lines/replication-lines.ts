import { assertNever } from "../../assert.ts";
import type { PeerStatus } from "../../types.ts";
import { hex } from "../text/names.ts";
import { peerText } from "../text/peer-text.ts";
import { debug, type EventOf, type LogLine } from "./log-line.ts";

type ReplicationEvent = EventOf<
  | "appendRefused"
  | "refusalReceived"
  | "progressDecreased"
  | "peerUnreachable"
  | "peerUnknown"
  | "snapshotSent"
  | "snapshotNotSent"
  | "replicationPaused"
  | "replicationResumed"
>;

const resumeCauses: Readonly<Record<EventOf<"replicationResumed">["cause"], string>> = {
  caught_up: "recovered from needing snapshot",
  stored: "snapshot succeeded",
  failed: "snapshot failed",
};

/** About what a leader sends its peers, and a follower's refusal. */
export function replicationLine(self: string, event: ReplicationEvent): LogLine {
  switch (event.type) {
    case "appendRefused":
      return appendRefused(self, event);
    case "refusalReceived": {
      const { from, index, hintIndex, hintTerm } = event.message;
      return debug(
        `${self} received MsgAppResp(rejected, hint: (index ${hintIndex}, term ${hintTerm})) from ${hex(from)} for index ${index}`,
      );
    }
    case "progressDecreased":
      return debug(`${self} decreased progress of ${hex(event.peer.id)} to [${peerText(event.peer)}]`);
    case "peerUnreachable":
      return debug(`${self} failed to send message to ${hex(event.peer.id)} because it is unreachable [${peerText(event.peer)}]`);
    case "peerUnknown":
      return debug(`${self} no progress available for ${hex(event.from)}`);
    case "snapshotSent":
      return snapshotSent(self, event);
    case "snapshotNotSent":
      return debug(`ignore sending snapshot to ${hex(event.to)} since it is not recently active`);
    case "replicationPaused":
      return debug(`${self} paused sending replication messages to ${described(event.peer)}`);
    case "replicationResumed":
      return debug(`${self} ${resumeCauses[event.cause]}, resumed sending replication messages to ${described(event.peer)}`);
    default:
      return assertNever(event);
  }
}

function appendRefused(self: string, { message, ownTermAtPrev }: EventOf<"appendRefused">): LogLine {
  const { prevIndex, prevTerm, from } = message;
  const own = `[logterm: ${ownTermAtPrev}, index: ${prevIndex}]`;
  return debug(`${self} ${own} rejected MsgApp [logterm: ${prevTerm}, index: ${prevIndex}] from ${hex(from)}`);
}

function snapshotSent(self: string, { snapshot, firstIndex, commit, peer }: EventOf<"snapshotSent">): LogLine {
  const sent = `snapshot[index: ${snapshot.index}, term: ${snapshot.term}]`;
  return debug(`${self} [firstindex: ${firstIndex}, commit: ${commit}] sent ${sent} to ${described(peer)}`);
}

function described(peer: PeerStatus): string {
  return `${hex(peer.id)} [${peerText(peer)}]`;
}
