import {
  type AppendJob,
  type ApplyJob,
  type ConfigurationChange,
  type InstallSnapshot,
  type NodeId,
  type PeerMessage,
  type ProposeOutcome,
  type QuarantineEvidence,
  type RaftCore,
  type Ready,
  type SoftState,
} from "@raftkv/raft-core";
import { ApplyQueue } from "./apply-queue.ts";
import { CommitWait } from "./commit-wait.ts";
import type { DeferredLogger } from "./deferred-logger.ts";
import type { DiskWatch } from "./disk-watch.ts";
import { quarantinedError } from "./dropped-proposal.ts";
import { EntryApplier } from "./entry-applier.ts";
import { FailureDetector } from "./failure-detector.ts";
import { ForwardedProposals } from "./forwarded-proposals.ts";
import { Inbox } from "./inbox.ts";
import type { LeaderlessWatch } from "./leaderless-watch.ts";
import type { LostEntries } from "./log-store.ts";
import { MemberRepair } from "./member-repair.ts";
import { NodeError } from "./node-error.ts";
import type { ResolvedNodeOptions } from "./node-options.ts";
import type { NodeStart } from "./node-start.ts";
import type { Timer } from "./ports.ts";
import { RefusedMessages } from "./refused-messages.ts";
import type { Requests } from "./requests.ts";
import { SnapshotExchange } from "./snapshot-exchange.ts";
import { StorageQueue } from "./storage-queue.ts";

/** How long a turn may apply commands; heartbeats and votes wait no longer. */
const APPLY_BUDGET_MS = 10;
/** Proposals of others that are kept while leadership changes. */
const FORWARDED_BYTES_MAX = 16 * 1024 * 1024;

export interface TurnLoopParts<Result> {
  readonly core: RaftCore;
  readonly start: NodeStart;
  readonly requests: Requests<Result>;
  /** What happens in a turn is written down later. */
  readonly log: DeferredLogger;
  readonly diskWatch: DiskWatch;
  readonly leaderlessWatch: LeaderlessWatch;
}

/** `quarantined`: the member only watches. `stopped`: it takes nothing more. */
type LoopState = "running" | "quarantined" | "stopped";

/**
 * Drives a core. Input that arrives in an event-loop turn is only collected; at the end of the turn it goes through the core together:
 *
 *     messages, proposals, reads, storage done ──► turn: step*, propose, readIndex ──► ready
 *        ready.messages ──► transport, at once
 *        ready.append   ──► log store ──durable──► messages of the job, appended()
 *        ready.apply    ──► state machine, answers to callers, applied()
 *        ready.reads    ──► wait for applied, then answers
 *
 * **Time.** A tick is counted when a turn takes it, and only then the timer is set again: two ticks are never less than `tickMs` apart,
 * which leases rely on, and what a stopped process missed is not made up for. So a follower that was stopped does not stand for
 * election while heartbeats lie in its sockets, and a leader does not hold the time in which it could not hear its followers
 * against them; if it was deposed meanwhile, the messages of its first turn say so. A member that is slow is slow to suspect
 * others, and the others don't wait for it.
 */
export class TurnLoop<Result> {
  private readonly options: ResolvedNodeOptions<Result>;
  private readonly core: RaftCore;
  private readonly requests: Requests<Result>;
  private readonly log: DeferredLogger;
  private readonly diskWatch: DiskWatch;
  private readonly leaderlessWatch: LeaderlessWatch;
  private readonly repair: MemberRepair;
  private readonly forwarded: ForwardedProposals;
  private readonly failureDetector: FailureDetector;
  private readonly applying: ApplyQueue;
  private readonly storage: StorageQueue;
  private readonly snapshots: SnapshotExchange<Result>;
  private readonly refused: RefusedMessages;
  private readonly commitWait: CommitWait;
  private readonly inbox = new Inbox();
  private readonly runTurn = (): void => this.turn();
  private readonly stepCore = (message: PeerMessage): void => this.step(message);
  private readonly finishAppend = (job: AppendJob): void => this.appended(job);
  private readonly askCore = (requestId: number): void => this.core.readIndex(requestId);
  private readonly proposeToCore = (entries: readonly Uint8Array[]): ProposeOutcome => this.core.propose(entries);
  private readonly changeInCore = (change: ConfigurationChange): ProposeOutcome => this.core.proposeChange(change);
  private readonly tellOfLosses = {
    onUnreachable: (peer: NodeId): void => this.core.reportUnreachable(peer),
    onDown: (peer: NodeId): void => this.peerDown(peer),
  };
  private readonly distrustPeer = (peer: NodeId): void => this.core.peerLostStore(peer);
  private isTurnScheduled = false;
  private isInTurn = false;
  private tickTimer: Timer | null = null;
  private isTickDue = false;
  private isCommitDue = false;
  /** The leader sent something that this turn took. */
  private leaderSpoke = false;
  private reportedState: SoftState = { role: "follower", leader: 0 };
  private loopState: LoopState;
  private leadersSeen = 0;

