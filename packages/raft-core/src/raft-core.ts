import { assert } from "./assert.ts";
import { resolveOptions } from "./core-options.ts";
import { CoreState } from "./core-state.ts";
import { admit, forwardTransfer, isOwnMessage, stepTermed, watch } from "./dispatch.ts";
import { askAfterAll, isPromotable, ownCampaignKind, startElection } from "./election/campaign.ts";
import { campaignOnSuspicion, suspectLeader } from "./election/hints.ts";
import { ticksOfPromise } from "./election/stickiness.ts";
import { HandOut } from "./hand-out.ts";
import { checkLocalInvariants, LocalSnapshot } from "./invariants/local.ts";
import { applyChange, leaveJointIfDue } from "./leader/changes.ts";
import { checkQuorum } from "./leader/check-quorum.ts";
import type { Leadership } from "./leader/leadership.ts";
import { handleForwardPropose, propose, proposeChange, releaseQuota } from "./leader/proposing.ts";
import {
  announceLeadership,
  broadcastCommit,
  broadcastHeartbeat,
  confirmReads,
  isCommitUntold,
  peerUnreachable,
  readAwaitsCommit,
  snapshotReported,
} from "./leader/replication.ts";
import { endTransfer } from "./leader/transfer.ts";
import { startTransfer } from "./leader/transfer-start.ts";
import { allVoters, isWellFormedConfiguration, normalized, trackedIds } from "./membership/configuration.ts";
import { isAddressedTo, isWellFormed } from "./message-check.ts";
import type { OwnMessage, PeerMessage, ReadIndexRequest } from "./messages.ts";
import type { CoreOptions } from "./options.ts";
import { quarantine } from "./quarantine.ts";
import type { AppendAcknowledgement, AppendJob, ApplyJob, Ready } from "./ready.ts";
import { recoverUnsafely } from "./recovery.ts";
import { resetElectionTimer } from "./roles.ts";
import type { Progress } from "./tracker/progress.ts";
import type {
  CampaignOutcome,
  CompactOutcome,
  Configuration,
  ConfigurationChange,
  CoreStart,
  CoreStatus,
  LogEntry,
  LogIndex,
  NodeId,
  ProposeOutcome,
  QuarantineEvidence,
  RandomSource,
  RecoveryOutcome,
  RoleName,
  SnapshotMeta,
  StepRejection,
  Term,
  TransferOutcome,
} from "./types.ts";

/**
 * One member's Raft (Ongaro's dissertation) as a pure state machine: no clock, no disk, no network, no chance of its own. The driver
 * feeds it ticks, messages and proposals, takes what is to be done from `ready`, and reports back what became durable and what was
 * applied. The same inputs in the same order give the same outputs. docs/raft-core.md lists what the driver owes, in order.
 *
 * Expected refusals are results, and so is every message that can't be true: no other member can stop this one. A throw means that
 * a promise was broken by this program or by its disk: the member has to stop.
 */
export class RaftCore {
  private readonly state: CoreState;
  private readonly handOut: HandOut;
  private readonly checked = new LocalSnapshot();

