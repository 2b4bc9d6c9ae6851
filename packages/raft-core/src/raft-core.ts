import { assert, assertNever } from "./assert.ts";
import { contradictionOf, type LeaderMessage, type TermedMessage } from "./contradiction.ts";
import { resolveOptions } from "./core-options.ts";
import { CoreState } from "./core-state.ts";
import { campaign, countOwnVote, handleRequestVote, handleRequestVoteResponse } from "./election.ts";
import { answerDeposedLeader, handleAppend, handleHeartbeat, handleInstallSnapshot } from "./follower.ts";
import { HandOut } from "./hand-out.ts";
import type { Leadership } from "./leadership.ts";
import { isAddressedTo, isAscending, isWellFormed } from "./message-check.ts";
import { handleForwardPropose, propose, releaseQuota } from "./proposals.ts";
import { broadcastHeartbeat, countOwnEntries, handleAppendResponse, handleHeartbeatResponse } from "./replication.ts";
import { becomeFollower, resetElectionTimer } from "./roles.ts";
import type {
  AppendJob,
  ApplyJob,
  CoreOptions,
  CoreStart,
  CoreStatus,
  LogIndex,
  NodeId,
  PeerMessage,
  ProposeOutcome,
  RandomSource,
  ReadIndexRequest,
  Ready,
  RoleName,
  SnapshotMeta,
  StepRejection,
  Term,
} from "./types.ts";

/**
 * One member's Raft (Ongaro's dissertation) as a pure state machine: no clock, no disk, no network, no chance of its own. The driver
 * feeds it ticks, messages and proposals, takes what is to be done from `ready`, and reports back what became durable and what was
 * applied. The same inputs in the same order give the same outputs. The README lists what the driver owes, in order.
 *
 * Expected refusals are results, and so is every message that can't be true: no other member can stop this one. A throw means that
 * a promise was broken by this program or by its disk: the member has to stop.
 */
export class RaftCore {
  private readonly state: CoreState;
  private readonly handOut: HandOut;

  /** Throws RangeError for options that can't work, and an assertion for a start that contradicts itself. */
  constructor(options: CoreOptions, start: CoreStart, random: RandomSource) {
    const { hardState, configuration } = start;
    assert(hardState.term >= 0 && hardState.vote >= 0 && hardState.commit >= 0, "The hard state has no negative numbers");
    assert(isAscending(start.snapshot?.configuration.voters ?? configuration.voters), "Voters are distinct, positive and ascending");
    this.state = new CoreState(resolveOptions(options), start, random);
    assert(this.state.log.lastTerm <= hardState.term, "No entry is of a later term than the member has seen");
    resetElectionTimer(this.state);
    this.handOut = new HandOut(this.state);
  }

  get role(): RoleName {
    return this.state.role.kind;
  }
  /** 0 while nobody is known to lead. */
  get leader(): NodeId {
    return this.state.leader;
  }
  get term(): Term {
    return this.state.term;
  }
  get commit(): LogIndex {
    return this.state.log.commit;
  }
  get appliedIndex(): LogIndex {
    return this.state.log.applied;
  }
  get lastIndex(): LogIndex {
    return this.state.log.lastIndex;
  }

  /** One unit of time has passed. */
  tick(): void {
    const state = this.state;
    state.now++;
    state.forwardedReads.expire(state.now);
    if (state.role.kind === "leader") return this.tickLeader(state.role);
    state.electionElapsed++;
    const isAlone = state.configuration.voters.length === 1;
    if (state.electionElapsed >= state.electionTimeout || (isAlone && state.role.kind === "follower")) this.campaign();
  }

  /**
   * Starts an election now. Nothing happens at a leader, at a member that is no voter, while a snapshot is being stored, and when
   * terms or indexes are used up.
   */
  campaign(): void {
    if (this.state.role.kind === "leader") return;
    this.state.electionElapsed = 0;
    if (this.state.isElectable) campaign(this.state);
  }

