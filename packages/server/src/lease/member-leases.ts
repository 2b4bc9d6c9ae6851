import { v3electionpb, v3lockpb } from "@raftkv/api";
import type { WatchHub } from "@raftkv/kvstore";
import type { Clock, RaftNode, Random } from "@raftkv/raft-node";
import type { Dispatcher } from "@raftkv/raft-rpc";
import type { MemberStores } from "../cluster/member-stores.ts";
import { LeaseCallService } from "../peer/lease-call-service.ts";
import { LeaseForwarder } from "../peer/lease-forwarder.ts";
import type { PeerIdentity } from "../peer/peer-identity.ts";
import type { PeerNetwork } from "../peer/peer-network.ts";
import { electionService } from "../services/etcd/election-service.ts";
import { LeaseService } from "../services/etcd/lease-service.ts";
import { LockQueue } from "../services/etcd/lock-queue.ts";
import { lockService } from "../services/etcd/lock-service.ts";
import type { ServiceContext } from "../services/service-context.ts";
import type { ApplyResult } from "../state/apply-result.ts";
import type { ReplicatedState } from "../state/replicated-state.ts";
import type { LeaderLoss } from "../watch/leader-loss.ts";
import type { LeaseCounts } from "./lease-counts.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { LeaseRouter } from "./lease-router.ts";

/** Questions of clients about leases that may wait at one member, as many as reads. */
const questionsMax = 65_536;

export interface MemberLeasesOptions {
  readonly node: RaftNode<ApplyResult>;
  readonly state: ReplicatedState;
  readonly self: PeerIdentity;
  readonly stores: MemberStores;
  readonly peers: PeerNetwork;
  readonly clock: Clock;
  readonly electionMs: number;
}

export interface LeaseCallsOptions {
  readonly context: ServiceContext;
  readonly hub: WatchHub;
  readonly leaderLoss: LeaderLoss;
  readonly random: Random;
  readonly leasesMax: number;
}

/**
 * All about leases, and the locks and elections that are made of them, at one member: it keeps them while it leads, asks the leader while
 * it does not, and answers those who ask it.
 *
 *     LeaseService ─► LeaseRouter ──leads──► LeaseKeeper ◄── LeaseCallService ◄── another member
 *                          └──follows──► LeaseForwarder ──► the leader
 */
export class MemberLeases {
  private readonly keeper: LeaseKeeper;
  private readonly router: LeaseRouter;
  private readonly forwarder: LeaseForwarder;
  private readonly peerCalls: LeaseCallService;
  private readonly electionMs: number;
  private service: LeaseService | null = null;
  private queue: LockQueue | null = null;

  constructor({ node, state, self, stores, peers, clock, electionMs }: MemberLeasesOptions) {
    const keeper = new LeaseKeeper({ node, store: state.store, clock, electionMs });
    state.observe({ leaseChanged: (id) => keeper.changed(id) });
    this.keeper = keeper;
    this.electionMs = electionMs;
    this.forwarder = new LeaseForwarder({
      self,
      directory: state.directory,
      clock,
      openChannel: (member) => peers.openChannel(member),
      timeoutMs: electionMs,
    });
    // As long as other requests may take.
    const timeoutMs = 5_000 + 2 * electionMs;
    this.router = new LeaseRouter({ node, keeper, remote: this.forwarder, clock, timeoutMs, countMax: questionsMax });
    this.peerCalls = new LeaseCallService({ self, stores, keeper, clock });
  }

  get counts(): Readonly<LeaseCounts> {
    return this.keeper.counts;
  }

  /** This member leads now, or does not any more. */
  roleChanged(): void {
    this.keeper.roleChanged();
  }

  /** Adds what other members call. */
  registerForPeers(dispatcher: Dispatcher): void {
    this.peerCalls.register(dispatcher);
  }

  /** Adds what clients call. */
  registerForClients(dispatcher: Dispatcher, { context, hub, leaderLoss, random, leasesMax }: LeaseCallsOptions): void {
    const { keeper, router, electionMs } = this;
    this.service = new LeaseService({ context, keeper, router, random, electionMs, leasesMax, leaderLoss });
    this.service.register(dispatcher);
    this.queue = new LockQueue({ context, hub, leases: this.service });
    dispatcher.add(v3lockpb.lockService, lockService(context, this.queue));
    dispatcher.add(v3electionpb.electionService, electionService({ context, queue: this.queue, hub, leaderLoss }));
  }

  /** Ends the calls of clients that would go on for long. */
  endCalls(): void {
    this.service?.close();
    this.queue?.close();
  }

  async close(): Promise<void> {
    this.router.close();
    this.keeper.stop();
    await this.forwarder.close();
  }
}
