import type { Clock, RaftNode } from "@raftkv/raft-node";
import type { Dispatcher } from "@raftkv/raft-rpc";
import type { MemberStores } from "../cluster/member-stores.ts";
import { LeaseCallService } from "../peer/lease-call-service.ts";
import { LeaseForwarder } from "../peer/lease-forwarder.ts";
import type { PeerIdentity } from "../peer/peer-identity.ts";
import type { PeerNetwork } from "../peer/peer-network.ts";
import type { ApplyResult } from "../state/apply-result.ts";
import type { ReplicatedState } from "../state/replicated-state.ts";
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

/**
 * All about leases at one member: it keeps them while it leads, asks the leader while it does not, and answers those who ask it.
 *
 *     LeaseService ─► LeaseRouter ──leads──► LeaseKeeper ◄── LeaseCallService ◄── another member
 *                          └──follows──► LeaseForwarder ──► the leader
 */
export class MemberLeases {
  readonly keeper: LeaseKeeper;
  readonly router: LeaseRouter;
  private readonly forwarder: LeaseForwarder;
  private readonly calls: LeaseCallService;

  constructor({ node, state, self, stores, peers, clock, electionMs }: MemberLeasesOptions) {
    const keeper = new LeaseKeeper({ node, store: state.store, clock, electionMs });
    state.observe({ leaseChanged: (id) => keeper.changed(id) });
    this.keeper = keeper;
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
    this.calls = new LeaseCallService({ self, stores, keeper });
  }

  /** Adds what other members call. */
  register(peerDispatcher: Dispatcher): void {
    this.calls.register(peerDispatcher);
  }

  async close(): Promise<void> {
    this.router.close();
    this.keeper.stop();
    await this.forwarder.close();
  }
}
