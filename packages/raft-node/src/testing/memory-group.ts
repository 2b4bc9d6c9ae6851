import { type Configuration, type InstallSnapshot, type LogEntry, type NodeId, type PeerMessage, votersOnly } from "@raftkv/raft-core";
import { bootstrapLog } from "../bootstrap.ts";
import type { RaftNodeOptions } from "../node-options.ts";
import type { PeerTransport, PeerTransportHandlers } from "../peer-transport.ts";
import { RaftNode } from "../raft-node.ts";
import type { StateMachine, StateSnapshot } from "../state-machine.ts";
import { ManualClock, type ManualTime } from "./manual-clock.ts";
import { MemoryLogStore } from "./memory-log-store.ts";
import { type LogLine, recordingLogger } from "./recording-logger.ts";

/** A state machine that remembers what it was told, in order. */
export class Journal implements StateMachine<string> {
  lines: string[] = [];
  /** How often it was let reclaim. */
  reclaimed = 0;
  /** Called for each command before it is applied. */
  onApply: (line: string) => void = () => {};
  prepare: (commands: readonly Uint8Array[]) => void = () => {};

  apply(_entry: LogEntry, data: Uint8Array, _number: number): string {
    const line = new TextDecoder().decode(data);
    this.onApply(line);
    this.lines.push(line);
    return line;
  }

  applyConfiguration(_entry: LogEntry, { voters, learners }: Configuration, context: Uint8Array): void {
    this.lines.push(`voters ${voters.join()} learners ${learners.join()} ${new TextDecoder().decode(context)}`.trimEnd());
  }

  reclaim(): void {
    this.reclaimed++;
  }

  snapshot(index: number): StateSnapshot {
    const bytes = new TextEncoder().encode(JSON.stringify(this.lines));
    return { index, chunks: () => only(bytes), close: () => {} };
  }

  async restore(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    let text = "";
    for await (const chunk of chunks) text += new TextDecoder().decode(chunk);
    this.lines = JSON.parse(text) as string[];
  }
}

export interface MemoryMember {
  readonly id: NodeId;
  readonly node: RaftNode<string>;
  readonly journal: Journal;
  readonly store: MemoryLogStore;
  readonly log: readonly LogLine[];
  /** What the node was told of the members, the newest last. */
  readonly configurations: readonly Configuration[];
  readonly failures: readonly Error[];
}

type NodeOptions = Partial<
  Pick<
    RaftNodeOptions<string>,
    "founders" | "leaseReads" | "priority" | "snapshotCount" | "catchUpEntries" | "catchUpBytes" | "requestTimeoutMs"
  >
>;

/** Carries messages through the group's wire. */
class MemoryTransport implements PeerTransport {
  handlers: PeerTransportHandlers | null = null;
  private readonly wire: PeerMessage[];
  private readonly carrySnapshot: (message: InstallSnapshot, chunks: AsyncIterable<Uint8Array>) => Promise<void>;
  private readonly isRunning: (peer: NodeId) => boolean;

  constructor(
    wire: PeerMessage[],
    carrySnapshot: (message: InstallSnapshot, chunks: AsyncIterable<Uint8Array>) => Promise<void>,
    isRunning: (peer: NodeId) => boolean,
  ) {
    this.wire = wire;
    this.carrySnapshot = carrySnapshot;
    this.isRunning = isRunning;
  }

  isConnected(peer: NodeId): boolean {
    return this.isRunning(peer);
  }

  start(handlers: PeerTransportHandlers): void {
    this.handlers = handlers;
  }

  send(messages: readonly PeerMessage[]): void {
    this.wire.push(...messages);
  }

  sendSnapshot(message: InstallSnapshot, _sizeBytes: number, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    return this.carrySnapshot(message, chunks);
  }

  close(): Promise<void> {
    this.handlers = null;
    return Promise.resolve();
  }
}

/** Whole nodes in one process, on one clock that only the test moves, with a wire that it can look at and cut. */
export class MemoryGroup {
  readonly time: ManualTime = { nowMs: 0 };
  readonly members = new Map<NodeId, MemoryMember>();
  /** Everything that was sent, in order. */
  readonly sent: PeerMessage[] = [];
  /** Messages for which it is false are lost. */
  isCarried: (message: PeerMessage) => boolean = () => true;
  /** They neither hear nor do anything. */
  readonly stopped = new Set<NodeId>();
  private readonly wire: PeerMessage[] = [];
  private readonly transports = new Map<NodeId, MemoryTransport>();
  private readonly clocks = new Map<NodeId, ManualClock>();
  private chance = 1;

  static async start(ids: readonly NodeId[], options: NodeOptions = {}): Promise<MemoryGroup> {
    const group = new MemoryGroup();
    for (const id of ids) await group.add(id, votersOnly(ids), options);
    return group;
  }

  /** A member whose log begins with this configuration. */
  async add(id: NodeId, founders: Configuration, options: NodeOptions = {}): Promise<MemoryMember> {
    const store = new MemoryLogStore(() => this.time.nowMs);
    await bootstrapLog(store, founders, new Journal());
    return this.run(id, store, options);
  }

  /** Closes this member and starts it again with what its store holds then. */
  async restart(id: NodeId, options: NodeOptions = {}, damage: (store: MemoryLogStore) => void = () => {}): Promise<MemoryMember> {
    const { node, store } = this.member(id);
    await this.whileTimePasses(node.close());
    damage(store);
    return this.run(id, store, options);
  }

