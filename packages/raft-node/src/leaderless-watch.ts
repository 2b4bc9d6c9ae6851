import type { Configuration, CoreEvent, NodeId } from "@raftkv/raft-core";
import type { MemberState } from "./node-metrics.ts";
import type { LogFields, Logger } from "./ports.ts";

/** Elections need one time-out or two; after so many of them something stands in the way. */
const ELECTIONS_BEFORE_WARNING = 5;
/** The pause between two warnings doubles up to so many election time-outs. */
const ELECTIONS_BETWEEN_WARNINGS_MAX = 80;

export interface LeaderlessWatchOptions {
  readonly self: NodeId;
  readonly electionMs: number;
  readonly logger: Logger;
  /** How people know a member. */
  readonly nameOf: (id: NodeId) => string;
  /** Of this moment. */
  readonly configuration: () => Configuration;
  /** Of this member itself. */
  readonly memberState: () => MemberState;
}

/**
 * Says what is needed when nobody can be elected: while too many voters are away, quarantined or under repair, the members wait in
 * silence for something that only a person can do.
 */
export class LeaderlessWatch {
  private readonly options: LeaderlessWatchOptions;
  /** When the last leader was lost, null while somebody leads. */
  private sinceMs: number | null = null;
  private nextWarningMs = 0;
  private pauseMs = 0;
  /** Since the last warning. */
  private readonly heardFrom = new Set<NodeId>();
  private readonly refusedBy = new Set<NodeId>();

  constructor(options: LeaderlessWatchOptions) {
    this.options = options;
  }

  /** A message came while nobody led. */
  heard(from: NodeId): void {
    this.heardFrom.add(from);
  }

  observe(event: CoreEvent): void {
    if (event.type === "voteReceived" && !event.granted) this.refusedBy.add(event.from);
  }

  /** At each tick. */
  tick(nowMs: number, hasLeader: boolean): void {
    if (hasLeader) {
      this.sinceMs = null;
      return;
    }
    if (this.sinceMs === null) this.begin(nowMs);
    else if (nowMs >= this.nextWarningMs) this.warn(nowMs, nowMs - this.sinceMs);
  }

  private begin(nowMs: number): void {
    this.sinceMs = nowMs;
    this.pauseMs = ELECTIONS_BEFORE_WARNING * this.options.electionMs;
    this.nextWarningMs = nowMs + this.pauseMs;
    this.forget();
  }

  private warn(nowMs: number, leaderlessMs: number): void {
    const { logger, electionMs, nameOf, memberState } = this.options;
    const away = this.others().filter((id) => !this.heardFrom.has(id));
    const refusing = [...this.refusedBy].filter((id) => this.heardFrom.has(id));
    logger.warn("there is no leader: members that are away, quarantined or under repair give no vote", {
      leaderlessMs: Math.round(leaderlessMs),
      ...this.needs(),
      notHeardFrom: away.map(nameOf),
      gaveNoVote: refusing.map(nameOf),
      thisMember: memberState(),
    });
    this.pauseMs = Math.min(2 * this.pauseMs, ELECTIONS_BETWEEN_WARNINGS_MAX * electionMs);
    this.nextWarningMs = nowMs + this.pauseMs;
    this.forget();
  }

  private forget(): void {
    this.heardFrom.clear();
    this.refusedBy.clear();
  }

  private others(): readonly NodeId[] {
    const { self, configuration } = this.options;
    const { voters, outgoing } = configuration();
    return [...new Set([...voters, ...outgoing])].filter((id) => id !== self);
  }

  /** A joint configuration needs a majority of both halves. */
  private needs(): LogFields {
    const { voters, outgoing } = this.options.configuration();
    const ofVoters = { soundVotersNeeded: majorityOf(voters), voters: voters.map(this.options.nameOf) };
    if (outgoing.length === 0) return ofVoters;
    return { ...ofVoters, soundOutgoingNeeded: majorityOf(outgoing), outgoing: outgoing.map(this.options.nameOf) };
  }
}

function majorityOf(voters: readonly NodeId[]): number {
  return Math.floor(voters.length / 2) + 1;
}
