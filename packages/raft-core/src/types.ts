/**
 * The vocabulary of the core: what it is given and what it hands out. Terms, indexes and ids are safe integers from 1 up;
 * 0 stands for "none". In messages terms and indexes end at 2^48. Names follow the Raft dissertation.
 */

/** Identifies a member to the core. A positive safe integer. */
export type NodeId = number;
/** Election term (dissertation 3.3). */
export type Term = number;
/** 1-based position in the log. */
export type LogIndex = number;

/** `command` is for the state machine, `empty` is what a new leader writes first, `configuration` changes the members. */
export type EntryKind = "command" | "empty" | "configuration";

export interface LogEntry {
  readonly index: LogIndex;
  readonly term: Term;
  readonly kind: EntryKind;
  /** Encoded once; the same bytes go to the log, to the peers and to the state machine. Nobody writes into them. */
  readonly data: Uint8Array;
}

/** What must survive a crash besides the entries. `commit` is a hint and may be old. */
export interface HardState {
  readonly term: Term;
  /** Who got this member's vote in `term`, 0 for nobody. */
  readonly vote: NodeId;
  readonly commit: LogIndex;
}

/**
 * The members as of some index; each list is ascending. While `outgoing` is not empty the configuration is joint, and every decision
 * needs a majority of `voters` and one of `outgoing` (dissertation 4.3).
 */
export interface Configuration {
  readonly voters: readonly NodeId[];
  /** The voters of the configuration that is being left. */
  readonly outgoing: readonly NodeId[];
  /** They get every entry and count for nothing (dissertation 4.2.1). */
  readonly learners: readonly NodeId[];
  /** Outgoing voters that become learners when the joint configuration is left. */
  readonly learnersNext: readonly NodeId[];
  /** The leader leaves the joint configuration by itself as soon as it is in force. */
  readonly autoLeave: boolean;
}

export type MemberOperation =
  | { readonly type: "addVoter"; readonly id: NodeId }
  | { readonly type: "addLearner"; readonly id: NodeId }
  | { readonly type: "remove"; readonly id: NodeId }
  /** Changes nothing in the core; for data of the driver that travels in `context`. */
  | { readonly type: "update"; readonly id: NodeId };

/**
 * `auto`: one operation is done at once, several through a joint configuration that is left by itself. `implicit` and `explicit`
 * always go through a joint configuration; `explicit` stays in it until an empty change is proposed.
 */
export type ChangeTransition = "auto" | "implicit" | "explicit";

/** No operations and `auto`: leave the joint configuration. */
export interface ConfigurationChange {
  readonly transition: ChangeTransition;
  readonly operations: readonly MemberOperation[];
  /** The driver's own, for example addresses. The core carries it along. */
  readonly context: Uint8Array;
}

/** Names a snapshot; the bytes belong to the driver. `configuration` is the one in force at `index`. */
export interface SnapshotMeta {
  readonly index: LogIndex;
  readonly term: Term;
  readonly configuration: Configuration;
}

/**
 * Why a message was not taken. It can't be true: its sender, or what carried it, is broken, or data was lost on one of the two sides.
 *
 * - `malformed`: a number out of range, a gap between entries, terms that go down, voters out of order
 * - `misaddressed`: for another member, or from this one
 * - `term_jump`: a term further ahead than elections can have led
 * - `second_leader`: its term has another leader already
 * - `conflicts_with_committed`: another term at an index that is committed here
 * - `commit_beyond_log`: commits what this member should have acknowledged and does not have
 * - `index_beyond_log`: a follower speaks of entries that its leader does not have
 * - `read_beyond_issued`: a follower confirms a read position that its leader did not give out
 */
export type StepRejection =
  | "malformed"
  | "misaddressed"
  | "term_jump"
  | "second_leader"
  | "conflicts_with_committed"
  | "commit_beyond_log"
  | "index_beyond_log"
  | "read_beyond_issued";

/** `preCandidate` asks whether it could win before it disturbs anybody (dissertation 9.6). */
export type RoleName = "follower" | "preCandidate" | "candidate" | "leader";

/** Who leads; need not be stored. */
export interface SoftState {
  readonly role: RoleName;
  /** 0 while nobody is known to lead. */
  readonly leader: NodeId;
}

