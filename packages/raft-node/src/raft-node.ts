import {
  type AppendJob,
  type ApplyJob,
  type CoreStatus,
  type InstallSnapshot,
  type NodeId,
  type PeerMessage,
  RaftCore,
  type SnapshotMeta,
  type SoftState,
  type StepRejection,
} from "@raftkv/raft-core";
import { commandOf } from "./entry-envelope.ts";
import type { LogStore } from "./log-store.ts";
import { type Completion, NodeError, promised, type Retryable } from "./node-error.ts";
import type { PeerTransport } from "./peer-transport.ts";
import type { Clock, Logger, Random, Timer } from "./ports.ts";
import { Proposals } from "./proposals.ts";
import { Reads } from "./reads.ts";
import { SnapshotExchange } from "./snapshot-exchange.ts";
import type { StateMachine } from "./state-machine.ts";
import { StorageQueue } from "./storage-queue.ts";

export interface RaftNodeOptions<Result> {
  readonly id: NodeId;
  /** Opened, and not empty (see `bootstrapLog`); the node closes it. */
  readonly logStore: LogStore;
  readonly stateMachine: StateMachine<Result>;
  /** Not yet started; the node starts and closes it. */
  readonly transport: PeerTransport;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Length of a tick and of the pause between heartbeats. Default 100. */
  readonly heartbeatMs?: number;
  /** Time-outs are drawn from [electionMs, 2 * electionMs). At least five heartbeats. Default 1000. */
  readonly electionMs?: number;
  /** Applied entries after which a snapshot is taken. Default 100,000. */
  readonly snapshotCount?: number;
  /** Entries kept behind a snapshot for followers that are a little late. Default 5,000. */
  readonly catchUpEntries?: number;
  /** How long a proposal or a read may take. Default 5 s and two election time-outs, as etcd. */
  readonly requestTimeoutMs?: number;
  /** Proposals, and as many reads, that may wait at once; more fail with `ERR_OVERLOADED`. Default 65,536. */
  readonly requestsMax?: number;
  /** Bytes of proposals that may wait at once; more fail with `ERR_OVERLOADED`. Default 256 MiB. */
  readonly requestBytesMax?: number;
  /** Role or leader changed. */
  readonly onRoleChange?: (state: SoftState) => void;
  /** The node can't go on: its storage or its state machine failed. It has stopped acknowledging; the process should end. */
  readonly onFatal: (error: Error) => void;
}

/**
 * One member of a Raft group: a core, its log, its state machine, its peers. Input that arrives in an event-loop turn is only
 * collected; at the end of the turn it goes through the core together:
 *
 *     messages, proposals, reads, storage done ──► turn: step*, propose, readIndex ──► ready
 *        ready.messages ──► transport, at once
 *        ready.append   ──► log store ──durable──► messages of the job, appended()
 *        ready.apply    ──► state machine, answers to callers, applied()
 *        ready.reads    ──► wait for applied, then answers
 */
export class RaftNode<Result> {
  private readonly core: RaftCore;
  private readonly logStore: LogStore;
  private readonly stateMachine: StateMachine<Result>;
  private readonly transport: PeerTransport;
  private readonly clock: Clock;
  private readonly logger: Logger;
  private readonly heartbeatMs: number;
  private readonly onRoleChange: (state: SoftState) => void;
  private readonly onFatal: (error: Error) => void;
  private readonly proposals: Proposals<Result>;
  private readonly reads: Reads;
  private readonly storage: StorageQueue;
  private readonly snapshots: SnapshotExchange<Result>;
  private readonly runTurn = (): void => this.turn();
  private readonly askCore = (requestId: number): void => this.core.readIndex(requestId);
  private readonly proposeToCore = (entries: readonly Uint8Array[]): ReturnType<RaftCore["propose"]> => this.core.propose(entries);
  private inbox: PeerMessage[] = [];
  private unreachable: NodeId[] = [];
  private turnScheduled = false;
  private tickTimer: Timer | null = null;
  private ticksDue = 0;
  /** What peers sent since the last tick and could not truthfully say: how much of it, and the last of it. */
  private refused: { readonly count: number; readonly type: string; readonly from: NodeId; readonly reason: StepRejection } | null = null;
  private softState: SoftState = { role: "follower", leader: 0 };
  private state: "running" | "stopped" = "running";
  private closing: Promise<void> | null = null;

