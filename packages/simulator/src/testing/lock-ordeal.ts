import type { Ports } from "@raftkv/raft-node";
import { RpcError } from "@raftkv/raft-rpc";
import { applyFault, type ClusterFault, drawFault } from "../cluster/cluster-fault.ts";
import { SimulatedCluster } from "../cluster/simulated-cluster.ts";
import { grant, keepAlive } from "./lease-client.ts";
import { type LockClient, lock, lockClientsOf, unlock } from "./lock-client.ts";

const ttlSeconds = 3;
const callMs = 1_500;
/** An owner keeps the lock for so long at most. */
const holdMs = 1_000;

/** Who owns the lock, as far as its lease is known to live. */
interface Ownership {
  readonly who: string;
  guaranteedMs: number;
}

export interface LockOutcome {
  /** When a lock was given although its owner could still rely on it. */
  readonly overlaps: readonly string[];
  /** How often the lock was given. */
  readonly owners: number;
  readonly faults: readonly ClusterFault[];
}

/** Everybody who wants the lock, and what they see of each other. */
class LockRivals {
  readonly overlaps: string[] = [];
  owners = 0;
  isStopping = false;
  private owner: Ownership | null = null;
  private readonly ports: Ports;
  private readonly clients: readonly LockClient[];

  constructor(ports: Ports, clients: readonly LockClient[]) {
    this.ports = ports;
    this.clients = clients;
  }

  /** Takes the lock again and again, for a moment each time. What fails is tried anew, with a lease of its own. */
  async rival(who: string): Promise<void> {
    while (!this.isStopping) {
      await this.takeTurn(who).catch((reason: unknown) => {
        if (!(reason instanceof RpcError)) throw reason;
      });
      await this.pause(200);
    }
  }

  private async takeTurn(who: string): Promise<void> {
    const askedMs = this.nowMs;
    const lease = await grant(this.anyone, ttlSeconds, callMs);
    const ownership = { who, guaranteedMs: askedMs + 1_000 * ttlSeconds };
    const key = await lock(this.anyone, "mutex", lease, { timeoutMs: callMs });
    if (this.nowMs >= ownership.guaranteedMs) return;
    this.own(ownership);
    await this.pause(holdMs);
    await this.renew(lease, ownership);
    await this.pause(holdMs);
    // From here on it does not rely on the lock.
    if (this.owner === ownership) this.owner = null;
    await unlock(this.anyone, key);
  }

  private own(ownership: Ownership): void {
    const { owner } = this;
    if (owner !== null && owner.guaranteedMs > this.nowMs) {
      this.overlaps.push(`${ownership.who} got the lock ${owner.guaranteedMs - this.nowMs} ms before ${owner.who} had to give it up`);
    }
    this.owner = ownership;
    this.owners++;
  }

  private async renew(lease: bigint, ownership: Ownership): Promise<void> {
    const askedMs = this.nowMs;
    const ttl = await keepAlive(this.anyone, lease, callMs).catch(() => 0);
    if (ttl > 0) ownership.guaranteedMs = askedMs + 1_000 * ttlSeconds;
  }

  private pause(upToMs: number): Promise<void> {
    return new Promise((resolve) => void this.ports.clock.setTimer(1 + this.ports.random.below(upToMs), resolve));
  }

  private get anyone(): LockClient {
    const client = this.clients[this.ports.random.below(this.clients.length)];
    if (client === undefined) throw new Error("There are members");
    return client;
  }

  private get nowMs(): number {
    return this.ports.clock.monotonicMs();
  }
}

/** Rivals for one lock under random faults. */
export async function lockOrdeal(seed: number, faultsTotal: number): Promise<LockOutcome> {
  const cluster = new SimulatedCluster({ seed });
  const { simulation } = cluster;
  await simulation.drive(() => cluster.startAll());
  const ports = simulation.addNode("client").start();
  const rivals = new LockRivals(ports, lockClientsOf(cluster, ports));
  const running = ["a", "b", "c"].map((who) => rivals.rival(who));
  await simulation.runFor(5_000);

  const random = simulation.random("faults");
  const names = cluster.nodes.map(({ name }) => name);
  const faults = Array.from({ length: faultsTotal }, () => drawFault(random, names));
  for (const fault of faults) {
    applyFault(cluster, fault);
    await simulation.runFor(random.between(100, 3_000));
  }
  applyFault(cluster, { kind: "heal" });
  applyFault(cluster, { kind: "startAll" });
  await simulation.runFor(10_000);
  rivals.isStopping = true;
  await simulation.drive(() => Promise.all(running), { withinMs: 20_000 });
  const { overlaps, owners } = rivals;
  return { overlaps, owners, faults };
}
