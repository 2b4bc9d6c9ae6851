import { assertNever } from "../../assert.ts";
import type { RoleName } from "../../types.ts";
import { messageNames, senderOf } from "../text/message-fields.ts";
import { hex } from "../text/names.ts";
import { type EventOf, error, info, type LogLine, warn } from "./log-line.ts";

const roleTitles: Readonly<Record<RoleName, string>> = {
  follower: "follower",
  preCandidate: "pre-candidate",
  candidate: "candidate",
  leader: "leader",
};

type RoleEvent = EventOf<
  "started" | "roleEntered" | "higherTermSeen" | "lowerTermIgnored" | "quorumLost" | "leaderForgotten" | "forgetLeaderRefused"
>;

/** About roles and terms. `self` is the member, in hexadecimal. */
export function roleLine(self: string, event: RoleEvent): LogLine {
  switch (event.type) {
    case "started":
      return info(`newRaft ${self} [${startText(event)}]`);
    case "roleEntered":
      return info(`${self} became ${roleTitles[event.role]} at term ${event.term}`);
    case "higherTermSeen":
      return info(`${self} [term: ${event.ownTerm}] received a ${otherTermText(event, "higher")}`);
    case "lowerTermIgnored":
      return info(`${self} [term: ${event.ownTerm}] ignored a ${otherTermText(event, "lower")}`);
    case "quorumLost":
      return warn(`${self} stepped down to follower since quorum is not active`);
    case "leaderForgotten":
      return info(`${self} forgetting leader ${hex(event.leader)} at term ${event.term}`);
    case "forgetLeaderRefused":
      return error("ignoring MsgForgetLeader due to ReadOnlyLeaseBased");
    default:
      return assertNever(event);
  }
}

function startText({ voters, term, commit, applied, lastIndex, lastTerm }: EventOf<"started">): string {
  const peers = voters.map(hex).join(",");
  return `peers: [${peers}], term: ${term}, commit: ${commit}, applied: ${applied}, lastindex: ${lastIndex}, lastterm: ${lastTerm}`;
}

function otherTermText({ message }: EventOf<"higherTermSeen" | "lowerTermIgnored">, which: "higher" | "lower"): string {
  const sender = senderOf(message);
  const from = typeof sender === "number" ? hex(sender) : sender;
  return `${messageNames[message.type]} message with ${which} term from ${from} [term: ${message.term}]`;
}
