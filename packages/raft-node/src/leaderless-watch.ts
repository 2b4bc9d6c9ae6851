import type { Configuration, NodeId, PeerMessage } from "@raftkv/raft-core";
import type { MemberState } from "./node-metrics.ts";
import type { Logger } from "./ports.ts";
import { VoterCensus, type VoterState } from "./voter-census.ts";

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
  /** Whether the transport reaches this member now. */
  readonly isConnected: (id: NodeId) => boolean;
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
  private lastFinding: string | null = null;
  /** Who asked for votes or answered since the last warning. */
  private readonly voting = new Set<NodeId>();
  private readonly repairing = new Set<NodeId>();
  private readonly refusedBy = new Set<NodeId>();

  constructor(options: LeaderlessWatchOptions) {
    this.options = options;
  }

  /** What stands in the way, as the last warning had it; null if there was none since somebody led. */
  get finding(): string | null {
    return this.lastFinding;
  }

  /** A message came while nobody led. Only elections tell who could vote: a member under repair passes on reads and writes as any other. */
  heard(message: PeerMessage): void {
    switch (message.type) {
      case "requestPreVote":
      case "requestVote":
        this.voting.add(message.from);
        return;
      case "requestPreVoteResponse":
      case "requestVoteResponse":
        (message.repairId === undefined ? this.voting : this.repairing).add(message.from);
        // Also one of an earlier term, which the core does not count.
        if (!message.granted) this.refusedBy.add(message.from);
        return;
      default:
    }
  }

  /** At each tick. */
  tick(nowMs: number, hasLeader: boolean): void {
    if (hasLeader) {
      this.sinceMs = null;
      this.lastFinding = null;
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
    const { logger, electionMs, nameOf, memberState, configuration } = this.options;
    const census = new VoterCensus({ configuration: configuration(), stateOf: (id) => this.stateOf(id), nameOf });
    this.lastFinding = census.sentence;
    logger.warn(`there is no leader: ${census.count}`, {
      leaderlessMs: Math.round(leaderlessMs),
      sound: census.named("sound"),
      underRepair: census.named("repairing"),
      silent: census.named("silent"),
      notConnected: census.named("away"),
      gaveNoVote: [...this.refusedBy].map(nameOf),
      thisMember: memberState(),
      toDo: census.advice,
    });
    this.pauseMs = Math.min(2 * this.pauseMs, ELECTIONS_BETWEEN_WARNINGS_MAX * electionMs);
    this.nextWarningMs = nowMs + this.pauseMs;
    this.forget();
  }

  /** A repair may have begun or ended since the last warning: what was heard of it counts more. */
  private stateOf(id: NodeId): VoterState {
    const { self, memberState, isConnected } = this.options;
    if (id === self) return memberState();
    if (this.repairing.has(id)) return "repairing";
    if (this.voting.has(id)) return "sound";
    return isConnected(id) ? "silent" : "away";
  }

  private forget(): void {
    this.voting.clear();
    this.repairing.clear();
    this.refusedBy.clear();
  }
}