  /**
   * A message from another member. Null if it was taken, or if it is merely out of date. Otherwise it was dropped without any effect,
   * and the reason is for the log; only after `commit_beyond_log` its sender counts as the leader, without being answered. Never
   * throws, whatever another member sends.
   */
  step(message: PeerMessage): StepRejection | null {
    if (!isWellFormed(message)) return "malformed";
    if (!isAddressedTo(this.state.id, message)) return "misaddressed";
    switch (message.type) {
      case "forwardPropose":
        handleForwardPropose(this.state, message);
        return null;
      case "readIndexRequest":
        this.handleReadIndexRequest(message);
        return null;
      case "readIndexResponse":
        this.state.forwardedReads.answered(message.requestId, message.index);
        return null;
      default:
        return this.admitTermed(message);
    }
  }

  /** Appends all payloads or none. Each becomes one entry of kind `command`. */
  propose(payloads: readonly Uint8Array[]): ProposeOutcome {
    return propose(this.state, payloads);
  }

  /** Asks for an index that a linearizable read has to wait for. Exactly one result with this id comes in `Ready.reads`. */
  readIndex(requestId: number): void {
    const state = this.state;
    if (state.role.kind === "leader") state.role.reads.addLocal(requestId, state.readDeadline);
    else if (state.leader === 0) state.outbox.answerRead({ requestId, failed: "no_leader" });
    else state.forwardedReads.add(requestId, state.readDeadline);
  }

  /** What is to be done now; undefined if nothing. Call it again after every batch of inputs. */
  ready(): Ready | undefined {
    this.startReadRound();
    return this.handOut.next();
  }

  /** The job is durable, its messages were sent, and a snapshot in it was restored into the state machine. In order. */
  appended(job: AppendJob): void {
    const state = this.state;
    const isTailUnchanged = this.handOut.appendDone(job);
    if (job.snapshot !== null) state.log.restored(job.snapshot);
    // Whatever replaced a tail, and every new term, comes with a later job that speaks for the whole tail again.
    if (job.acknowledges.term !== state.term) return;
    if (isTailUnchanged) state.log.stableTo(job.acknowledges.lastIndex, job.acknowledges.lastTerm);
    // A candidate votes for itself as it enters the term, so whatever was handed out in that term covers the vote.
    if (state.role.kind === "candidate") countOwnVote(state);
    else if (state.role.kind === "leader") countOwnEntries(state, state.role);
  }

  /** The state machine has taken the job's entries. In order. */
  applied(job: ApplyJob): void {
    this.handOut.applyDone(job);
    const last = job.entries[job.entries.length - 1];
    assert(last !== undefined, "An apply job has entries");
    this.state.log.applyTo(last.index);
    if (this.state.role.kind === "leader") releaseQuota(this.state, this.state.role, job.entries);
  }

  /** Messages to this peer were lost. */
  reportUnreachable(peer: NodeId): void {
    const follower = this.state.role.kind === "leader" ? this.state.role.progressOf(peer) : undefined;
    if (follower?.state === "replicate") follower.becomeProbe();
  }

  /** The transfer of a snapshot to this peer ended. Without this report the peer gets nothing more until it answers by itself. */
  reportSnapshot(peer: NodeId, stored: boolean): void {
    const follower = this.state.role.kind === "leader" ? this.state.role.progressOf(peer) : undefined;
    if (follower?.state === "snapshot") follower.snapshotEnded(stored);
  }

  /** An own snapshot of applied entries is durable: it may be sent, and what it covers may be compacted. */
  snapshotSaved(meta: SnapshotMeta): void {
    this.state.log.saveSnapshot(meta);
  }

  /** Forgets the entries up to and including `index`, which a saved snapshot covers. */
  compact(index: LogIndex): void {
    this.state.log.compact(index);
  }

  status(): CoreStatus {
    const { id, role, term, vote, leader, log, configuration } = this.state;
    const followers = role.kind === "leader" ? role.followers : [];
    return {
      id,
      role: role.kind,
      term,
      vote,
      leader,
      commit: log.commit,
      applied: log.applied,
      firstIndex: log.firstIndex,
      lastIndex: log.lastIndex,
      configuration,
      peers: followers.map((peer) => ({ id: peer.id, state: peer.state, match: peer.match, next: peer.next })),
    };
  }