  member(id: NodeId): MemoryMember {
    const member = this.members.get(id);
    if (member === undefined) throw new Error(`There is no member ${id}`);
    return member;
  }

  /** The member that leads the newest term. */
  get leader(): MemoryMember {
    const leaders = [...this.members.values()].filter(({ node, id }) => node.isLeader && !this.stopped.has(id));
    const newest = leaders.sort((a, b) => b.node.term - a.node.term)[0];
    if (newest === undefined) throw new Error("Nobody leads");
    return newest;
  }

  get followers(): readonly MemoryMember[] {
    const { leader } = this;
    return [...this.members.values()].filter((member) => member !== leader && !this.stopped.has(member.id));
  }

  /** Turns and messages until nobody has anything more to do at this moment. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; ) {
      for (let microtask = 0; microtask < 30; microtask++) await Promise.resolve();
      this.fireTimers();
      const isBusy = this.deliver() || this.endTurns();
      quiet = isBusy ? 0 : quiet + 1;
    }
  }

  /** Lets time pass in steps of `stepMs`. */
  async advance(durationMs: number, stepMs = 5): Promise<void> {
    const endMs = this.time.nowMs + durationMs;
    while (this.time.nowMs < endMs) {
      this.time.nowMs += Math.min(stepMs, endMs - this.time.nowMs);
      await this.settle();
    }
  }

  /** Lets time pass until somebody leads; milliseconds that it took. */
  async elect(withinMs = 5_000): Promise<number> {
    const startMs = this.time.nowMs;
    const hasLeader = (): boolean => [...this.members.values()].some(({ node, id }) => node.isLeader && !this.stopped.has(id));
    while (!hasLeader()) {
      if (this.time.nowMs - startMs > withinMs) throw new Error(`Nobody was elected within ${withinMs} ms`);
      await this.advance(5);
    }
    return this.time.nowMs - startMs;
  }

  /** Puts a message on the wire that nobody sent. */
  send(message: PeerMessage): void {
    this.wire.push(message);
  }

  /** The process of this member ends: its peers' connections to it are reset. */
  kill(id: NodeId): void {
    this.stopped.add(id);
    for (const [other, { handlers }] of this.transports) if (other !== id) handlers?.onPeerDown(id);
  }

  /** This member came with another store, and its peers refuse it. */
  loseStore(id: NodeId): void {
    for (const [other, { handlers }] of this.transports) if (other !== id) handlers?.onStoreLost(id);
  }

  async close(): Promise<void> {
    this.stopped.clear();
    for (const { store } of this.members.values()) store.release();
    await this.whileTimePasses(Promise.all([...this.members.values()].map(({ node }) => node.close())));
  }

  /** Time goes on until `work` is done. */
  private async whileTimePasses(work: Promise<unknown>): Promise<void> {
    let isDone = false;
    void work.then(() => {
      isDone = true;
    });
    while (!isDone) await this.advance(25);
  }

  private async run(id: NodeId, store: MemoryLogStore, options: NodeOptions): Promise<MemoryMember> {
    const journal = new Journal();
    const [log, configurations, failures]: [LogLine[], Configuration[], Error[]] = [[], [], []];
    const transport = new MemoryTransport(
      this.wire,
      (message, chunks) => this.carrySnapshot(message, chunks),
      (peer) => this.members.has(peer) && !this.stopped.has(peer),
    );
    const clock = new ManualClock(this.time);
    this.transports.set(id, transport);
    this.clocks.set(id, clock);
    const node = await RaftNode.start<string>({
      ...options,
      id,
      logStore: store,
      stateMachine: journal,
      transport,
      clock,
      random: { below: (limit) => this.draw(limit), bytes: (count) => Uint8Array.from({ length: count }, () => this.draw(256)) },
      logger: recordingLogger(log),
      onConfiguration: (configuration) => configurations.push(configuration),
      onFatal: (error) => failures.push(error),
    });
    const member = { id, node, journal, store, log, configurations, failures };
    this.members.set(id, member);
    return member;
  }

  private deliver(): boolean {
    const messages = this.wire.splice(0);
    this.sent.push(...messages);
    for (const message of messages) {
      if (this.stopped.has(message.to) || this.stopped.has(message.from) || !this.isCarried(message)) continue;
      this.transports.get(message.to)?.handlers?.onMessage(message);
    }
    return messages.length > 0;
  }

  private fireTimers(): void {
    for (const [id, clock] of this.clocks) if (!this.stopped.has(id)) clock.fireTimers();
  }

  private endTurns(): boolean {
    let isAny = false;
    for (const [id, clock] of this.clocks) if (!this.stopped.has(id) && clock.endTurn()) isAny = true;
    return isAny;
  }

  private async carrySnapshot(message: InstallSnapshot, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const handlers = this.transports.get(message.to)?.handlers;
    if (handlers === undefined || handlers === null || !this.isCarried(message)) throw new Error(`Member ${message.to} is out of reach`);
    await handlers.onSnapshot(message, chunks);
  }

  /** The same in every run. */
  private draw(limit: number): number {
    this.chance = (this.chance * 48_271) % 2_147_483_647;
    return this.chance % limit;
  }
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
