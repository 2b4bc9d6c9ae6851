import { create, raftkvPeerV1, type SnapshotFrame } from "@raftkv/api";
import type { InstallSnapshot, NodeId, PeerMessage } from "@raftkv/raft-core";
import {
  type Clock,
  type Connection,
  type Logger,
  messageLanes,
  type Network,
  NetworkError,
  type PeerTransport,
  type PeerTransportHandlers,
  type Random,
} from "@raftkv/raft-node";
import { Channel, createClient, type Dispatcher, type RpcLimits } from "@raftkv/raft-rpc";
import { idText, nodeIdOf } from "../cluster/identity.ts";
import type { Member, MemberDirectory } from "../cluster/member-directory.ts";
import type { MemberStores } from "../cluster/member-stores.ts";
import { parseMemberUrl } from "../config/member-url.ts";
import { HeartbeatPunctuality } from "./heartbeat-punctuality.ts";
import { IncomingExchange } from "./incoming-exchange.ts";
import { receiveSnapshot } from "./incoming-snapshot.ts";
import { helloTo, type PeerIdentity } from "./peer-identity.ts";
import { PeerLanes } from "./peer-lanes.ts";
import { type PeerTraffic, PeerTrafficTable } from "./peer-traffic.ts";

const MEBIBYTE = 1024 * 1024;
const connectTimeoutMs = 1_000;
/** A whole snapshot: long enough for gigabytes on a slow disk, short enough to end. */
const snapshotTimeoutMs = 10 * 60 * 1000;

/** Shorter election time-outs than this don't make members less patient: a process may well be busy for so long. */
const patienceMsMin = 1_000;

/** Members trust each other with more than clients: a batch of entries is one message, and each chooses how often it pings. */
export const peerLimits: Partial<RpcLimits> = {
  messageBytesMax: 32 * MEBIBYTE,
  streamWindowBytes: 8 * MEBIBYTE,
  connectionWindowBytes: 16 * MEBIBYTE,
  streamQueueBytesMax: 64 * MEBIBYTE,
  connectionQueueBytesMax: 128 * MEBIBYTE,
  frameBytesMax: 256 * 1024,
  pingIntervalMinMs: 1,
};

/** Between this member and another one. */
export interface PeerFigures {
  readonly id: bigint;
  readonly isConnected: boolean;
  readonly traffic: Readonly<PeerTraffic>;
}

export interface PeerNetworkOptions {
  readonly self: PeerIdentity;
  readonly directory: MemberDirectory;
  readonly stores: MemberStores;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** A peer that is silent for a few of these is connected anew. */
  readonly electionMs: number;
  readonly heartbeatMs: number;
}

/**
 * The members' own gRPC service as Raft's transport. Each member opens two streams to each peer for its messages, on a connection each;
 * what peers send comes in on theirs. A snapshot has a connection of its own, so that it delays nothing.
 *
 *     this member ── urgent ──►  a peer  ── urgent ──►  this member
 *                 ── bulk ────►          ── bulk ────►
 *                 ── snapshot ►          ── snapshot ►
 */
export class PeerNetwork implements PeerTransport {
  private readonly options: PeerNetworkOptions;
  /** How long a peer may be silent before it is asked whether it is there. */
  private readonly patienceMs: number;
  private readonly peers = new Map<NodeId, PeerLanes>();
  private readonly traffic = new PeerTrafficTable();
  private readonly punctuality: HeartbeatPunctuality;
  private readonly snapshotChannels = new Set<Channel>();
  private handlers: PeerTransportHandlers | null = null;

  constructor(options: PeerNetworkOptions) {
    this.options = options;
    this.patienceMs = Math.max(patienceMsMin, options.electionMs);
    this.punctuality = new HeartbeatPunctuality(options.clock, options.heartbeatMs);
  }

  /** Adds the service that peers call. */
  register(dispatcher: Dispatcher): void {
    const { self, stores, logger } = this.options;
    dispatcher.addStream("/raftkv.peer.v1.RaftPeer/Exchange", (call) => {
      new IncomingExchange(call, { self, stores, handlers: this.started(), traffic: this.traffic, logger });
    });
    const { exchange: _byStream, ...methods } = raftkvPeerV1.raftPeerService.methods;
    dispatcher.add(
      { ...raftkvPeerV1.raftPeerService, methods },
      {
        probe: () => create(raftkvPeerV1.ProbeAnswerSchema),
        installSnapshot: async (frames) => {
          const index = await receiveSnapshot(frames, { self, stores, handlers: this.started() });
          return create(raftkvPeerV1.InstallSnapshotResultSchema, { index: BigInt(index) });
        },
      },
    );
  }

