import type { PeerMessage } from "./messages.ts";
import type { HardState, LogEntry, LogIndex, ReadResult, SnapshotMeta, SoftState, Term } from "./types.ts";

/** What `appended` has to be told again once a job is durable. */
export interface AppendAcknowledgement {
  /** Term when the job was handed out. Of another term it counts for nothing: the tail may have been replaced meanwhile. */
  readonly term: Term;
  /** The last entry of the log then, 0 and 0 if everything was durable already. */
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  readonly snapshot: SnapshotMeta | null;
}

/**
 * One durable step. The driver stores `hardState`, `snapshot` and `entries`, in the order the jobs were handed out, syncs, then
 * sends `messages` and calls `appended(job)`. Entries replace whatever the log holds at or above their first index; a snapshot
 * replaces the whole log.
 *
 * A crash leaves all of a job or nothing of it, with two exceptions: term and vote may be there before the rest, and a snapshot and the
 * hard state before the entries. Otherwise a commit index may be there neither without the entries of its job, for a restarted member
 * would take what they were to replace for committed; nor entries without the commit index, for it could be elected by members that
 * a committed change has removed (dissertation 4.1).
 */
export interface AppendJob {
  readonly hardState: HardState | null;
  readonly entries: readonly LogEntry[];
  readonly snapshot: SnapshotMeta | null;
  /**
   * They rest on durability: vote requests, votes and append responses (dissertation 3.8). Sent also if nothing is to be stored. Those
   * addressed to this member itself are not sent: `appended` takes them. In quarantine nothing of it is sent any more.
   */
  readonly messages: readonly PeerMessage[];
  /** False if only `hardState.commit` is new, which need not be durable before the next job for which this is true. */
  readonly mustSync: boolean;
  /** Null if nothing in the log waits for the disk. */
  readonly acknowledges: AppendAcknowledgement | null;
}

/** Committed entries for the state machine, in order. The driver calls `applied(job)` afterwards. */
export interface ApplyJob {
  readonly entries: readonly LogEntry[];
}

/** What the driver has to do now. Nothing is handed out twice. */
export interface Ready {
  /** Set when role or leader changed. */
  readonly softState: SoftState | null;
  /** May leave at once, also before the disk: a leader's appends (dissertation 10.2.1). */
  readonly messages: readonly PeerMessage[];
  readonly append: AppendJob | null;
  readonly apply: ApplyJob | null;
  readonly reads: readonly ReadResult[];
  /** Once: a member under repair has everything again. The driver makes that durable and then calls `endRepair`. */
  readonly isRepaired: boolean;
}