  private tickLeader(leadership: Leadership): void {
    const { options, now } = this.state;
    leadership.reads.expire(now);
    leadership.heardElapsed++;
    if (leadership.heardElapsed >= options.electionTicks) {
      leadership.heardElapsed = 0;
      for (const follower of leadership.followers) follower.heard = false;
    }
    leadership.heartbeatElapsed++;
    if (leadership.heartbeatElapsed >= options.heartbeatTicks) {
      leadership.heartbeatElapsed = 0;
      broadcastHeartbeat(this.state, leadership);
    }
  }

  /** Messages of an earlier term count for nothing (paper 5.1), so nothing is concluded from what they say. */
  private admitTermed(message: TermedMessage): StepRejection | null {
    const state = this.state;
    if (isResponse(message) && !state.configuration.voters.includes(message.from)) return null;
    if (message.term < state.term) {
      if (message.type === "appendEntries" || message.type === "heartbeat") answerDeposedLeader(state, message.from);
      return null;
    }
    const contradiction = contradictionOf(state, message);
    if (contradiction !== null) return contradiction;
    if (message.type === "heartbeat" && message.commit > state.log.lastIndex) {
      this.follow(message);
      return "commit_beyond_log";
    }
    this.stepTermed(message);
    return null;
  }

  private stepTermed(message: TermedMessage): void {
    const state = this.state;
    if (isFromLeader(message)) this.follow(message);
    else if (message.term > state.term) becomeFollower(state, message.term, 0);
    const role = state.role;
    switch (message.type) {
      case "requestVote":
        return handleRequestVote(state, message);
      case "requestVoteResponse":
        return handleRequestVoteResponse(state, message);
      case "appendEntriesResponse":
        return role.kind === "leader" ? handleAppendResponse(state, role, message) : undefined;
      case "heartbeatResponse":
        return role.kind === "leader" ? handleHeartbeatResponse(state, role, message) : undefined;
      case "appendEntries":
        return handleAppend(state, message);
      case "heartbeat":
        return handleHeartbeat(state, message);
      case "installSnapshot":
        return handleInstallSnapshot(state, message);
      default:
        return assertNever(message);
    }
  }

  /** The leader of this term or of a later one has spoken. */
  private follow(message: LeaderMessage): void {
    const state = this.state;
    if (message.term > state.term || state.role.kind === "candidate") becomeFollower(state, message.term, message.from);
    assert(state.role.kind === "follower", "Only a follower follows");
    state.leader = message.from;
    state.electionElapsed = 0;
  }

  private handleReadIndexRequest(message: ReadIndexRequest): void {
    const state = this.state;
    if (state.role.kind === "leader") return state.role.reads.addRemote(message.from, message.requestId, state.readDeadline);
    state.outbox.send({ type: "readIndexResponse", from: state.id, to: message.from, requestId: message.requestId, index: 0 });
  }

  /**
   * All reads since the last Ready share one round. A new leader waits for the first commit of its term: until then its commit
   * index may be older than what a former leader has answered (dissertation 6.4).
   */
  private startReadRound(): void {
    const state = this.state;
    if (state.role.kind !== "leader") {
      if (state.forwardedReads.hasUnsent) state.forwardedReads.sendTo(state.leader);
      return;
    }
    const reads = state.role.reads;
    if (!reads.hasUnissued || state.log.commit < state.role.termStart) return;
    reads.issue(state.log.commit);
    broadcastHeartbeat(state, state.role);
    reads.confirm(state.role.confirmedPosition(reads.issued));
  }
}

function isFromLeader(message: TermedMessage): message is LeaderMessage {
  return message.type === "appendEntries" || message.type === "heartbeat" || message.type === "installSnapshot";
}

function isResponse(message: TermedMessage): boolean {
  return message.type === "requestVoteResponse" || message.type === "appendEntriesResponse" || message.type === "heartbeatResponse";
}
