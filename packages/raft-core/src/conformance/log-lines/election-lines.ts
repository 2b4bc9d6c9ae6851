import { assertNever } from "../../assert.ts";
import type { LogEnd } from "../../events.ts";
import { messageNames } from "../text/message-fields.ts";
import { hex } from "../text/names.ts";
import { debug, type EventOf, info, type LogLine, warn } from "./log-line.ts";

type VoteAnswer = EventOf<"voteCast" | "voteRefused" | "voteRequestIgnored">;
type ElectionEvent = VoteAnswer | EventOf<"electionStarted" | "campaignRefused" | "voteRequested" | "voteReceived" | "votesCounted">;

const responseNames: Readonly<Record<EventOf<"voteReceived">["phase"], string>> = {
  preVote: messageNames.requestPreVoteResponse,
  vote: messageNames.requestVoteResponse,
};

/** About votes asked for, given and counted. */
export function electionLine(self: string, event: ElectionEvent): LogLine | null {
  switch (event.type) {
    case "electionStarted":
      return info(`${self} is starting a new election at term ${event.term}`);
    case "campaignRefused":
      return campaignRefused(self, event);
    case "voteRequested":
      return info(`${self} ${logEndText(event)} sent ${messageNames[event.request]} request to ${hex(event.to)} at term ${event.ownTerm}`);
    case "voteReceived": {
      const response = responseNames[event.phase] + (event.granted ? "" : " rejection");
      return info(`${self} received ${response} from ${hex(event.from)} at term ${event.ownTerm}`);
    }
    case "votesCounted":
      return info(`${self} has received ${event.granted} ${responseNames[event.phase]} votes and ${event.refused} vote rejections`);
    case "voteCast":
    case "voteRefused":
    case "voteRequestIgnored":
      return voteAnswered(self, event);
    default:
      return assertNever(event);
  }
}

function campaignRefused(self: string, { reason, term }: EventOf<"campaignRefused">): LogLine | null {
  switch (reason) {
    case "already_leader":
      return debug(`${self} ignoring MsgHup because already leader`);
    case "unpromotable":
      return warn(`${self} is unpromotable and can not campaign`);
    case "unapplied_configuration":
      return warn(`${self} cannot campaign at term ${term} since there are still pending configuration changes to apply`);
    case "started":
    case "deferred":
    case "quarantined":
    case "under_repair":
    case "loyal":
    case "exhausted":
    case "hint_ignored":
      return null;
    default:
      return assertNever(reason);
  }
}

function voteAnswered(self: string, event: VoteAnswer): LogLine {
  const { request, ownTerm, vote, lastTerm, lastIndex } = event;
  const own = `${self} [logterm: ${lastTerm}, index: ${lastIndex}, vote: ${hex(vote)}]`;
  const name = messageNames[request.type];
  const candidate = `${hex(request.from)} ${logEndText(request)} at term ${ownTerm}`;
  switch (event.type) {
    case "voteCast":
      return info(`${own} cast ${name} for ${candidate}`);
    case "voteRefused":
      return info(`${own} rejected ${name} from ${candidate}`);
    case "voteRequestIgnored":
      return info(`${own} ignored ${name} from ${candidate}: lease is not expired (remaining ticks: ${event.remainingTicks})`);
    default:
      return assertNever(event);
  }
}

function logEndText({ lastTerm, lastIndex }: LogEnd): string {
  return `[logterm: ${lastTerm}, index: ${lastIndex}]`;
}