  constructor(options: ResolvedNodeOptions<Result>, parts: TurnLoopParts<Result>) {
    const { core, requests, log } = parts;
    const { clock, logStore, transport, timing, requestTimeoutMs } = options;
    this.options = options;
    this.core = core;
    this.loopState = core.quarantineEvidence === null ? "running" : "quarantined";
    this.requests = requests;
    this.log = log;
    this.diskWatch = parts.diskWatch;
    this.leaderlessWatch = parts.leaderlessWatch;
    this.repair = new MemberRepair({
      core,
      logStore,
      logger: log,
      onRecorded: () => this.schedule(),
      onFailure: (error) => this.fail(error),
    });
    this.refused = new RefusedMessages(options.logger);
    this.commitWait = new CommitWait({
      clock,
      core,
      onOver: () => {
        this.isCommitDue = true;
        this.schedule();
      },
    });
    this.failureDetector = new FailureDetector(timing, clock.monotonicMs());
    this.forwarded = new ForwardedProposals({
      self: options.id,
      core,
      transfer: requests.transfer,
      transport,
      bytesMax: FORWARDED_BYTES_MAX,
      timeoutMs: requestTimeoutMs,
    });
    this.applying = new ApplyQueue({
      clock,
      applier: new EntryApplier({ ...options, core, requests }),
      onJobDone: (job, commands) => this.applied(job, commands),
    });
    this.storage = new StorageQueue({
      logStore,
      restore: (meta) => this.snapshots.restoreInstalled(meta),
      onDone: () => this.schedule(),
      onFailure: (error) => this.fail(error),
    });
    this.snapshots = new SnapshotExchange({
      ...options,
      core,
      policy: parts.start.snapshotPolicy,
      replayed: parts.start.core.applied ?? null,
      isApplying: () => !this.applying.isEmpty,
      onProgress: () => this.schedule(),
      onFailure: (error) => this.fail(error),
    });
  }

  get state(): LoopState {
    return this.loopState;
  }

  /** Entries that this member may have acknowledged, lost, and not got again; null for a sound one. */
  get missing(): LostEntries | null {
    return this.repair.missing;
  }

  /** Role and leader as the last turn left them. */
  get softState(): SoftState {
    return this.reportedState;
  }

  /** How often somebody was seen to begin to lead. */
  get leaderChanges(): number {
    return this.leadersSeen;
  }

  start(): void {
    this.options.transport.start({
      onMessage: (message) => this.receive(message),
      onSnapshot: (message, chunks) => this.receiveSnapshot(message, chunks),
      onUnreachable: (peer) => {
        this.inbox.addUnreachable(peer);
        this.schedule();
      },
      onPeerDown: (peer) => {
        this.inbox.addDown(peer);
        this.schedule();
      },
      onStoreLost: (peer) => {
        this.inbox.addStoreLost(peer);
        this.schedule();
      },
    });
    this.options.onConfiguration(this.core.configuration);
    this.campaignIfAlone();
    this.armTick();
    this.schedule();
  }

  /** There is something to do: a turn follows when the input that has already arrived is drained. */
  schedule(): void {
    if (this.isTurnScheduled || this.loopState === "stopped") return;
    this.isTurnScheduled = true;
    this.options.clock.atEndOfTurn(this.runTurn);
  }

