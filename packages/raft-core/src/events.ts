import type {
  AppendEntries,
  AppendEntriesResponse,
  OwnMessage,
  PeerMessage,
  RequestPreVote,
  RequestVote,
  TermedMessage,
} from "./messages.ts";
import type {
  CampaignOutcome,
  ChangeRefusal,
  Configuration,
  ConfigurationChange,
  LogIndex,
  NodeId,
  PeerStatus,
  ProposeDropped,
  QuarantineEvidence,
  RoleName,
  SnapshotMeta,
  Term,
  TransferRefusal,
  TransferResult,
} from "./types.ts";

/** Where a log ends: the term and index of its last entry. */
export interface LogEnd {
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
}

type VoteQuestion = RequestPreVote | RequestVote;

/**
 * Everything that happens inside a core, at the moment it happens and with what was true then. For logs, metrics and tests; nothing
 * of it has to be acted on. Peers are described as they were at that moment.
 */
export type CoreEvent =
  // Roles and terms
  | ({ readonly type: "started"; readonly term: Term; readonly commit: LogIndex; readonly applied: LogIndex } & LogEnd & {
        /** Voters of both halves, ascending. */
        readonly voters: readonly NodeId[];
      })
  | { readonly type: "roleEntered"; readonly role: RoleName; readonly term: Term }
  | { readonly type: "higherTermSeen"; readonly message: TermedMessage; readonly ownTerm: Term }
  | { readonly type: "lowerTermIgnored"; readonly message: TermedMessage | OwnMessage; readonly ownTerm: Term }
  | { readonly type: "unknownSenderIgnored"; readonly message: PeerMessage }
  | { readonly type: "quorumLost"; readonly term: Term }
  | { readonly type: "leaderForgotten"; readonly leader: NodeId; readonly term: Term }
  /** Lease reads rely on the leader being remembered. */
  | { readonly type: "forgetLeaderRefused" }
  | { readonly type: "leaderSuspected"; readonly leader: NodeId; readonly cause: "connection_reset" | "silence" }
  | { readonly type: "quarantined"; readonly evidence: QuarantineEvidence }
  // Repair, at the member itself
  | { readonly type: "repairStarted"; readonly id: number; readonly lastIndex: LogIndex }
  /** A leader has said how far its log went when it heard of the repair. */
  | { readonly type: "repairTargeted"; readonly leader: NodeId; readonly target: LogIndex }
  | { readonly type: "repairEnded"; readonly id: number; readonly lastIndex: LogIndex }
  // Repair, at the leader
  | { readonly type: "peerRepairStarted"; readonly id: number; readonly target: LogIndex; readonly peer: PeerStatus }
  | { readonly type: "peerRepairEnded"; readonly id: number; readonly peer: PeerStatus }
  // Elections
  | { readonly type: "electionStarted"; readonly term: Term }
  | { readonly type: "campaignRefused"; readonly reason: CampaignOutcome; readonly term: Term }
  | ({ readonly type: "voteRequested"; readonly request: VoteQuestion["type"]; readonly to: NodeId; readonly ownTerm: Term } & LogEnd)
  /** This member's own answer, the ends of its log, and its vote before. */
  | ({ readonly type: "voteCast" | "voteRefused"; readonly request: VoteQuestion; readonly ownTerm: Term; readonly vote: NodeId } & LogEnd)
  /** This member is under repair and refuses its vote to everybody. */
  | { readonly type: "voteWithheld"; readonly request: VoteQuestion; readonly ownTerm: Term }
  /** A live leader is known, so the question is not answered at all. */
  | ({
      readonly type: "voteRequestIgnored";
      readonly request: VoteQuestion;
      readonly ownTerm: Term;
      readonly vote: NodeId;
      readonly remainingTicks: number;
    } & LogEnd)
  | {
      readonly type: "voteReceived";
      readonly phase: "preVote" | "vote";
      readonly from: NodeId;
      readonly granted: boolean;
      readonly ownTerm: Term;
    }
  | { readonly type: "votesCounted"; readonly phase: "preVote" | "vote"; readonly granted: number; readonly refused: number }
  // Proposals
  /** `from` is this member, or the one that forwarded it. */
  | {
      readonly type: "proposalDropped";
      readonly reason: ProposeDropped;
      readonly from: NodeId;
      readonly term: Term;
      readonly leader: NodeId;
      readonly transferTarget: NodeId;
    }
  | {
      readonly type: "changeRefused";
      readonly change: ConfigurationChange;
      readonly configuration: Configuration;
      readonly reason: ChangeRefusal;
      /** Index of the change that is not applied yet, or of the last entry when this leader was elected. */
      readonly pendingIndex: LogIndex;
      readonly applied: LogIndex;
    }
  | { readonly type: "readDropped"; readonly term: Term }
  // Membership
  | { readonly type: "configurationSwitched"; readonly configuration: Configuration }
  | { readonly type: "autoLeaveProposed"; readonly configuration: Configuration }
  | { readonly type: "autoLeaveDropped"; readonly configuration: Configuration; readonly reason: ProposeDropped }
  // Replication
  | { readonly type: "appendRefused"; readonly message: AppendEntries; readonly ownTermAtPrev: Term }
  | { readonly type: "refusalReceived"; readonly message: AppendEntriesResponse }
  | { readonly type: "progressDecreased"; readonly peer: PeerStatus }
  | { readonly type: "peerUnreachable"; readonly peer: PeerStatus }
  | { readonly type: "peerUnknown"; readonly from: NodeId }
  | {
      readonly type: "snapshotSent";
      readonly snapshot: SnapshotMeta;
      readonly firstIndex: LogIndex;
      readonly commit: LogIndex;
      readonly peer: PeerStatus;
    }
  | { readonly type: "replicationPaused"; readonly peer: PeerStatus }
  | { readonly type: "replicationResumed"; readonly cause: "caught_up" | "stored" | "failed"; readonly peer: PeerStatus }
  /** Nothing was heard of it lately, and a snapshot is dear. */
  | { readonly type: "snapshotNotSent"; readonly to: NodeId }
  // Log
  | { readonly type: "conflictFound"; readonly index: LogIndex; readonly existingTerm: Term; readonly conflictingTerm: Term }
  /** Every entry that waited for the disk gave way. */
  | { readonly type: "unstableReplaced"; readonly fromIndex: LogIndex }
  | { readonly type: "unstableTruncated"; readonly beforeIndex: LogIndex }
  /** An acknowledgement of the disk that came too late to mean anything, and why. */
  | { readonly type: "acknowledgementIgnored"; readonly cause: "missing" | "snapshot"; readonly index: LogIndex }
  | {
      readonly type: "acknowledgementMismatched";
      readonly index: LogIndex;
      readonly term: Term;
      readonly existingTerm: Term;
    }
  | { readonly type: "acknowledgementOutdated"; readonly term: Term; readonly ownTerm: Term }
  // Received snapshots
  | {
      readonly type: "snapshotRestoreStarted";
      readonly snapshot: SnapshotMeta;
      readonly commit: LogIndex;
      readonly applied: LogIndex;
      readonly applying: LogIndex;
      readonly unstableOffset: LogIndex;
      readonly unstableInProgress: LogIndex;
      readonly unstableCount: number;
    }
  /** Log replaced (`restored`), or only the commit index moved because the log held it already (`fastForwarded`). */
  | ({ readonly type: "snapshotRestored" | "snapshotFastForwarded"; readonly snapshot: SnapshotMeta; readonly commit: LogIndex } & LogEnd)
  /** The end of the matter, `taken` or not. */
  | { readonly type: "snapshotHandled"; readonly snapshot: SnapshotMeta; readonly commit: LogIndex; readonly taken: boolean }
  | { readonly type: "snapshotRefused"; readonly snapshot: SnapshotMeta }
  // Transfer of leadership
  | { readonly type: "transferStarted"; readonly target: NodeId; readonly term: Term }
  | { readonly type: "transferRefused"; readonly reason: TransferRefusal; readonly target: NodeId; readonly term: Term }
  /** The target was told to campaign; `caughtUp` if it first had to be sent entries. */
  | { readonly type: "timeoutNowSent"; readonly target: NodeId; readonly caughtUp: boolean }
  /** It votes for the target in this, the next term, and leads no longer. */
  | { readonly type: "leaderResigned"; readonly successor: NodeId; readonly term: Term }
  | { readonly type: "transferEnded"; readonly target: NodeId; readonly result: TransferResult; readonly term: Term }
  | { readonly type: "timeoutNowReceived"; readonly from: NodeId; readonly term: Term }
  /** The vote of the leader came before it was asked for, and before what tells to campaign. */
  | { readonly type: "resignationReceived"; readonly from: NodeId; readonly term: Term }
  | { readonly type: "timeoutNowIgnored"; readonly from: NodeId; readonly role: RoleName; readonly term: Term };

/** Where events go. */
export type EventSink = (event: CoreEvent) => void;