  start(handlers: PeerTransportHandlers): void {
    this.handlers = handlers;
    for (const member of this.options.directory.members) {
      if (member.id !== this.options.self.memberId) this.peers.set(nodeIdOf(member.id), this.openLanes(member, handlers));
    }
  }

  /** How it stands with each other member. */
  get figures(): readonly PeerFigures[] {
    const others = this.options.directory.members.filter(({ id }) => id !== this.options.self.memberId);
    return others.map(({ id }) => ({ id, isConnected: this.isConnected(nodeIdOf(id)), traffic: this.traffic.of(id) }));
  }

  /** Heartbeats that left later than they should have, to any member. */
  get lateHeartbeats(): number {
    return this.punctuality.lateCount;
  }

  isConnected(peer: NodeId): boolean {
    return this.peers.get(peer)?.isUp ?? false;
  }

  send(messages: readonly PeerMessage[]): void {
    for (const message of messages) {
      if (message.type === "heartbeat") this.punctuality.sent(message);
      this.peers.get(message.to)?.add(message);
    }
    for (const lane of messageLanes) for (const peer of this.peers.values()) peer.flush(lane);
  }

  async sendSnapshot(message: InstallSnapshot, sizeBytes: number, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const member = this.options.directory.byNodeId(message.to);
    if (member === undefined) throw new Error(`There is no member with the id ${message.to}`);
    // Nothing comes back on a snapshot's stream that would tell who takes it.
    if (!this.isConnected(message.to)) throw new Error(`Member ${idText(member.id)} is not connected`);
    const channel = this.channelTo(member, peerLimits);
    this.snapshotChannels.add(channel);
    try {
      const client = createClient(raftkvPeerV1.raftPeerService, channel);
      await client.installSnapshot(this.snapshotFrames(member, message, sizeBytes, chunks), {
        timeoutMs: snapshotTimeoutMs,
        failFast: true,
      });
    } finally {
      this.snapshotChannels.delete(channel);
      await channel.close();
    }
  }

  /** A connection of its own to a member, made when a call needs it. The caller closes it. */
  openChannel(member: Member): Channel {
    return this.channelTo(member, this.laneLimits());
  }

  async close(): Promise<void> {
    await Promise.all([...this.peers.values(), ...this.snapshotChannels].map((open) => open.close()));
  }

  private started(): PeerTransportHandlers {
    if (this.handlers === null) throw new Error("A peer called before the transport was started");
    return this.handlers;
  }

  private openLanes(member: Member, handlers: PeerTransportHandlers): PeerLanes {
    const { self, stores, clock, logger } = this.options;
    const nodeId = nodeIdOf(member.id);
    return new PeerLanes({
      self,
      peerId: member.id,
      stores,
      traffic: this.traffic.of(member.id),
      clock,
      logger,
      greetingMs: 2 * this.patienceMs,
      openChannel: () => this.openChannel(member),
      onUnreachable: () => handlers.onUnreachable(nodeId),
      onDown: () => handlers.onPeerDown(nodeId),
      onStoreLost: (lost) => handlers.onStoreLost(nodeIdOf(lost)),
    });
  }

  /**
   * A machine that lost its power resets nothing, and a lane hears nothing of its peer but the Hello: without pings it would wait for ever.
   * The answer has several times as long as the silence before it, for it may come behind megabytes on a slow line.
   */
  private laneLimits(): Partial<RpcLimits> {
    return { ...peerLimits, keepaliveMs: this.patienceMs, keepaliveTimeoutMs: 3 * this.patienceMs };
  }

  private channelTo(member: Member, limits: Partial<RpcLimits>): Channel {
    const { clock, random, logger } = this.options;
    return new Channel({
      connect: () => this.connectTo(member),
      authority: member.peerUrls[0]?.replace(/^http:\/\//, "") ?? member.name,
      clock,
      random,
      limits,
      backOff: { initialMs: 50, maxMs: 500 },
      onHandlerError: (path, error) => logger.error("a handler failed", { path, error }),
    });
  }

  /** Tries a member's URLs in turn. */
  private async connectTo(member: Member): Promise<Connection> {
    let failure: unknown = new NetworkError("io", "The member has no peer URL");
    for (const url of member.peerUrls) {
      try {
        return await this.options.network.connect(parseMemberUrl(url, "peer URL"), connectTimeoutMs);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  private async *snapshotFrames(
    member: Member,
    message: InstallSnapshot,
    sizeBytes: number,
    chunks: AsyncIterable<Uint8Array>,
  ): AsyncIterable<SnapshotFrame> {
    yield { type: "hello", hello: helloTo(this.options.self, member.id, "snapshot") };
    yield { type: "message", message, sizeBytes };
    for await (const chunk of chunks) yield { type: "chunk", chunk };
  }
}