  /** Restores the state machine and starts. Rejects if the newest snapshot can't be read. */
  static async start<Result>(options: RaftNodeOptions<Result>): Promise<RaftNode<Result>> {
    const snapshot = await options.logStore.readSnapshot();
    if (snapshot === null) throw new Error("The log store is empty: a new member begins with bootstrapLog or with a leader's snapshot");
    try {
      await options.stateMachine.restore(snapshot.chunks());
    } finally {
      await snapshot.close();
    }
    return new RaftNode(options, snapshot.meta);
  }

  private constructor(options: RaftNodeOptions<Result>, snapshot: SnapshotMeta) {
    const heartbeatMs = options.heartbeatMs ?? 100;
    const electionMs = options.electionMs ?? 1000;
    if (electionMs < 5 * heartbeatMs) {
      throw new RangeError(`Election time-out ${electionMs} ms is less than five heartbeats of ${heartbeatMs} ms`);
    }
    const { recovered } = options.logStore;
    this.core = new RaftCore(
      { id: options.id, heartbeatTicks: 1, electionTicks: Math.ceil(electionMs / heartbeatMs) },
      { hardState: recovered.hardState, snapshot, entries: recovered.entries, configuration: snapshot.configuration },
      options.random,
    );
    this.logStore = options.logStore;
    this.stateMachine = options.stateMachine;
    this.transport = options.transport;
    this.clock = options.clock;
    this.logger = options.logger;
    this.heartbeatMs = heartbeatMs;
    this.onRoleChange = options.onRoleChange ?? (() => {});
    this.onFatal = options.onFatal;
    const limits = {
      countMax: options.requestsMax ?? 65_536,
      timeoutMs: options.requestTimeoutMs ?? 5000 + 2 * electionMs,
      onCompletionError: (error: unknown) => this.logger.error("an answer could not be given", { error }),
    };
    this.proposals = new Proposals({ ...limits, random: options.random, bytesMax: options.requestBytesMax ?? 256 * 1024 * 1024 });
    this.reads = new Reads(limits);
    this.storage = new StorageQueue({
      logStore: this.logStore,
      restore: (meta) => this.snapshots.restoreInstalled(meta),
      onDone: () => this.schedule(),
      onFailure: (error) => this.fail(error),
    });
    this.snapshots = new SnapshotExchange({
      core: this.core,
      logStore: this.logStore,
      stateMachine: this.stateMachine,
      transport: this.transport,
      logger: this.logger,
      snapshotCount: options.snapshotCount ?? 100_000,
      catchUpEntries: options.catchUpEntries ?? 5_000,
      onProgress: () => this.schedule(),
      onFailure: (error) => this.fail(error),
    });
    this.transport.start({
      onMessage: (message) => this.receive(message),
      onSnapshot: (message, chunks) => this.receiveSnapshot(message, chunks),
      onUnreachable: (peer) => this.peerUnreachable(peer),
    });
    this.armTick();
    this.schedule();
  }

  /** Replicates a command. It is copied; the caller may use its buffer again at once. */
  submit(command: Uint8Array, completion: Completion<Result>): void {
    if (this.state !== "running") {
      completion.fail(stopped("safe"));
      return;
    }
    this.proposals.add(command, this.clock.monotonicMs(), completion);
    this.schedule();
  }

  /** As `submit`, for callers that are not on the hot path. Rejects with a NodeError. */
  propose(command: Uint8Array): Promise<Result> {
    return promised((completion) => this.submit(command, completion));
  }

  /** Succeeds when the state machine has applied everything that was committed when this was called, on any member. */
  read(completion: Completion<number>): void {
    if (this.state !== "running") {
      completion.fail(stopped("safe"));
      return;
    }
    this.reads.add(this.clock.monotonicMs(), completion);
    this.schedule();
  }

  /** As `read`, for callers that are not on the hot path. Rejects with a NodeError. */
  readBarrier(): Promise<number> {
    return promised((completion) => this.read(completion));
  }

  /** The member that leads as far as this one knows, 0 for nobody. */
  get leader(): NodeId {
    return this.softState.leader;
  }

  get isLeader(): boolean {
    return this.softState.role === "leader";
  }

  get term(): number {
    return this.core.term;
  }

  status(): CoreStatus {
    return this.core.status();
  }

  /** Fails what waits, finishes what the disk has under way, closes transport and log. */
  close(): Promise<void> {
    this.closing ??= this.stop();
    return this.closing;
  }

  private async stop(): Promise<void> {
    this.halt(stopped("maybe-applied"));
    await this.transport.close();
    await this.snapshots.close();
    await this.storage.idle();
    await this.logStore.close();
  }

  private receive(message: PeerMessage): void {
    if (this.state !== "running") return;
    this.inbox.push(message);
    this.schedule();
  }