  /** As if the event-loop turn were over, for what everybody waits for. A caller that runs within a turn gets another one behind it. */
  turnAtOnce(): void {
    if (this.isInTurn) this.schedule();
    else this.turn();
  }

  /** Takes and does nothing more; everybody who waits is told why. */
  halt(reason: NodeError): void {
    this.loopState = "stopped";
    this.tickTimer?.cancel();
    this.commitWait.cancel();
    this.log.flush();
    this.requests.failAll(reason);
  }

  /** Resolves when neither snapshots nor the disk have anything under way. Call it after the transport is closed. */
  async idle(): Promise<void> {
    await this.snapshots.close();
    await this.storage.idle();
  }

  private receive(message: PeerMessage): void {
    this.inbox.add(message);
    this.schedule();
  }

  private async receiveSnapshot(message: InstallSnapshot, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    if (this.loopState !== "running") throw new Error("This member takes no snapshots any more");
    await this.snapshots.receive(message, chunks);
    this.receive(message);
  }

  private armTick(): void {
    this.tickTimer = this.options.clock.setTimer(this.options.timing.tickMs, () => {
      this.isTickDue = true;
      this.schedule();
    });
  }

  private turn(): void {
    this.isTurnScheduled = false;
    if (this.loopState === "stopped") return;
    this.isInTurn = true;
    try {
      this.takeInput();
      this.act();
      this.snapshots.afterTurn();
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.isInTurn = false;
    }
  }

  private takeInput(): void {
    this.observeTime();
    this.repair.takeRecorded();
    this.inbox.drainLostStores(this.distrustPeer);
    this.inbox.drainMessages(this.stepCore);
    if (this.leaderSpoke) this.failureDetector.heard(this.core.leader, this.options.clock.monotonicMs());
    this.leaderSpoke = false;
    this.inbox.drainLosses(this.tellOfLosses);
    this.storage.takeDone(this.finishAppend);
    if (this.isTickDue) this.tick();
    this.offerToCore();
    this.observeTime();
    this.requests.reads.ask(this.askCore);
    if (this.isCommitDue) this.tellCommit();
  }

  private tellCommit(): void {
    this.isCommitDue = false;
    this.core.tellCommit();
  }

  /** Leases are judged by the time when a read is asked for. */
  private observeTime(): void {
    if (this.options.leaseReads !== null) this.core.observeTime(this.options.clock.monotonicMs());
  }

  private step(message: PeerMessage): void {
    const { core } = this;
    if (message.type === "forwardPropose" && this.forwarded.keep(message, this.options.clock.monotonicMs())) return;
    // What was committed before must not meet the configuration that comes with the snapshot.
    if (message.type === "installSnapshot" && this.isTrusted) this.applying.finish();
    if (core.leader === 0) this.leaderlessWatch.heard(message);
    const reason = core.step(message);
    if (reason !== null) this.refused.add(message, reason);
    else if (message.from === core.leader) this.leaderSpoke = true;
  }

  private peerDown(peer: NodeId): void {
    const { core, options, requests } = this;
    core.peerDown(peer);
    requests.transfer.peerDown(peer);
    // A transfer to oneself ends the one that is under way.
    if (requests.transfer.target === peer) core.transferLeadership(options.id);
  }

  private tick(): void {
    const nowMs = this.options.clock.monotonicMs();
    this.isTickDue = false;
    const { failure } = this.options.logStore;
    // The disk may fail while nothing is asked of it.
    if (failure !== null && this.isTrusted) throw failure;
    this.core.tick();
    if (this.failureDetector.tick(nowMs)) this.core.leaderSilent();
    this.campaignIfAlone();
    this.diskWatch.tick(this.core.role === "leader");
    this.leaderlessWatch.tick(nowMs, this.core.leader !== 0);
    this.refused.report();
    this.forwarded.expire(nowMs);
    this.requests.expire(nowMs);
    this.requests.reads.askAgain(this.askCore);
    this.armTick();
  }

  /** The only voter there is has nobody to wait for. */
  private campaignIfAlone(): void {
    const { role, configuration } = this.core;
    const { voters, outgoing } = configuration;
    const isAlone = outgoing.length === 0 && voters.length === 1 && voters[0] === this.options.id;
    if (isAlone && role === "follower" && this.isTrusted && !this.repair.isUnderWay) this.core.campaign();
  }