  /** Throws RangeError for options that can't work, and an assertion for a start that contradicts itself. */
  constructor(options: CoreOptions, start: CoreStart, random: RandomSource) {
    const { hardState } = start;
    assert(hardState.term >= 0 && hardState.vote >= 0 && hardState.commit >= 0, "The hard state has no negative numbers");
    assert(
      isStartable((start.applied ?? start.snapshot)?.configuration ?? start.configuration),
      "The configuration is well-formed, or empty",
    );
    const state = new CoreState(resolveOptions(options), start, random);
    this.state = state;
    const isTermKnown = state.log.lastTerm <= hardState.term || state.options.reference.trustMessages;
    assert(isTermKnown, "No entry is of a later term than the member has seen");
    state.emit?.({ type: "configurationSwitched", configuration: state.configuration });
    resetElectionTimer(state);
    this.handOut = new HandOut(state);
    this.announceStart();
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
  /** The members as of the last change that was applied. */
  get configuration(): Configuration {
    return this.state.configuration;
  }
  /** Why this member only watches; null for a healthy one. */
  get quarantineEvidence(): QuarantineEvidence | null {
    return this.state.quarantine;
  }

  /** Whether it lost entries that it had acknowledged, and the driver has not ended the repair. */
  get isUnderRepair(): boolean {
    return this.state.repair !== null;
  }

  /** One unit of time has passed. */
  tick(): void {
    const state = this.state;
    state.now++;
    state.forwardedReads.expire(state.now);
    if (state.role.kind === "leader") return this.tickLeader(state.role);
    state.electionElapsed++;
    if (!isPromotable(state)) return;
    if (state.electionElapsed >= state.electionTimeout) {
      state.electionElapsed = 0;
      startElection(state, ownCampaignKind(state));
    } else if (state.role.kind === "candidate" && state.role.asksLater && state.electionElapsed > 1) {
      askAfterAll(state, state.role);
    } else if (state.suspicion.isActive) {
      campaignOnSuspicion(state);
    }
  }

  /** The driver's monotonic clock in milliseconds, before the other inputs of each turn. Without it no lease is relied on. */
  observeTime(nowMs: number): void {
    this.state.nowMs = nowMs;
  }

  /** Starts an election now, as if the election time-out had passed; but not while a leader's lease may rest on this member. */
  campaign(): CampaignOutcome {
    if (this.state.role.kind !== "leader" && ticksOfPromise(this.state) > 0) return "loyal";
    return startElection(this.state, ownCampaignKind(this.state));
  }

  /** The connection to `peer` was reset. If it led, that is as good as hearing that it died, and a pre-vote may follow at once. */
  peerDown(peer: NodeId): CampaignOutcome {
    return suspectLeader(this.state, peer, "connection_reset");
  }

  /** The driver's failure detector missed heartbeats of the leader, although the election time-out has not passed. */
  leaderSilent(): CampaignOutcome {
    return suspectLeader(this.state, this.state.leader, "silence");
  }

  /**
   * A message from another member. Null if it was taken, or if it is merely out of date. Otherwise it was dropped, and the reason is for
   * the log. `commit_beyond_log` and `conflicts_with_committed` show that data was lost, and quarantine this member. Never throws,
   * whatever another member sends.
   */
  step(message: PeerMessage): StepRejection | null {
    const { id, options, quarantine: evidence } = this.state;
    if (!options.reference.trustMessages) {
      if (!isWellFormed(message)) return "malformed";
      if (!isAddressedTo(id, message)) return "misaddressed";
    }
    if (evidence !== null) {
      watch(this.state, message);
      return null;
    }
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
        return admit(this.state, message);
    }
  }

  /** Appends all payloads or none. Each becomes one entry of kind `command`. */
  propose(payloads: readonly Uint8Array[]): ProposeOutcome {
    if (this.state.quarantine !== null) return { outcome: "dropped", reason: "quarantined" };
    return propose(this.state, payloads);
  }

  /** Proposes to change the members. Accepted, it is in force when its entry is applied. */
  proposeChange(change: ConfigurationChange): ProposeOutcome {
    if (this.state.quarantine !== null) return { outcome: "dropped", reason: "quarantined" };
    return proposeChange(this.state, change);
  }

  /**
   * The driver applied a configuration entry, before it reports the entry's job as applied. A driver may veto a change by not calling
   * this, if every member vetoes it. The configuration that is in force now.
   */
  applyChange(change: ConfigurationChange): Configuration {
    return applyChange(this.state, change);
  }