  private async receiveSnapshot(message: InstallSnapshot, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    if (this.state !== "running") throw stopped("safe");
    await this.snapshots.receive(message, chunks);
    this.receive(message);
  }

  private peerUnreachable(peer: NodeId): void {
    if (this.state !== "running") return;
    this.unreachable.push(peer);
    this.schedule();
  }

  private armTick(): void {
    this.tickTimer = this.clock.setTimer(this.heartbeatMs, () => {
      this.ticksDue++;
      this.armTick();
      this.schedule();
    });
  }

  private schedule(): void {
    if (this.turnScheduled || this.state !== "running") return;
    this.turnScheduled = true;
    this.clock.atEndOfTurn(this.runTurn);
  }

  private turn(): void {
    this.turnScheduled = false;
    if (this.state !== "running") return;
    try {
      this.takeInput();
      this.actOnReady();
      this.snapshots.afterTurn();
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  private takeInput(): void {
    const { inbox, unreachable } = this;
    if (inbox.length > 0) {
      this.inbox = [];
      for (const message of inbox) {
        const reason = this.core.step(message);
        if (reason !== null) this.refused = { count: (this.refused?.count ?? 0) + 1, type: message.type, from: message.from, reason };
      }
    }
    if (unreachable.length > 0) {
      this.unreachable = [];
      for (const peer of unreachable) this.core.reportUnreachable(peer);
    }
    this.storage.takeDone((job) => this.appended(job));
    if (this.ticksDue > 0) this.tick();
    this.proposals.offer(this.proposeToCore);
    this.reads.ask(this.askCore);
  }

  private tick(): void {
    const nowMs = this.clock.monotonicMs();
    for (; this.ticksDue > 0; this.ticksDue--) this.core.tick();
    if (this.refused !== null) this.logger.warn("refused messages of a peer", this.refused);
    this.refused = null;
    this.proposals.expire(nowMs);
    this.reads.tick(nowMs, this.askCore);
  }

  private actOnReady(): void {
    for (let ready = this.core.ready(); ready !== undefined; ready = this.core.ready()) {
      if (ready.softState !== null) this.changeRole(ready.softState);
      this.send(ready.messages);
      if (ready.append !== null) {
        if (ready.append.snapshot !== null) this.snapshots.accepted(ready.append.snapshot);
        this.storage.add(ready.append);
        this.storage.takeDone((job) => this.appended(job));
      }
      if (ready.apply !== null) this.apply(ready.apply);
      for (const read of ready.reads) this.reads.answered(read, this.core.appliedIndex);
      // A leader that was just elected, or a follower that just heard of one, takes what waited for it.
      if (ready.softState !== null && ready.softState.leader !== 0) this.proposals.offer(this.proposeToCore);
    }
  }

  private changeRole(state: SoftState): void {
    const wasLeader = this.softState.role === "leader";
    this.softState = state;
    if (wasLeader && state.role !== "leader") this.proposals.leadershipLost();
    this.onRoleChange(state);
  }

  private send(messages: readonly PeerMessage[]): void {
    if (messages.length === 0) return;
    const others: PeerMessage[] = [];
    for (const message of messages) {
      if (message.type === "installSnapshot") this.snapshots.send(message);
      else others.push(message);
    }
    if (others.length > 0) this.transport.send(others);
  }

  private appended(job: AppendJob): void {
    this.send(job.messages);
    this.core.appended(job);
    if (job.snapshot !== null) {
      this.proposals.settleOrphansBySnapshot(job.snapshot.index);
      this.reads.applied(this.core.appliedIndex);
    }
  }

  private apply(job: ApplyJob): void {
    for (const entry of job.entries) {
      if (entry.kind !== "command") continue;
      const result = this.stateMachine.apply(entry, commandOf(entry.data));
      this.proposals.applied(entry.data, result);
    }
    this.core.applied(job);
    const last = job.entries.at(-1);
    if (last === undefined) return;
    this.proposals.settleOrphans(last.index);
    this.reads.applied(last.index);
    this.snapshots.applied(last);
  }

  private fail(error: Error): void {
    if (this.state !== "running") return;
    this.halt(new NodeError("ERR_FAILED", "maybe-applied", `This member stopped: ${error.message}`, { cause: error }));
    this.logger.error("member stopped", { error });
    this.onFatal(error);
  }

  private halt(reason: NodeError): void {
    this.state = "stopped";
    this.tickTimer?.cancel();
    this.proposals.failAll(reason);
    this.reads.failAll(reason);
  }
}

function stopped(retryable: Retryable): NodeError {
  return new NodeError("ERR_STOPPED", retryable, "This member is stopping");
}