  private act(): void {
    const deadlineMs = this.options.clock.monotonicMs() + APPLY_BUDGET_MS;
    do {
      for (let ready = this.core.ready(); ready !== undefined; ready = this.core.ready()) this.actOn(ready);
    } while (this.isTrusted && this.applying.runUntil(deadlineMs));
    if (this.loopState !== "stopped") this.commitWait.begin();
    const evidence = this.core.quarantineEvidence;
    if (evidence !== null) this.enterQuarantine(evidence);
    else if (!this.applying.isEmpty || this.core.hasReady) this.schedule();
  }

  /** Not in quarantine: what the member has may be acknowledged and applied. */
  private get isTrusted(): boolean {
    return this.core.quarantineEvidence === null;
  }

  private actOn(ready: Ready): void {
    const { softState, messages, append, apply, reads, isRepaired } = ready;
    if (isRepaired) this.repair.record();
    // What others and the disk wait for goes first: an election is a chain of it.
    this.send(messages);
    if (append?.snapshot) this.snapshots.accepted(append.snapshot);
    if (append !== null) this.storage.add(append);
    if (softState !== null) this.changeRole(softState);
    if (append !== null) this.storage.takeDone(this.finishAppend);
    if (apply !== null) this.applying.add(apply);
    for (const read of reads) this.requests.reads.answered(read, this.core.appliedIndex);
    // A leader that was just elected, or a follower that just heard of one, takes what waited for it.
    if (softState === null || softState.leader === 0) return;
    this.offerToCore();
    this.requests.reads.askAgain(this.askCore);
  }

  private offerToCore(): void {
    this.forwarded.passOn();
    this.requests.proposals.offer(this.proposeToCore);
    this.requests.changes.offer(this.changeInCore);
  }

  private changeRole(state: SoftState): void {
    const { role, leader } = state;
    const { clock, nameOf, onRoleChange } = this.options;
    const before = this.reportedState;
    this.reportedState = state;
    this.requests.roleChanged(state, before);
    this.failureDetector.follow(role === "leader" ? 0 : leader, clock.monotonicMs());
    if (leader !== 0 && leader !== before.leader) this.leadersSeen++;
    if (leader !== before.leader) this.log.info("leader changed", { leader: leader === 0 ? null : nameOf(leader), term: this.core.term });
    onRoleChange(state);
  }

  private send(messages: readonly PeerMessage[]): void {
    if (messages.length === 0) return;
    const others: PeerMessage[] = [];
    for (const message of messages) {
      if (message.type === "installSnapshot") this.snapshots.send(message);
      else if (message.to !== this.options.id) others.push(message);
    }
    if (others.length > 0) this.options.transport.send(others);
  }

  private appended(job: AppendJob): void {
    if (this.isTrusted) this.send(job.messages);
    this.core.appended(job);
    if (job.snapshot === null) return;
    this.requests.restored(job.snapshot.index);
    this.options.onConfiguration(this.core.configuration);
  }

  private applied(job: ApplyJob, commands: number): void {
    this.core.applied(job);
    const last = job.entries.at(-1);
    if (last === undefined) return;
    this.requests.applied(last.index);
    this.snapshots.applied(job.entries, commands);
  }

  private enterQuarantine(evidence: QuarantineEvidence): void {
    if (this.loopState === "quarantined") return;
    this.loopState = "quarantined";
    this.requests.failAll(quarantinedError("maybe-applied"));
    const { logStore, logger } = this.options;
    // Not waited for: in this life the member takes no part, whether it can be recorded or not.
    void logStore.recordQuarantine(evidence).catch((error: unknown) => {
      logger.error("could not record its quarantine, and would take part again after a restart", { error });
    });
  }

  private fail(error: Error): void {
    if (this.loopState === "stopped") return;
    this.halt(new NodeError("ERR_FAILED", "maybe-applied", `This member stopped: ${error.message}`, { cause: error }));
    this.options.logger.error("member stopped", { error });
    this.options.onFatal(error);
  }
}
