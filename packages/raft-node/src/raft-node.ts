import {
  type ConfigurationChange,
  type CoreEvent,
  type CoreStatus,
  type LogEntry,
  type LogIndex,
  type NodeId,
  type QuarantineEvidence,
  RaftCore,
  type TransferOutcome,
} from "@raftkv/raft-core";
import { CoreEventLog } from "./core-event-log.ts";
import { DeferredLogger } from "./deferred-logger.ts";
import { DiskWatch } from "./disk-watch.ts";
import { quarantinedError, underRepairError } from "./dropped-proposal.ts";
import { LeaderlessWatch } from "./leaderless-watch.ts";
import type { LeadershipTransferResult } from "./leadership-transfer.ts";
import type { MembershipChangeResult } from "./membership-changes.ts";
import { type Completion, NodeError, promised, type Retryable } from "./node-error.ts";
import type { MemberRepairStatus, MemberState, NodeMetrics } from "./node-metrics.ts";
import { coreOptionsOf, type RaftNodeOptions, type ResolvedNodeOptions, resolveNodeOptions } from "./node-options.ts";
import { type NodeStart, readNodeStart } from "./node-start.ts";
import { Requests } from "./requests.ts";
import { successorOf } from "./successor.ts";
import { TurnLoop } from "./turn-loop.ts";

/** A look into a member's core, for checkers. */
export interface CoreInspection {
  status(): CoreStatus;
  /** Undefined where the log is compacted or has not come yet. */
  entryAt(index: LogIndex): LogEntry | undefined;
}

/** One member of a Raft group: a core, its log, its state machine, its peers. What happens in a turn is in turn-loop.ts. */
export class RaftNode<Result> {
  private readonly options: ResolvedNodeOptions<Result>;
  private readonly core: RaftCore;
  private readonly requests: Requests<Result>;
  private readonly leaderlessWatch: LeaderlessWatch;
  private readonly loop: TurnLoop<Result>;
  private readonly declined = new Set<NodeId>();
  private handingOver: Promise<void> | null = null;
  private closing: Promise<void> | null = null;

  /**
   * Restores the state machine and starts. Rejects if the newest snapshot or the log can't be read, if the store is empty, and with an
   * EntriesLostError if the store lost entries that nobody else can have.
   */
  static async start<Result>(options: RaftNodeOptions<Result>): Promise<RaftNode<Result>> {
    const resolved = resolveNodeOptions(options);
    return new RaftNode(resolved, await readNodeStart(resolved));
  }

  private constructor(options: ResolvedNodeOptions<Result>, start: NodeStart) {
    const { random, electionMs, nameOf, logStore } = options;
    const { quarantine } = logStore.recovered;
    const log = new DeferredLogger(options.logger, options.clock);
    const eventLog = new CoreEventLog({ logger: log, nameOf });
    const requests = new Requests(options);
    const leaderlessWatch = new LeaderlessWatch({
      self: options.id,
      electionMs,
      logger: log,
      nameOf,
      configuration: () => this.core.configuration,
      memberState: () => this.memberState,
      isConnected: (id) => options.transport.isConnected(id),
    });
    const diskWatch = new DiskWatch({ logStore, logger: log, electionMs, onStalledLeader: () => void this.relieve() });
    const onEvent = (event: CoreEvent): void => {
      requests.transfer.observe(event);
      eventLog.write(event);
    };
    if (quarantine !== null) log.error("was quarantined before this start, and takes no part", { evidence: quarantine });
    this.options = options;
    this.requests = requests;
    this.leaderlessWatch = leaderlessWatch;
    this.core = new RaftCore({ ...coreOptionsOf(options), onEvent }, start.core, random);
    logStore.releaseRecovered();
    this.loop = new TurnLoop(options, { core: this.core, start, requests, log, diskWatch, leaderlessWatch });
    this.loop.start();
  }

  /** Replicates a command. It is copied; the caller may use its buffer again at once. */
  submit(command: Uint8Array, completion: Completion<Result>): void {
    if (this.refuses(completion)) return;
    this.requests.proposals.add(command, this.options.clock.monotonicMs(), completion);
    this.loop.schedule();
  }

  /** As `submit`, for callers that are not on the hot path. Rejects with a NodeError. */
  propose(command: Uint8Array): Promise<Result> {
    return promised((completion) => this.submit(command, completion));
  }

  /** Succeeds when the state machine has applied everything that was committed when this was called, on any member. */
  read(completion: Completion<LogIndex>): void {
    if (this.refuses(completion)) return;
    this.requests.reads.add(this.options.clock.monotonicMs(), completion);
    this.loop.schedule();
  }

  /** As `read`, for callers that are not on the hot path. Rejects with a NodeError. */
  readBarrier(): Promise<LogIndex> {
    return promised((completion) => this.read(completion));
  }

  /**
   * Succeeds at once, for reads of what this member has applied so far, old as it may be. Fails if it can't stand by that, or has not got
   * again what it may have shown before.
   */
  readLocally(completion: Completion<LogIndex>): void {
    if (this.refuses(completion)) return;
    if (this.loop.missing !== null) completion.fail(underRepairError());
    else completion.succeed(this.core.appliedIndex);
  }

  /**
   * Changes the members of the group, from any member. Resolves when the change is applied here, or was refused by this member as the
   * leader; a refusal by another leader is not heard of before the time is over. Rejects with a NodeError. The state machine gets
   * `context` as it is given here.
   */
  changeMembership(change: ConfigurationChange): Promise<MembershipChangeResult> {
    return promised((completion) => {
      if (this.refuses(completion)) return;
      this.requests.changes.add(change, this.options.clock.monotonicMs(), completion);
      this.loop.schedule();
    });
  }

