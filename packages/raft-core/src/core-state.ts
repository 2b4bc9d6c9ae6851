import type { ResolvedOptions } from "./core-options.ts";
import { Suspicion } from "./election/suspicion.ts";
import type { EventSink, LogEnd } from "./events.ts";
import type { Leadership } from "./leader/leadership.ts";
import { RaftLog } from "./log/raft-log.ts";
import { normalized } from "./membership/configuration.ts";
import { Outbox } from "./outbox.ts";
import type { VoteTally } from "./quorum/vote-tally.ts";
import { ForwardedReads } from "./reads/forwarded-reads.ts";
import { Repair } from "./repair.ts";
import type { Configuration, CoreStart, NodeId, QuarantineEvidence, RandomSource, Term } from "./types.ts";

export interface Candidacy {
  readonly kind: "preCandidate" | "candidate";
  readonly tally: VoteTally;
  /** Nobody was asked for a vote yet: that of the leader that resigned is on its way, and enough. Only until the second tick: the first may come at once. */
  asksLater: boolean;
}

export type Role = { readonly kind: "follower" } | Candidacy | Leadership;

export const FOLLOWER: Role = { kind: "follower" };

/** What the parts of one core share. Roles change only in roles.ts. */
export class CoreState {
  readonly id: NodeId;
  readonly options: ResolvedOptions;
  readonly random: RandomSource;
  readonly log: RaftLog;
  readonly outbox = new Outbox();
  readonly forwardedReads: ForwardedReads;
  readonly suspicion: Suspicion;
  /** Undefined if nobody listens, so that nothing is made for nobody. */
  readonly emit: EventSink | undefined;
  configuration: Configuration;
  term: Term;
  vote: NodeId;
  role: Role = FOLLOWER;
  /** 0 while nobody is known to lead this term. */
  leader: NodeId = 0;
  quarantine: QuarantineEvidence | null;
  /** Null for a member that lost nothing, and again when it has everything back. */
  repair: Repair | null;
  /** Ticks since this core was made. */
  now = 0;
  /** The driver's monotonic clock, null as long as it was not told. Only lease reads look at it. */
  nowMs: number | null = null;
  /** Tick until which this member gave a leader its word to elect nobody else. Before a restart it may have done so, too. */
  promisedUntil: number;
  /** Ticks since the leader was heard or a vote was given; at a leader, since the last check of its quorum. */
  electionElapsed = 0;
  electionTimeout = 0;
  /** Elections in a row that this member started without anybody coming to lead. */
  roundsWithoutLeader = 0;

  constructor(options: ResolvedOptions, start: CoreStart, random: RandomSource) {
    this.id = options.id;
    this.options = options;
    this.random = random;
    this.emit = options.onEvent;
    const repairId = start.repairId ?? 0;
    // What a damaged disk still holds may be a log of long ago, whose end gave way since: the commit index does not speak of it.
    const commit = repairId === 0 ? start.hardState.commit : 0;
    this.log = new RaftLog(start.snapshot, start.entries, commit, { applied: start.applied ?? null, emit: options.onEvent });
    this.repair = repairId === 0 ? null : new Repair(repairId, this.log.commit);
    this.forwardedReads = new ForwardedReads(options.id, this.outbox, random);
    this.suspicion = new Suspicion(options.hintStaggerTicks);
    this.configuration = normalized((start.applied ?? start.snapshot)?.configuration ?? start.configuration);
    this.term = start.hardState.term;
    this.vote = start.hardState.vote;
    this.quarantine = start.quarantine ?? null;
    this.promisedUntil = options.reference.voteRightAfterStart ? 0 : options.electionTicks;
  }

  get logEnd(): LogEnd {
    return { lastIndex: this.log.lastIndex, lastTerm: this.log.lastTerm };
  }

  /** When a read that comes now is given up. */
  get readDeadline(): number {
    return this.now + 2 * this.options.electionTicks;
  }
}