  /** Asks for an index that a linearizable read has to wait for. Exactly one result with this id comes in `Ready.reads`. */
  readIndex(requestId: number): void {
    const { role, leader, outbox, forwardedReads, readDeadline, quarantine: evidence } = this.state;
    if (evidence !== null) outbox.answerRead({ requestId, failed: "quarantined" });
    else if (role.kind === "leader") this.readAsLeader(role, requestId);
    else if (leader === 0) {
      this.state.emit?.({ type: "readDropped", term: this.state.term });
      outbox.answerRead({ requestId, failed: "no_leader" });
    } else forwardedReads.add(requestId, readDeadline);
  }

  /** Hands leadership to `target`, or asks the leader to. The event `transferEnded` of the leader tells how it went. */
  transferLeadership(target: NodeId): TransferOutcome {
    const state = this.state;
    if (state.quarantine !== null) return { outcome: "refused", reason: "quarantined" };
    if (state.role.kind === "leader") return startTransfer(state, state.role, { target, isResigning: false });
    return forwardTransfer(state, { type: "transferLeadership", from: state.id, to: state.leader, term: state.term, target });
  }

  /**
   * Hands leadership to `target` for good, at the end of a leader that is about to stop: as soon as the target has the whole log, it gets
   * this member's vote together with the word to campaign. That saves it a question and an answer. But if it does not stand for election
   * then, nobody leads until the others notice. Only a leader can resign; `transferLeadership` is for one that means to go on.
   */
  resignTo(target: NodeId): TransferOutcome {
    const { role } = this.state;
    if (role.kind !== "leader") return { outcome: "refused", reason: "not_leader" };
    return startTransfer(this.state, role, { target, isResigning: true });
  }

  /** The operator knows that the leader is dead: this member may vote for another at once. Nothing at other roles. */
  forgetLeader(): void {
    const state = this.state;
    if (state.role.kind !== "follower") return;
    if (state.options.leaseReads !== null) {
      state.emit?.({ type: "forgetLeaderRefused" });
    } else if (state.leader !== 0) {
      state.emit?.({ type: "leaderForgotten", leader: state.leader, term: state.term });
      state.leader = 0;
      state.forwardedReads.failAll("leadership_lost");
    }
  }

  /** With `commitMayWait`: there are followers that were not told that their entries up to `index`, a commit index, are committed. */
  isCommitUntold(index: LogIndex): boolean {
    const { role } = this.state;
    return role.kind === "leader" && isCommitUntold(this.state, role, index);
  }

  /** Tells the commit index to all who were not told. */
  tellCommit(): void {
    const { role } = this.state;
    if (role.kind === "leader") broadcastCommit(this.state, role);
  }

  get hasReady(): boolean {
    return this.handOut.hasNext || this.hasReadRound;
  }

  /** What is to be done now; undefined if nothing. Call it again after every batch of inputs. */
  ready(): Ready | undefined {
    const { role } = this.state;
    if (role.kind === "leader") announceLeadership(this.state, role);
    if (this.hasReadRound) this.startReadRound();
    if (!this.handOut.hasNext) return undefined;
    checkLocalInvariants(this.state, this.checked);
    this.checked.take(this.state);
    return this.handOut.next();
  }

  /** The job is durable, its messages were sent, and a snapshot in it was restored into the state machine. In order. */
  appended(job: AppendJob): void {
    this.handOut.appendDone(job);
    for (const message of job.messages) if (message.to === this.state.id && isOwnMessage(message)) this.stepOwn(message);
    if (job.acknowledges !== null) this.acknowledge(job.acknowledges);
  }

  /** One part of `appended`: what this member says to itself now that it is durable. */
  stepOwn(message: OwnMessage): void {
    if (this.state.quarantine === null) stepTermed(this.state, message);
  }

