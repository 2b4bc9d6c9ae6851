import type { CoreEvent } from "./events.ts";
import type { NodeId } from "./types.ts";

/** Reads from the leader's memory while a lease lasts (dissertation 6.4.1). */
export interface LeaseReadOptions {
  /** How much faster than the leader's the clock of another member may run, in parts per million. */
  readonly driftPpm: number;
  /** Length of a tick in milliseconds of `observeTime`. */
  readonly tickMs: number;
}

/**
 * How the reference implementation behaves where this one is safer or tells more. For comparing the two, never for production.
 * All default to false.
 */
export interface ReferenceBehavior {
  /** Vote requests leave at once, also where the log has a tail that is not durable. */
  readonly requestVotesBeforeDurable?: boolean;
  /** Committed entries are handed out for applying before they are durable here. */
  readonly applyBeforeDurable?: boolean;
  /** A refused configuration change becomes an empty entry instead of an answer. */
  readonly refusedChangeBecomesEmpty?: boolean;
  /** A forwarded proposal that meets no leader is forwarded again. */
  readonly forwardAgain?: boolean;
  /** Messages are taken for true without a look, and the log of a new member may be ahead of its term. */
  readonly trustMessages?: boolean;
  /** A snapshot whose configuration lacks this member is refused, also by one that was added after it was taken. */
  readonly refuseSnapshotsWithoutSelf?: boolean;
  /** Leaving a joint configuration that leaves by itself is proposed only when entries were applied, not again at heartbeats. */
  readonly leaveJointOnlyAtApply?: boolean;
  /** A new leader sends its first appends at once, without what is proposed before they can leave. */
  readonly newLeaderSpeaksAtOnce?: boolean;
  /** A new leader sends one append to each member, and more only after the answer, also to those who voted for it. */
  readonly probeWhoVoted?: boolean;
  /** The check of the quorum starts anew when a transfer of leadership begins. */
  readonly transferPostponesQuorumCheck?: boolean;
  /** A change that is applied while a received snapshot is being stored alters the snapshot's configuration. */
  readonly changesApplyDuringRestore?: boolean;
  /** With lease reads: votes are given right after a start, although nobody remembers what was promised before. */
  readonly voteRightAfterStart?: boolean;
}

export interface CoreOptions {
  readonly id: NodeId;
  /** Election time-outs are drawn from [electionTicks, 2 * electionTicks). At least twice `heartbeatTicks`. */
  readonly electionTicks: number;
  readonly heartbeatTicks: number;
  /** Ask whether an election could be won before raising the term (dissertation 9.6). Default true. */
  readonly preVote?: boolean;
  /** A leader that hears no majority for an election time-out steps down, and members that hear a leader vote for nobody. Default true. */
  readonly checkQuorum?: boolean;
  /** A leader that was removed or became a learner steps down. Default true. */
  readonly stepDownOnRemoval?: boolean;
  /** A follower passes proposals on to its leader. Default true. */
  readonly forwardProposals?: boolean;
  /** Refuse a configuration change while another is not applied, or at the wrong moment of a joint one. Default true. */
  readonly validateChanges?: boolean;
  /** Refuse a configuration change until an entry of the leader's own term is committed. Default true. */
  readonly changeBarrier?: boolean;
  /**
   * Learners that lack more entries, or were not heard of lately, are not made voters. Default 5,000; null: no such check.
   */
  readonly promotionLagMax?: number | null;
  /**
   * Serve reads without asking the others while a lease lasts. Every member needs it, with the same ticks, and `checkQuorum`: the lease
   * rests on what they promise. The clock of `observeTime` has to go on while the machine sleeps. Default null: always ask.
   */
  readonly leaseReads?: LeaseReadOptions | null;
  /** Others of lower priority are voted for only if their log is newer. Default 0; only differences matter. */
  readonly priority?: number;
  /** Ticks that a member gives each one before it to campaign first, after a hint that the leader is gone. Default 1. */
  readonly hintStaggerTicks?: number;
  /** Bytes of entry data in one AppendEntries; at least one entry is always sent. Default 1 MiB. */
  readonly appendBytesMax?: number;
  /** AppendEntries on their way to one follower. Default 256. */
  readonly inflightMessagesMax?: number;
  /** Bytes of entry data on their way to one follower. Default 4 MiB. */
  readonly inflightBytesMax?: number;
  /**
   * Start with few appends under way and let the number follow what the link can take: more for full ones that wait, fewer for small
   * ones, which then share a message. On a slow link small entries may wait half a round trip. Default false: always the maximum.
   */
  readonly adaptiveWindow?: boolean;
  /**
   * Followers hear of a new commit index with the next entries, with the next heartbeat, or by `tellCommit`: a leader under load sends, and
   * gets, half as many messages. At once, as ever, where it matters to them: entries that a follower passed on, linearizable reads at
   * a follower, changes of members, and the first entries of a leader. The driver asks `isCommitUntold`. Default false: always at once.
   */
  readonly commitMayWait?: boolean;
  /** Bytes of own-term entries that are not yet applied; more is dropped with `quota`. Default 64 MiB. */
  readonly uncommittedBytesMax?: number;
  /** Bytes handed out for applying and not yet acknowledged. Default 16 MiB. */
  readonly applyBytesMax?: number;
  /** For comparing with the reference implementation. Default none of it. */
  readonly reference?: ReferenceBehavior;
  /** Told of everything that happens, at the moment it happens. It must not call the core. Default nobody. */
  readonly onEvent?: (event: CoreEvent) => void;
}