/** `overloaded`: too many reads wait already. */
export type ReadFailure = "no_leader" | "leadership_lost" | "timed_out" | "overloaded" | "quarantined";

/** Answer to `readIndex(requestId)`: serve the read once `index` is applied, or fail it. */
export type ReadResult =
  | { readonly requestId: number; readonly index: LogIndex }
  | { readonly requestId: number; readonly failed: ReadFailure };

/**
 * Why a configuration change can't be proposed now.
 *
 * - `conf_pending`: another one is not applied yet (dissertation 4.1)
 * - `conf_joint`: the configuration is joint and has to be left first
 * - `conf_not_joint`: there is no joint configuration to leave
 * - `barrier`: this leader has not committed an entry of its own term yet (the erratum to dissertation 4.1)
 * - `conf_invalid`: the change would leave no voters, or names a member that is none
 * - `learner_behind`: a learner that is to become a voter was not heard of lately, or lacks too much: the others would wait for it
 */
export type ChangeRefusal = "conf_pending" | "conf_joint" | "conf_not_joint" | "barrier" | "conf_invalid" | "learner_behind";

/**
 * - `no_leader`: nobody is known to lead; try again when `Ready.softState` names one
 * - `not_forwarded`: another member leads, and forwarding is switched off
 * - `removed`: this leader is no longer a member
 * - `transfer_in_progress`: leadership is being handed over; try again
 * - `quota`: too many bytes wait to be committed; try again later
 * - `quarantined`: this member can't trust its disk
 */
export type ProposeDropped = "no_leader" | "not_forwarded" | "removed" | "transfer_in_progress" | "quota" | "quarantined" | ChangeRefusal;

/** Accepted is no promise: the entry counts when it is applied. Forwarded: only its appearance in the log tells. */
export type ProposeOutcome =
  | { readonly outcome: "accepted"; readonly term: Term; readonly firstIndex: LogIndex; readonly lastIndex: LogIndex }
  | { readonly outcome: "forwarded"; readonly to: NodeId }
  | { readonly outcome: "dropped"; readonly reason: ProposeDropped };

/**
 * Why a hand-over was not begun: no leader to ask, nothing to resign from, already leader, the target is no voter, the same target is
 * being served already, the target lost entries and is under repair, or leadership lies elsewhere and this member is quarantined.
 */
export type TransferRefusal = "no_leader" | "not_leader" | "to_self" | "not_a_voter" | "in_progress" | "under_repair" | "quarantined";
/** How a hand-over ended at the leader that began it. `done`: it resigned in the target's favour, or the target has spoken in a later term. */
export type TransferResult = "done" | "timeout" | "superseded" | "target_gone" | "leadership_lost";
/** The result of a transfer that was started comes as the event `transferEnded`. */
export type TransferOutcome =
  | { readonly outcome: "started" }
  | { readonly outcome: "forwarded"; readonly to: NodeId }
  | { readonly outcome: "refused"; readonly reason: TransferRefusal };

/** What became of a campaign, or of a hint that the leader is gone. */
export type CampaignOutcome =
  | "started"
  /** By a hint: this member gives others a little time to be first. */
  | "deferred"
  | "already_leader"
  /** No voter, or a received snapshot is not stored yet. */
  | "unpromotable"
  /** A committed change of members is not applied yet: it might campaign among the wrong ones. */
  | "unapplied_configuration"
  | "quarantined"
  /** It lost entries that it had acknowledged, and does not have them all back. */
  | "under_repair"
  /** A leader's lease may rest on this member for a while. */
  | "loyal"
  /** Terms or indexes are used up. */
  | "exhausted"
  /** By a hint: that member is not the leader, pre-votes are off, or lease reads rely on the full time-out. */
  | "hint_ignored";

/** What showed that acknowledged data is gone or wrong. */
export type QuarantineEvidence =
  | { readonly kind: "commit_beyond_log"; readonly commit: LogIndex; readonly lastIndex: LogIndex; readonly from: NodeId }
  | { readonly kind: "conflicts_with_committed"; readonly index: LogIndex; readonly term: Term; readonly from: NodeId }
  /** Found by the driver: a checksum, a gap, a failed sync, a store that is not the one it was. */
  | { readonly kind: "storage"; readonly description: string };

