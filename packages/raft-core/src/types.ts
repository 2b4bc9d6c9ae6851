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

/** The members as of some index, ascending. */
export interface Configuration {
  readonly voters: readonly NodeId[];
}

/** Names a snapshot; the bytes belong to the driver. `configuration` is the one in force at `index`. */
export interface SnapshotMeta {
  readonly index: LogIndex;
  readonly term: Term;
  readonly configuration: Configuration;
}

interface Addressed {
  readonly from: NodeId;
  readonly to: NodeId;
}

/** Dissertation 3.4. */
export interface RequestVote extends Addressed {
  readonly type: "requestVote";
  readonly term: Term;
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
}
export interface RequestVoteResponse extends Addressed {
  readonly type: "requestVoteResponse";
  readonly term: Term;
  readonly granted: boolean;
}
/** Dissertation 3.5. `entries` follow `prevIndex` without a gap. */
export interface AppendEntries extends Addressed {
  readonly type: "appendEntries";
  readonly term: Term;
  readonly prevIndex: LogIndex;
  readonly prevTerm: Term;
  readonly commit: LogIndex;
  readonly entries: readonly LogEntry[];
}
/**
 * Success: the log equals the leader's up to `index`. Rejection: `index` repeats the `prevIndex` that did not match, and the
 * hint is the largest index at or below it whose term is at most the `prevTerm` asked.
 */
export interface AppendEntriesResponse extends Addressed {
  readonly type: "appendEntriesResponse";
  readonly term: Term;
  readonly index: LogIndex;
  readonly rejected: boolean;
  readonly hintIndex: LogIndex;
  readonly hintTerm: Term;
}
/** Carries no entries and never waits behind them. `commit` is capped by what the follower is known to hold. */
export interface Heartbeat extends Addressed {
  readonly type: "heartbeat";
  readonly term: Term;
  readonly commit: LogIndex;
  /** Highest read position still to be confirmed, 0 for none (dissertation 6.4). */
  readonly readPosition: number;
}
export interface HeartbeatResponse extends Addressed {
  readonly type: "heartbeatResponse";
  readonly term: Term;
  readonly readPosition: number;
}
/** Dissertation 5. The driver moves the bytes first; the core sees this message when they are complete and verified. */
export interface InstallSnapshot extends Addressed {
  readonly type: "installSnapshot";
  readonly term: Term;
  readonly snapshot: SnapshotMeta;
}
/** A follower passes commands on to its leader. */
export interface ForwardPropose extends Addressed {
  readonly type: "forwardPropose";
  readonly payloads: readonly Uint8Array[];
}
/** A follower asks its leader for a read index. `requestId` is the follower's own. */
export interface ReadIndexRequest extends Addressed {
  readonly type: "readIndexRequest";
  readonly requestId: number;
}
/** `index` 0: the read failed, because the leader lost its office or this member never was the leader. */
export interface ReadIndexResponse extends Addressed {
  readonly type: "readIndexResponse";
  readonly requestId: number;
  readonly index: LogIndex;
}

/** Everything one member sends another. */
export type PeerMessage =
  | RequestVote
  | RequestVoteResponse
  | AppendEntries
  | AppendEntriesResponse
  | Heartbeat
  | HeartbeatResponse
  | InstallSnapshot
  | ForwardPropose
  | ReadIndexRequest
  | ReadIndexResponse;

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

export type RoleName = "follower" | "candidate" | "leader";

/** Who leads; need not be stored. */
export interface SoftState {
  readonly role: RoleName;
  /** 0 while nobody is known to lead. */
  readonly leader: NodeId;
}

/**
 * One durable step. The driver stores `hardState`, `snapshot` and `entries`, in the order the jobs were handed out, syncs, then
 * sends `messages` and calls `appended(job)`. Entries replace whatever the log holds at or above their first index; a snapshot
 * replaces the whole log.
 */
