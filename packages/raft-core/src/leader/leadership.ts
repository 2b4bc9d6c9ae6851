import type { ResolvedOptions } from "../core-options.ts";
import { isLearner, trackedIds } from "../membership/configuration.ts";
import type { Outbox } from "../outbox.ts";
import { reachedByQuorum } from "../quorum/joint.ts";
import { LeaderReads } from "../reads/leader-reads.ts";
import { LeaderLease } from "../reads/lease.ts";
import { Progress, type ProgressLimits } from "../tracker/progress.ts";
import type { Configuration, LogIndex, NodeId } from "../types.ts";

export interface LeadershipStart {
  readonly self: NodeId;
  readonly configuration: Configuration;
  /** The end of the log before the entry that opens the term. */
  readonly lastIndex: LogIndex;
  readonly options: ResolvedOptions;
  readonly outbox: Outbox;
}

/** What only the leader of a term knows. It is made when the term is won and gone when the office is. */
export class Leadership {
  readonly kind = "leader";
  readonly self: NodeId;
  /** Index of the empty entry that opens the term. */
  readonly termStart: LogIndex;
  readonly reads: LeaderReads;
  /** Null unless lease reads are on. */
  readonly lease: LeaderLease | null;
  /** Its first appends have left. Until `ready` they wait for what is proposed in the same turn: a probed peer takes only one. */
  isAnnounced = false;
  /**
   * Followers are told at once that entries up to this one are committed: they passed one on, read, or are removed by one, or it came from a
   * leader before. See `commitMayWait`.
   */
  awaitedCommit: LogIndex = 0;
  /** Index of the newest configuration change; until it is applied no other is proposed. A new leader knows of none but fears one. */
  pendingChange: LogIndex;
  /** Who is to take over, 0 for nobody. */
  transferTarget: NodeId = 0;
  /** It is to have this member's vote, too, and leadership does not come back. */
  isResigning = false;
  /** Ticks since that was decided. */
  transferElapsed = 0;
  /** Payload bytes of entries of this term that are not applied yet. */
  uncommittedBytes = 0;
  heartbeatElapsed = 0;
  /** Everyone tracked, this member included, ascending by id. */
  peers: readonly Progress[];
  private readonly limits: ProgressLimits;

  constructor({ self, configuration, lastIndex, options, outbox }: LeadershipStart) {
    this.self = self;
    this.termStart = lastIndex + 1;
    this.pendingChange = lastIndex;
    this.limits = options;
    this.reads = new LeaderReads(self, outbox);
    this.lease = options.leaseReads === null ? null : new LeaderLease(options.leaseReads, options.electionTicks);
    this.peers = trackedIds(configuration).map((id) => this.newProgress(id, this.termStart, configuration));
    const own = this.progressOf(self);
    if (own === undefined) return;
    // What was in the log before this term commits only through an entry of it, so it may be counted before it is durable.
    own.accepted(lastIndex);
    own.becomeReplicate();
    own.isActive = true;
  }

  /** Those who voted for this leader need not be asked where their logs end before more than one append is sent to them. */
  presumeInStep(hasVoted: (id: NodeId) => boolean): void {
    for (const peer of this.peers) if (peer.id !== this.self && hasVoted(peer.id)) peer.presumeInStep();
  }

  /** Undefined for who is not tracked, which may be the leader itself once it was removed. */
  progressOf(id: NodeId): Progress | undefined {
    for (let place = 0; place < this.peers.length; place++) {
      const peer = this.peers[place];
      if (peer?.id === id) return peer;
    }
    return undefined;
  }

  /**
   * Tracks who belongs to `configuration`. Those in `started` begin anew and count as heard from, so that the check of the quorum gives
   * them time to answer.
   */
  track(configuration: Configuration, started: readonly NodeId[], next: LogIndex): void {
    this.peers = trackedIds(configuration).map((id) => {
      const known = started.includes(id) ? undefined : this.progressOf(id);
      const progress = known ?? this.newProgress(id, next, configuration);
      if (known === undefined) progress.isActive = true;
      progress.isLearner = isLearner(configuration, id);
      return progress;
    });
  }

  /** Highest index that is durable at a quorum. */
  replicatedIndex(configuration: Configuration): LogIndex {
    return reachedByQuorum(configuration, this.matchOf);
  }

  /** Highest index that everyone tracked is known to have; 0 while one of them has not answered, or has lost its store. */
  get indexOfAll(): LogIndex {
    let lowest = Number.MAX_SAFE_INTEGER;
    for (const peer of this.peers) lowest = Math.min(lowest, peer.isCounted ? peer.match : 0);
    return lowest;
  }

  /** Highest read position that a quorum has answered; the leader answers for itself at once. */
  confirmedPosition(configuration: Configuration): number {
    return Math.min(reachedByQuorum(configuration, this.readPositionOf), this.reads.issued);
  }

  private readonly matchOf = (id: NodeId): LogIndex => {
    const peer = this.progressOf(id);
    return peer?.isCounted === true ? peer.match : 0;
  };

  /** Who lost its store may have forgotten that it moved on to a later leader. */
  private readonly readPositionOf = (id: NodeId): number => {
    if (id === this.self) return this.reads.issued;
    const peer = this.progressOf(id);
    return peer?.isCounted === true ? peer.readPosition : 0;
  };

  private newProgress(id: NodeId, next: LogIndex, configuration: Configuration): Progress {
    return new Progress(id, next, isLearner(configuration, id), this.limits);
  }
}