  /** The other part of `appended`: what is durable now. */
  acknowledge(acknowledgement: AppendAcknowledgement): void {
    const { log, term } = this.state;
    const { lastIndex, lastTerm, snapshot } = acknowledgement;
    // Whatever replaced a tail, and every new term, comes with a later job that speaks for the whole tail again.
    if (lastIndex !== 0) {
      if (acknowledgement.term === term) log.stableTo(lastIndex, lastTerm);
      else this.state.emit?.({ type: "acknowledgementOutdated", term: acknowledgement.term, ownTerm: term });
    }
    if (snapshot === null) return;
    log.restored(snapshot);
    leaveJointIfDue(this.state);
  }

  /** The state machine has taken the job's entries. In order. */
  applied(job: ApplyJob): void {
    this.handOut.applyDone(job);
    const last = job.entries[job.entries.length - 1];
    assert(last !== undefined, "An apply job has entries");
    const state = this.state;
    state.log.applyTo(last.index);
    // The proposal to leave needs its share of the quota.
    if (state.role.kind === "leader") releaseQuota(state, state.role, job.entries);
    leaveJointIfDue(state);
  }

  /** Messages to this peer were lost. */
  reportUnreachable(peer: NodeId): void {
    const progress = this.progressOf(peer);
    if (progress !== undefined) peerUnreachable(this.state, progress);
  }

  /** The transfer of a snapshot to this peer ended. Without this report the peer gets nothing more until it answers by itself. */
  reportSnapshot(peer: NodeId, stored: boolean): void {
    const progress = this.progressOf(peer);
    if (progress !== undefined) snapshotReported(this.state, progress, stored);
  }

  /** This peer's store is not the one that it had: what it acknowledged to this leader counts no more. */
  peerLostStore(peer: NodeId): void {
    const progress = this.progressOf(peer);
    if (progress !== undefined) progress.isDistrusted = true;
  }

  /** An own snapshot of applied entries is durable: it may be sent, and what it covers may be compacted. */
  snapshotSaved(meta: SnapshotMeta): void {
    this.state.log.saveSnapshot(meta);
  }

  /** Forgets the entries up to and including `index`. Only what a saved snapshot covers, and so what was applied, can go. */
  compact(index: LogIndex): CompactOutcome {
    return this.state.log.compact(index);
  }

  /**
   * Forgets applied entries up to and including `index` that no snapshot may cover; at a leader only what every other member has. Whoever
   * lacks them all the same is to be sent a snapshot: if the newest one ends below the log then, the driver takes another.
   */
  forgetApplied(index: LogIndex): void {
    const { log, role } = this.state;
    if (index < log.firstIndex) return;
    log.forget(role.kind === "leader" ? Math.min(index, role.indexOfAll) : index);
  }

  /** The driver found that this member's disk can't be trusted. There is no way back but a new core over a repaired store. */
  quarantine(evidence: QuarantineEvidence): void {
    quarantine(this.state, evidence);
  }

  /** The driver made durable what `Ready.isRepaired` said: from now on this member votes, and counts, as any other. */
  endRepair(): void {
    const state = this.state;
    assert(state.repair !== null, "Only a member under repair ends it");
    state.repair.checkEnd();
    const { id } = state.repair;
    state.repair = null;
    state.emit?.({ type: "repairEnded", id, lastIndex: state.log.lastIndex });
  }

  /** Puts a configuration in force that nobody agreed to, after a majority was lost for good. May lose acknowledged writes. */
  recoverUnsafely(configuration: Configuration): RecoveryOutcome {
    return recoverUnsafely(this.state, configuration);
  }

  /** Replaces the drawn election time-out until the next one is drawn; for scripted scenarios. */
  overrideElectionTimeout(ticks: number): void {
    this.state.electionTimeout = ticks;
  }

  /** For inspection: undefined where the log is compacted or has not come yet. */
  entryAt(index: LogIndex): LogEntry | undefined {
    return this.state.log.entryAt(index);
  }

