import type { EntryKind, LogEntry, LogIndex, NodeId, SnapshotMeta, Term } from "./types.ts";

/** Every message says who sent it and who is to get it. */
interface Addressed {
  readonly from: NodeId;
  readonly to: NodeId;
}

interface VoteQuestion extends Addressed {
  readonly term: Term;
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  /** A voter of higher priority refuses a candidate whose log is no newer than its own. 0 where priorities are not used. */
  readonly priority: number;
}

/**
 * Would you vote for me in `term`? Nobody's term or vote changes by the question (dissertation 9.6). `term` is the one after the
 * asking member's own.
 */
export interface RequestPreVote extends VoteQuestion {
  readonly type: "requestPreVote";
}
/** A grant repeats the term asked for, a refusal has the refusing member's own. */
export interface RequestPreVoteResponse extends Addressed {
  readonly type: "requestPreVoteResponse";
  readonly term: Term;
  readonly granted: boolean;
  /** Why it is a refusal: the sender is under repair since the start with this id. For people; the core makes nothing of it. */
  readonly repairId?: number;
}
/** Dissertation 3.4. */
export interface RequestVote extends VoteQuestion {
  readonly type: "requestVote";
  /** The leader itself asked for this election: that it still lives is no reason to refuse (dissertation 3.10). */
  readonly isTransfer: boolean;
}
export interface RequestVoteResponse extends Addressed {
  readonly type: "requestVoteResponse";
  readonly term: Term;
  readonly granted: boolean;
  /** As in RequestPreVoteResponse. */
  readonly repairId?: number;
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
  /** The sender lost what it acknowledged before, and is under repair since the start with this id: no quorum may count it. */
  readonly repairId?: number;
}
/** Carries no entries and never waits behind them. `commit` is capped by what the follower is known to hold. */
export interface Heartbeat extends Addressed {
  readonly type: "heartbeat";
  readonly term: Term;
  readonly commit: LogIndex;
  /** Highest read position still to be confirmed, 0 for none (dissertation 6.4). */
  readonly readPosition: number;
  /** Only to a member under repair: it is whole again when its log equals the leader's up to `index`. */
  readonly repair?: { readonly id: number; readonly index: LogIndex };
}
export interface HeartbeatResponse extends Addressed {
  readonly type: "heartbeatResponse";
  readonly term: Term;
  readonly readPosition: number;
  /** As in AppendEntriesResponse. */
  readonly repairId?: number;
}
/** Dissertation 5. The driver moves the bytes first; the core sees this message when they are complete and verified. */
export interface InstallSnapshot extends Addressed {
  readonly type: "installSnapshot";
  readonly term: Term;
  readonly snapshot: SnapshotMeta;
}
/** The leader hands its office over: campaign at once (dissertation 3.10). */
export interface TimeoutNow extends Addressed {
  readonly type: "timeoutNow";
  readonly term: Term;
  /** The leader has stepped down, and its vote for the next term follows as soon as it is durable. */
  readonly isResigning: boolean;
}
/** A member asks the leader to hand over to `target`. */
export interface TransferLeadership extends Addressed {
  readonly type: "transferLeadership";
  readonly term: Term;
  readonly target: NodeId;
}
/** A follower passes proposals on to its leader. They carry no position yet. */
export interface ForwardPropose extends Addressed {
  readonly type: "forwardPropose";
  readonly kind: Exclude<EntryKind, "empty">;
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

/** Messages that belong to a term and may change the receiver's. */
export type TermedMessage =
  | RequestPreVote
  | RequestPreVoteResponse
  | RequestVote
  | RequestVoteResponse
  | AppendEntries
  | AppendEntriesResponse
  | Heartbeat
  | HeartbeatResponse
  | InstallSnapshot
  | TimeoutNow
  | TransferLeadership;

/** Everything one member sends another. */
export type PeerMessage = TermedMessage | ForwardPropose | ReadIndexRequest | ReadIndexResponse;

/** What a member says to itself once its disk agrees: its own vote, and its own entries as a leader (dissertation 10.2.1). */
export type OwnMessage = RequestPreVoteResponse | RequestVoteResponse | AppendEntriesResponse;

export type LeaderMessage = AppendEntries | Heartbeat | InstallSnapshot;