/** `not_in_snapshot`: nothing was forgotten, because no durable snapshot covers it all. */
export type CompactOutcome = "compacted" | "not_in_snapshot";

/** What came of `recoverUnsafely`. */
export type RecoveryOutcome =
  | "done"
  /** Joint, without voters, or not well-formed. */
  | "conf_invalid"
  | "not_a_voter_of_it"
  | "leader_known"
  | "unapplied_entries"
  | "pending_configuration"
  | "under_repair"
  | "quarantined";

/** Where the core gets chance from. */
export interface RandomSource {
  /** Uniform integer in [0, limit). */
  below(limit: number): number;
}

export type ReplicationState = "probe" | "replicate" | "snapshot";

export interface PeerStatus {
  readonly id: NodeId;
  readonly state: ReplicationState;
  readonly match: LogIndex;
  readonly next: LogIndex;
  readonly isLearner: boolean;
  /** Nothing is sent until it answers. */
  readonly isPaused: boolean;
  /** Index of the snapshot it is being sent, 0 for none. */
  readonly pendingSnapshot: LogIndex;
  /** It answered since the last check of the quorum. */
  readonly isActive: boolean;
  /** Its store was lost: what it acknowledged counts no more. */
  readonly isDistrusted: boolean;
  /** It lost entries and is being sent them again: no quorum counts it. */
  readonly isUnderRepair: boolean;
  /** Appends on their way to it, their bytes, and whether more would be too many. */
  readonly inflightMessages: number;
  readonly inflightBytes: number;
  readonly isInflightFull: boolean;
}

export interface CoreStatus {
  readonly id: NodeId;
  readonly role: RoleName;
  readonly term: Term;
  readonly vote: NodeId;
  readonly leader: NodeId;
  readonly commit: LogIndex;
  readonly applied: LogIndex;
  readonly firstIndex: LogIndex;
  readonly lastIndex: LogIndex;
  /** Highest index known to be on this member's disk. */
  readonly durableIndex: LogIndex;
  readonly configuration: Configuration;
  /** Only at a leader: everyone it tracks and itself, ascending by id. */
  readonly peers: readonly PeerStatus[];
  /** Only at a leader: bytes of its entries that are not applied. */
  readonly uncommittedBytes: number;
  /** Reads that wait for an index. */
  readonly waitingReads: number;
  /** Who is to take over from this leader, 0 for nobody. */
  readonly transferTarget: NodeId;
  /** The leader is thought to be gone, by a hint. */
  readonly suspectsLeader: boolean;
  readonly quarantine: QuarantineEvidence | null;
  /** How far a member has come that lost entries which it had acknowledged; null for a sound one. */
  readonly repair: RepairStatus | null;
}

/** A member under repair gives no vote before its durable log equals a leader's up to `target`. */
export interface RepairStatus {
  /** Last index of the leader's log when it heard of the repair; 0 while no leader has said. */
  readonly target: LogIndex;
  /** The log is known to equal that leader's up to here. */
  readonly verified: LogIndex;
}

/** What a member found on its disk, or `{ term: 0, vote: 0, commit: 0 }` with nothing else at its first start. */
export interface CoreStart {
  readonly hardState: HardState;
  /** The newest snapshot; the state machine has been restored from it. */
  readonly snapshot: SnapshotMeta | null;
  /**
   * Where the state machine stands, and the members there, if the driver has applied committed entries behind the snapshot: above that,
   * at or below the commit index. Only with a snapshot, and without `repairId`. Default null: at the snapshot.
   */
  readonly applied?: SnapshotMeta | null;
  /** All entries after that (or from an index at or below it), without gaps. */
  readonly entries: readonly LogEntry[];
  /** Used only while there is no snapshot. */
  readonly configuration: Configuration;
  /** The disk can't be trusted: the member only watches. Default null. */
  readonly quarantine?: QuarantineEvidence | null;
  /**
   * The log lost entries that this member may have acknowledged, but neither term nor vote: it takes part without a vote until it has
   * them again. A number above 0 that no earlier start had, by chance or by count. Default 0: nothing is lost.
   */
  readonly repairId?: number;
}