  /**
   * Hands leadership to a voter, or asks the leader to. Without `to` a leader picks the one that can take over soonest. Resolves when
   * the target leads, or it is known that it won't.
   */
  transferLeadership(to?: NodeId): Promise<LeadershipTransferResult> {
    const target = to ?? successorOf(this.core.status());
    if (target === null || this.loop.state === "stopped") return Promise.resolve({ outcome: "refused", reason: "no_target" });
    if (target === this.core.leader) return Promise.resolve({ outcome: "refused", reason: "to_self" });
    return this.follow(this.core.transferLeadership(target), target);
  }

  /**
   * A leader that is about to stop hands leadership on, and then stays for a heartbeat, in which it passes on what others still send to
   * it. Resolves at once if this member does not lead or nobody can take over, and after an election time-out if nobody did.
   */
  handOver(): Promise<void> {
    // Answers that have arrived may bring a successor up to date.
    this.loop.turnAtOnce();
    return this.giveUpLeadership((target) => {
      // Whoever waits must be known before a turn that may end with this member's failure.
      const result = this.follow(this.core.resignTo(target), target);
      this.loop.turnAtOnce();
      return result;
    });
  }

  /** The member that leads as far as this one knows, 0 for nobody. */
  get leader(): NodeId {
    return this.loop.softState.leader;
  }

  /** Why nobody leads, for people: how many voters are sound, which are not, what to do. Null while an election is soon enough to come. */
  get leaderlessFinding(): string | null {
    return this.leaderlessWatch.finding;
  }

  get isLeader(): boolean {
    return this.loop.softState.role === "leader";
  }

  /** Whether this member takes part as the others think it does. */
  get memberState(): MemberState {
    if (this.quarantine !== null) return "quarantined";
    return this.loop.missing === null ? "sound" : "repairing";
  }

  get term(): number {
    return this.core.term;
  }

  status(): CoreStatus {
    return this.core.status();
  }

  /** Why this member only watches; null if it takes part. */
  get quarantine(): QuarantineEvidence | null {
    return this.core.quarantineEvidence;
  }

  /** What was lost and how far it has come back; null for a sound member. */
  get repair(): MemberRepairStatus | null {
    const { missing } = this.loop;
    const status = missing === null ? null : this.core.status().repair;
    return missing === null || status === null ? null : { ...missing, ...status };
  }

  metrics(): NodeMetrics {
    const { commit, applied, configuration } = this.core.status();
    const { proposals } = this.requests;
    return {
      memberState: this.memberState,
      repair: this.repair,
      hasLeader: this.leader !== 0,
      isLeader: this.isLeader,
      isLearner: configuration.learners.includes(this.options.id),
      leaderChanges: this.loop.leaderChanges,
      commit,
      applied,
      proposalsPending: proposals.count,
      proposalsFailed: proposals.failedCount,
      log: this.options.logStore.metrics(),
    };
  }

  inspect(): CoreInspection {
    return this.core;
  }

  /** Hands leadership on, fails what waits, finishes what the disk has under way, closes transport and log. */
  close(): Promise<void> {
    this.closing ??= this.stop();
    return this.closing;
  }

  private async stop(): Promise<void> {
    await this.handOver();
    this.loop.halt(stopped("maybe-applied"));
    await this.options.transport.close();
    await this.loop.idle();
    await this.options.logStore.close();
  }

  /** A leader whose disk hangs hands leadership on if it can, and goes on if it can't. */
  private relieve(): Promise<void> {
    return this.giveUpLeadership((target) => this.follow(this.core.transferLeadership(target), target));
  }

  /** Resolves when the end is known of what the core made of a wish to hand over. */
  private follow(outcome: TransferOutcome, target: NodeId): Promise<LeadershipTransferResult> {
    this.loop.schedule();
    return this.requests.transfer.follow(outcome, target, this.options.clock.monotonicMs());
  }

  private giveUpLeadership(handTo: (target: NodeId) => Promise<LeadershipTransferResult>): Promise<void> {
    this.handingOver ??= this.trySuccessors(handTo).finally(() => {
      this.handingOver = null;
    });
    return this.handingOver;
  }

  /** One after the other, as long as an election would take. */
  private async trySuccessors(handTo: (target: NodeId) => Promise<LeadershipTransferResult>): Promise<void> {
    const { clock, electionMs, heartbeatMs } = this.options;
    const deadlineMs = clock.monotonicMs() + electionMs;
    const tried = new Set<NodeId>();
    while (this.loop.state === "running" && this.core.role === "leader" && clock.monotonicMs() < deadlineMs) {
      const target = this.nextSuccessor(tried);
      if (target === null) return;
      tried.add(target);
      const { outcome } = await handTo(target);
      if (outcome === "done") return new Promise((resolve) => void clock.setTimer(heartbeatMs, resolve));
      this.declined.add(target);
    }
  }

  /** Those who did not take over when they were asked before come last. */
  private nextSuccessor(tried: ReadonlySet<NodeId>): NodeId | null {
    const status = this.core.status();
    const target = successorOf(status, new Set([...tried, ...this.declined]));
    if (target !== null) return target;
    this.declined.clear();
    return successorOf(status, tried);
  }

  /** Fails an operation that this member can't begin. */
  private refuses(completion: Completion<never>): boolean {
    const { state } = this.loop;
    if (state === "running") return false;
    completion.fail(state === "stopped" ? stopped("safe") : quarantinedError("safe"));
    return true;
  }
}

function stopped(retryable: Retryable): NodeError {
  return new NodeError("ERR_STOPPED", retryable, "This member is stopping");
}