export interface AppendJob {
  readonly hardState: HardState | null;
  readonly entries: readonly LogEntry[];
  readonly snapshot: SnapshotMeta | null;
  /** They rest on durability: vote requests, votes and append responses (dissertation 3.8). Sent also if nothing is to be stored. */
  readonly messages: readonly PeerMessage[];
  /** False if only `hardState.commit` is new, which may be written lazily. */
  readonly mustSync: boolean;
  /** Term when handed out and the last entry then; an acknowledgement of a superseded tail is told by them. */
  readonly acknowledges: { readonly term: Term; readonly lastIndex: LogIndex; readonly lastTerm: Term };
}

/** Committed entries for the state machine, in order. The driver calls `applied(job)` afterwards. */
export interface ApplyJob {
  readonly entries: readonly LogEntry[];
}

export type ReadFailure = "no_leader" | "leadership_lost" | "timed_out";

/** Answer to `readIndex(requestId)`: serve the read once `index` is applied, or fail it. */
export type ReadResult =
  | { readonly requestId: number; readonly index: LogIndex }
  | { readonly requestId: number; readonly failed: ReadFailure };

/** What the driver has to do now. Nothing is handed out twice. */
export interface Ready {
  /** Set when role or leader changed. */
  readonly softState: SoftState | null;
  /** May leave at once, also before the disk: a leader's appends (dissertation 10.2.1). */
  readonly messages: readonly PeerMessage[];
  readonly append: AppendJob | null;
  readonly apply: ApplyJob | null;
  readonly reads: readonly ReadResult[];
}

export type ProposeDropped = "no_leader" | "quota" | "stopped";

/** Accepted is no promise: the entry counts when it is applied. Forwarded: only its appearance in the log tells. */
export type ProposeOutcome =
  | { readonly outcome: "accepted"; readonly term: Term; readonly firstIndex: LogIndex; readonly lastIndex: LogIndex }
  | { readonly outcome: "forwarded"; readonly to: NodeId }
  | { readonly outcome: "dropped"; readonly reason: ProposeDropped };

/** Where the core gets chance from. */
export interface RandomSource {
  /** Uniform integer in [0, limit). */
  below(limit: number): number;
}

export interface PeerStatus {
  readonly id: NodeId;
  readonly state: "probe" | "replicate" | "snapshot";
  readonly match: LogIndex;
  readonly next: LogIndex;
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
  readonly configuration: Configuration;
  /** Only at a leader, ascending by id. */
  readonly peers: readonly PeerStatus[];
}

export interface CoreOptions {
  readonly id: NodeId;
  /** Election time-outs are drawn from [electionTicks, 2 * electionTicks). At least twice `heartbeatTicks`. */
  readonly electionTicks: number;
  readonly heartbeatTicks: number;
  /** Bytes of entry data in one AppendEntries; at least one entry is always sent. Default 1 MiB. */
  readonly appendBytesMax?: number;
  /** AppendEntries on their way to one follower. Default 256. */
  readonly inflightMessagesMax?: number;
  /** Bytes of entry data on their way to one follower. Default 4 MiB. */
  readonly inflightBytesMax?: number;
  /** Bytes of own-term entries that are not yet applied; more is dropped with `quota`. Default 64 MiB. */
  readonly uncommittedBytesMax?: number;
  /** Bytes handed out for applying and not yet acknowledged. Default 16 MiB. */
  readonly applyBytesMax?: number;
}

/** What a member found on its disk, or `{ term: 0, vote: 0, commit: 0 }` with nothing else at its first start. */
export interface CoreStart {
  readonly hardState: HardState;
  /** The newest snapshot; the state machine has been restored from it. */
  readonly snapshot: SnapshotMeta | null;
  /** All entries after the snapshot (or from an index at or below it), without gaps. */
  readonly entries: readonly LogEntry[];
  /** Used only while there is no snapshot. */
  readonly configuration: Configuration;
}
