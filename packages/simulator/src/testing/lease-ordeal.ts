import type { Ports } from "@raftkv/raft-node";
import { RpcError } from "@raftkv/raft-rpc";
import { applyFault, type ClusterFault, drawFault } from "../cluster/cluster-fault.ts";
import { SimulatedCluster } from "../cluster/simulated-cluster.ts";
import { clientsOf, grant, hasKey, keepAlive, type MemberClient, put } from "./lease-client.ts";

/** The least that a lease gets at an election time-out of a second. */
const ttlSeconds = 2;
/** From the last renewal until all leases are gone: the time of a lease, that of an election, and four looks of the leader. */
const endMs = 1_000 * ttlSeconds + 1_000 + 4 * 500;
/** Between two looks of a holder, at most. */
const lookMs = 400;

/** A lease whose key must be there at least until `guaranteedMs`. */
interface WatchedLease {
  readonly id: bigint;
  readonly key: string;
  guaranteedMs: number;
  /** Then it is left to run out. */
  renewalsLeft: number;
  isLost: boolean;
}

/** Grants leases, one after the other, keeps each alive for a while through any member, and looks whether its key is there while it must be. */
class LeaseHolder {
  readonly leases: WatchedLease[] = [];
  readonly early: string[] = [];
  renewals = 0;
  isStopping = false;
  private readonly name: string;
  private readonly ports: Ports;
  private readonly clients: readonly MemberClient[];

  constructor(name: string, ports: Ports, clients: readonly MemberClient[]) {
    this.name = name;
    this.ports = ports;
    this.clients = clients;
  }

  async run(): Promise<void> {
    while (!this.isStopping) {
      const lease = this.leases.at(-1);
      if (lease === undefined || lease.isLost) await this.attempt((client) => this.begin(client));
      else await this.attempt((client) => this.renewAndLook(client, lease));
      await new Promise<void>((resolve) => void this.ports.clock.setTimer(50 + this.ports.random.below(lookMs), resolve));
    }
  }

  private async begin(client: MemberClient): Promise<void> {
    const askedMs = this.nowMs;
    const id = await grant(client, ttlSeconds, 1_000);
    const key = `${this.name}-${this.leases.length}`;
    const guaranteedMs = askedMs + 1_000 * ttlSeconds;
    const lease = { id, key, guaranteedMs, renewalsLeft: this.ports.random.below(8), isLost: false };
    this.leases.push(lease);
    await put(client, lease.key, id, 1_000).catch((error: unknown) => {
      lease.isLost = true;
      throw error;
    });
  }

  private async renewAndLook(client: MemberClient, lease: WatchedLease): Promise<void> {
    if (lease.renewalsLeft > 0) {
      lease.renewalsLeft--;
      const askedMs = this.nowMs;
      const ttl = await keepAlive(client, lease.id, 1_000);
      if (ttl > 0) lease.guaranteedMs = Math.max(lease.guaranteedMs, askedMs + 1_000 * ttlSeconds);
      else this.lost(lease, "was said to be gone");
      this.renewals++;
    } else if (!(await hasKey(client, lease.key))) {
      this.lost(lease, "had lost its key");
    }
  }

  private lost(lease: WatchedLease, how: string): void {
    lease.isLost = true;
    if (this.nowMs < lease.guaranteedMs) this.early.push(`${lease.key} ${how} ${lease.guaranteedMs - this.nowMs} ms too early`);
  }

  private async attempt(work: (client: MemberClient) => Promise<void>): Promise<void> {
    const client = this.clients[this.ports.random.below(this.clients.length)];
    if (client === undefined) return;
    await work(client).catch((reason: unknown) => {
      if (!(reason instanceof RpcError)) throw reason;
    });
  }

  private get nowMs(): number {
    return this.ports.clock.monotonicMs();
  }
}

export interface LeaseOutcome {
  /** How leases ended before their time. */
  readonly early: readonly string[];
  readonly renewals: number;
  readonly leases: number;
  readonly faults: readonly ClusterFault[];
  /** Leases that are left on each member at the end. */
  readonly left: readonly number[];
}

/** Holders of leases under random faults, then peace until all leases are over. */
export async function leaseOrdeal(seed: number, faultsTotal: number): Promise<LeaseOutcome> {
  const cluster = new SimulatedCluster({ seed, flags: ["--snapshot-count=100"] });
  const { simulation } = cluster;
  await simulation.drive(() => cluster.startAll());
  const ports = simulation.addNode("client").start();
  const clients = clientsOf(cluster, ports);
  const holders = ["a", "b", "c"].map((name) => new LeaseHolder(name, ports, clients));
  const holding = holders.map((holder) => holder.run());
  await simulation.runFor(3_000);

  const random = simulation.random("faults");
  const names = cluster.nodes.map(({ name }) => name);
  const faults = Array.from({ length: faultsTotal }, () => drawFault(random, names));
  for (const fault of faults) {
    applyFault(cluster, fault);
    await simulation.runFor(random.between(100, 3_000));
  }
  applyFault(cluster, { kind: "heal" });
  applyFault(cluster, { kind: "startAll" });
  await simulation.runFor(5_000);
  for (const holder of holders) holder.isStopping = true;
  await simulation.drive(() => Promise.all(holding), { withinMs: 20_000 });
  await simulation.runFor(endMs);
  const left = cluster.nodes.map((node) => cluster.memberOn(node)?.context.state.store.leases.count ?? -1);
  return {
    early: holders.flatMap((holder) => holder.early),
    renewals: sum(holders.map((holder) => holder.renewals)),
    leases: sum(holders.map((holder) => holder.leases.length)),
    faults,
    left,
  };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