  status(): CoreStatus {
    const { id, role, term, vote, leader, log, configuration, forwardedReads, suspicion, quarantine: evidence, repair } = this.state;
    const leadership = role.kind === "leader" ? role : null;
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
      durableIndex: log.durable,
      configuration,
      peers: leadership?.peers.map((peer) => peer.status()) ?? [],
      uncommittedBytes: leadership?.uncommittedBytes ?? 0,
      waitingReads: forwardedReads.waitingCount + (leadership?.reads.waitingCount ?? 0),
      transferTarget: leadership?.transferTarget ?? 0,
      suspectsLeader: suspicion.isActive,
      quarantine: evidence,
      repair: repair?.status ?? null,
    };
  }

  private announceStart(): void {
    const { log, term, configuration, emit } = this.state;
    emit?.({ type: "roleEntered", role: "follower", term });
    const { commit, applied } = log;
    emit?.({ type: "started", voters: allVoters(configuration), term, commit, applied, ...this.state.logEnd });
    if (this.state.repair !== null) emit?.({ type: "repairStarted", id: this.state.repair.id, lastIndex: log.lastIndex });
  }

  private tickLeader(leadership: Leadership): void {
    const state = this.state;
    leadership.reads.expire(state.now);
    leadership.heartbeatElapsed++;
    state.electionElapsed++;
    leadership.transferElapsed++;
    if (state.electionElapsed >= state.options.electionTicks) {
      state.electionElapsed = 0;
      if (state.options.checkQuorum) checkQuorum(state, leadership);
    }
    if (leadership.transferElapsed >= state.options.electionTicks) endTransfer(state, leadership, "timeout");
    if (state.role === leadership && leadership.heartbeatElapsed >= state.options.heartbeatTicks) {
      leadership.heartbeatElapsed = 0;
      broadcastHeartbeat(state, leadership);
      if (!state.options.reference.leaveJointOnlyAtApply) leaveJointIfDue(state);
    }
  }

  private progressOf(peer: NodeId): Progress | undefined {
    const { role, emit } = this.state;
    if (role.kind !== "leader") return undefined;
    const progress = role.progressOf(peer);
    if (progress === undefined) emit?.({ type: "peerUnknown", from: peer });
    return progress;
  }

  private handleReadIndexRequest(message: ReadIndexRequest): void {
    const { role, readDeadline, outbox, id } = this.state;
    if (role.kind === "leader") {
      const peer = role.progressOf(message.from);
      if (peer !== undefined) readAwaitsCommit(this.state, role, peer);
      return role.reads.addRemote(message.from, message.requestId, readDeadline);
    }
    outbox.send({ type: "readIndexResponse", from: id, to: message.from, requestId: message.requestId, index: 0 });
  }

  private readAsLeader(leadership: Leadership, requestId: number): void {
    const { log, outbox, nowMs, readDeadline } = this.state;
    const isLeased = log.commit >= leadership.termStart && leadership.lease?.isValid(nowMs) === true;
    if (isLeased) outbox.answerRead({ requestId, index: log.commit });
    else leadership.reads.addLocal(requestId, readDeadline);
  }

  /**
   * A new leader waits for the first commit of its term: until then its commit index may be older than what a former leader has
   * answered (dissertation 6.4).
   */
  private get hasReadRound(): boolean {
    const { role, log, forwardedReads } = this.state;
    if (role.kind !== "leader") return forwardedReads.hasUnsent;
    return role.reads.hasUnissued && log.commit >= role.termStart;
  }

  /** All reads since the last Ready share one round. */
  private startReadRound(): void {
    const { role, log, forwardedReads, leader } = this.state;
    if (role.kind !== "leader") return forwardedReads.sendTo(leader);
    role.reads.issue(log.commit);
    broadcastHeartbeat(this.state, role);
    confirmReads(this.state, role);
  }
}

/** A member that knows nobody yet waits for the snapshot of a leader. */
function isStartable(configuration: Configuration): boolean {
  return trackedIds(configuration).length === 0 || isWellFormedConfiguration(normalized(configuration));
}
