import type { CoreEvent, NodeId } from "@raftkv/raft-core";
import type { LogFields, Logger } from "./ports.ts";

export interface CoreEventLogOptions {
  readonly logger: Logger;
  /** How people know a member. */
  readonly nameOf: (id: NodeId) => string;
}

/** Writes down what an operator wants to know of what happens in the core: roles, elections, suspicions, members, hand-overs. */
export class CoreEventLog {
  private readonly logger: Logger;
  private readonly nameOf: (id: NodeId) => string;

  constructor({ logger, nameOf }: CoreEventLogOptions) {
    this.logger = logger;
    this.nameOf = nameOf;
  }

  write(event: CoreEvent): void {
    const { logger, nameOf } = this;
    switch (event.type) {
      case "roleEntered":
        return logger.info("changed its role", { role: event.role, term: event.term });
      case "electionStarted":
        return logger.info("stands for election", { term: event.term });
      case "voteCast":
        return logger.info("gave a vote", this.ofVote(event));
      case "voteRefused":
      case "voteRequestIgnored":
        return logger.debug("gave no vote", this.ofVote(event));
      case "quorumLost":
        return logger.warn("heard no majority for an election time-out", { term: event.term });
      case "leaderSuspected":
        return logger.info("suspects that the leader is gone", { leader: nameOf(event.leader), cause: event.cause });
      case "leaderForgotten":
        return logger.info("was told that the leader is gone", { leader: nameOf(event.leader), term: event.term });
      case "campaignRefused":
        return logger.debug("does not stand for election", { reason: event.reason, term: event.term });
      case "quarantined":
        return logger.error("can't trust its data and takes no part from now on", { evidence: event.evidence });
      case "repairTargeted":
        return logger.info("knows up to where it needs the leader's log again", { leader: nameOf(event.leader), target: event.target });
      case "voteWithheld":
        return logger.debug("gave no vote, because it is under repair", this.ofVote(event));
      case "peerRepairStarted":
        return logger.warn("repairs a member that lost entries", { member: nameOf(event.peer.id), target: event.target });
      case "peerRepairEnded":
        return logger.info("counts on a member again that had lost entries", { member: nameOf(event.peer.id) });
      case "configurationSwitched":
        return logger.info("changed the members", this.ofConfiguration(event.configuration));
      case "changeRefused":
        return logger.warn("refused a change of members", { reason: event.reason });
      case "transferStarted":
        return logger.info("hands leadership over", { to: nameOf(event.target), term: event.term });
      case "transferRefused":
        return logger.warn("does not hand leadership over", { to: nameOf(event.target), reason: event.reason });
      case "transferEnded":
        return logger.info("ended handing leadership over", { to: nameOf(event.target), result: event.result, term: event.term });
      case "leaderResigned":
        return logger.info("stepped down and voted for its successor", { successor: nameOf(event.successor), term: event.term });
      case "timeoutNowReceived":
      case "resignationReceived":
        return logger.info("was asked to take over leadership", { by: nameOf(event.from), term: event.term });
      case "snapshotSent":
        return logger.info("sends a snapshot", { to: nameOf(event.peer.id), index: event.snapshot.index });
      case "snapshotRefused":
        return logger.warn("refused a snapshot without this member", { index: event.snapshot.index });
      default:
    }
  }

  private ofVote({
    request,
    ownTerm,
  }: Extract<CoreEvent, { readonly type: "voteCast" | "voteRefused" | "voteRequestIgnored" | "voteWithheld" }>): LogFields {
    const kind = request.type === "requestPreVote" ? "pre-vote" : "vote";
    return { kind, candidate: this.nameOf(request.from), term: request.term, ownTerm };
  }

  private ofConfiguration({
    voters,
    outgoing,
    learners,
  }: Extract<CoreEvent, { readonly type: "configurationSwitched" }>["configuration"]): LogFields {
    const names = (ids: readonly NodeId[]): readonly string[] => ids.map(this.nameOf);
    return { voters: names(voters), outgoing: names(outgoing), learners: names(learners) };
  }
}
