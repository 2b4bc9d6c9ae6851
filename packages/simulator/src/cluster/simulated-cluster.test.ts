import { etcdserverpb } from "@raftkv/api";
import type { Ports } from "@raftkv/raft-node";
import { Channel, type Client, createClient, RpcError } from "@raftkv/raft-rpc";
import { describe, expect, test } from "vitest";
import type { SimulatedNode } from "../simulated-node.ts";
import { ClusterWatch } from "../testing/cluster-watch.ts";
import { applyFault, type ClusterFault, drawFault } from "./cluster-fault.ts";
import { clientPort, SimulatedCluster } from "./simulated-cluster.ts";

type KvClient = Client<typeof etcdserverpb.kvService>;

const text = (characters: string): Uint8Array => new TextEncoder().encode(characters);
const allKeys = {
  key: text("w"),
  rangeEnd: text("x"),
  limit: 0,
  revision: 0,
  sortOrder: 0,
  sortTarget: 0,
  serializable: false,
  keysOnly: true,
  countOnly: false,
  minModRevision: 0,
  maxModRevision: 0,
  minCreateRevision: 0,
  maxCreateRevision: 0,
};

function clientsOf(cluster: SimulatedCluster, { network, clock, random }: Ports): readonly KvClient[] {
  return cluster.nodes.map(({ name }) => {
    const connect = (): ReturnType<typeof network.connect> => network.connect({ host: name, port: clientPort }, 500);
    return createClient(etcdserverpb.kvService, new Channel({ connect, authority: `${name}:${clientPort}`, clock, random }));
  });
}

/** Writes one key after the other, each until some member acknowledges it, and keeps those that were. */
class Writer {
  readonly acknowledged: string[] = [];
  readonly #name: string;
  readonly #ports: Ports;
  readonly #clients: readonly KvClient[];
  #isStopping = false;

  constructor(name: string, ports: Ports, clients: readonly KvClient[]) {
    this.#name = name;
    this.#ports = ports;
    this.#clients = clients;
  }

  stop(): void {
    this.#isStopping = true;
  }

  async run(): Promise<void> {
    for (let next = 0; !this.#isStopping; ) {
      const key = `w-${this.#name}-${next}`;
      if (await this.#put(key)) {
        this.acknowledged.push(key);
        next++;
      }
      await new Promise<void>((resolve) => void this.#ports.clock.setTimer(20, resolve));
    }
  }

  async #put(key: string): Promise<boolean> {
    const client = this.#clients[this.#ports.random.below(this.#clients.length)];
    const request = { key: text(key), value: text(key), lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false };
    try {
      await client?.put(request, { timeoutMs: 1_000 });
      return true;
    } catch (reason) {
      if (!(reason instanceof RpcError)) throw reason;
      return false;
    }
  }
}

function leaderNodes(cluster: SimulatedCluster): readonly SimulatedNode[] {
  return cluster.nodes.filter((node) => cluster.memberOn(node)?.context.node.isLeader === true);
}

/** Who leads, if it is somebody else. */
function leaderBesides(cluster: SimulatedCluster, former: SimulatedNode): SimulatedNode | undefined {
  return leaderNodes(cluster).find((node) => node !== former);
}

async function electedCluster(seed: number): Promise<{ readonly cluster: SimulatedCluster; readonly leader: SimulatedNode }> {
  const cluster = new SimulatedCluster({ seed });
  await cluster.simulation.drive(() => cluster.startAll());
  await cluster.simulation.runUntil(() => leaderNodes(cluster).length > 0, { withinMs: 10_000 });
  await cluster.simulation.runFor(1_000);
  const [leader] = leaderNodes(cluster);
  if (leader === undefined) throw new Error("A leader was elected");
  return { cluster, leader };
}

interface Outcome {
  readonly acknowledged: readonly string[];
  /** For each member, the keys that a linearizable read there gives. */
  readonly found: readonly ReadonlySet<string>[];
  /** For each member, whom it follows. */
  readonly leaders: readonly number[];
  readonly faults: readonly ClusterFault[];
  readonly hash: string;
}

/** Three members under load and under random faults for a while, then healed. */
async function ordeal(seed: number, faultsTotal: number): Promise<Outcome> {
  const cluster = new SimulatedCluster({ seed, flags: ["--snapshot-count=100"] });
  const { simulation } = cluster;
  const { invariants } = new ClusterWatch(cluster);
  await simulation.drive(() => cluster.startAll());
  const ports = simulation.addNode("client").start();
  const clients = clientsOf(cluster, ports);
  const writers = ["a", "b"].map((name) => new Writer(name, ports, clients));
  const writing = writers.map((writer) => writer.run());
  await simulation.runFor(2_000);

  const random = simulation.random("faults");
  const names = cluster.nodes.map(({ name }) => name);
  const faults = Array.from({ length: faultsTotal }, () => drawFault(random, names));
  for (const fault of faults) {
    applyFault(cluster, fault);
    await simulation.runFor(random.between(100, 1_500));
  }
  applyFault(cluster, { kind: "heal" });
  applyFault(cluster, { kind: "startAll" });
  await simulation.runFor(5_000);

  for (const writer of writers) writer.stop();
  await simulation.drive(() => Promise.all(writing), { withinMs: 10_000 });
  const found = await simulation.drive(() => Promise.all(clients.map((client) => keysOf(client))), { withinMs: 10_000 });
  const leaders = cluster.nodes.map((node) => cluster.memberOn(node)?.context.node.leader ?? 0);
  expect(invariants.committedTo).toBeGreaterThan(100);
  return { acknowledged: writers.flatMap((writer) => writer.acknowledged), found, leaders, faults, hash: simulation.trace.hash };
}

async function keysOf(client: KvClient): Promise<ReadonlySet<string>> {
  const { kvs } = await client.range(allKeys, { timeoutMs: 5_000 });
  return new Set(kvs.map(({ key }) => new TextDecoder().decode(key)));
}

describe("A cluster of whole members", () => {
  test("elects another leader when its leader crashes, and the old one follows when it is back", async () => {
    const cluster = new SimulatedCluster({ seed: 5 });
    const { simulation } = cluster;
    await simulation.drive(() => cluster.startAll());
    const clients = clientsOf(cluster, simulation.addNode("client").start());
    const leaderNode = () => cluster.nodes.find((node) => cluster.memberOn(node)?.context.node.isLeader === true);
    const put = (key: string) => {
      const request = { key: text(key), value: text(key), lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false };
      const client = clients[cluster.nodes.findIndex((node) => node.isRunning)];
      return simulation.drive(async () => client?.put(request, { timeoutMs: 10_000 }));
    };
    await simulation.runUntil(() => leaderNode() !== undefined, { withinMs: 10_000 });
    const first = leaderNode();
    if (first === undefined) throw new Error("A leader was elected");
    await put("w-before");

    cluster.crash(first);
    await simulation.runUntil(() => leaderNode() !== undefined, { withinMs: 10_000 });
    expect(leaderNode()).not.toBe(first);
    await put("w-meanwhile");

    await simulation.drive(() => cluster.start(first));
    await simulation.runUntil(() => cluster.memberOn(first)?.context.state.store.keyCount === 2, { withinMs: 10_000 });
    expect(cluster.memberOn(first)?.context.node.isLeader).toBe(false);
    const found = await simulation.drive(() => Promise.all(clients.map(keysOf)));
    expect(found).toEqual(clients.map(() => new Set(["w-before", "w-meanwhile"])));
  });

  test("has another leader before the election time-out when its leader is paused, and keeps it", async () => {
    const { cluster, leader } = await electedCluster(6);
    const { simulation } = cluster;
    await simulation.runFor(3_000);
    leader.pause();
    const pausedMs = simulation.nowMs;
    await simulation.runUntil(() => leaderBesides(cluster, leader) !== undefined, { withinMs: 600 });
    expect(simulation.nowMs - pausedMs).toBeGreaterThan(300);
    const next = leaderBesides(cluster, leader);
    leader.resume();
    await simulation.runFor(10_000);
    expect(leaderNodes(cluster)).toEqual([next]);
  });

  test("has another leader before its leader that is told to stop has stopped", async () => {
    const { cluster, leader } = await electedCluster(7);
    const { simulation } = cluster;
    await simulation.drive(() => cluster.stop(leader));
    expect(leaderBesides(cluster, leader)).toBeDefined();
    expect(leader.isRunning).toBe(false);
    await simulation.drive(() => cluster.start(leader));
    await simulation.runFor(2_000);
    expect(leaderNodes(cluster)).toHaveLength(1);
    expect(leaderNodes(cluster)).not.toContain(leader);
  });

  test.each([1, 2, 3])("loses no acknowledged write to crashes, power cuts, partitions and pauses, seed %i", async (seed) => {
    const { acknowledged, found, leaders, faults } = await ordeal(seed, 20);
    for (const keys of found) {
      const missing = acknowledged.filter((key) => !keys.has(key));
      expect(missing, JSON.stringify(faults)).toEqual([]);
    }
    expect(acknowledged.length).toBeGreaterThan(100);
    expect(leaders).toEqual([leaders[0], leaders[0], leaders[0]]);
    expect(leaders).not.toContain(0);
  });

  test("goes through the same events in every run of a seed", async () => {
    const [first, second] = [await ordeal(4, 8), await ordeal(4, 8)];
    expect(second.hash).toBe(first.hash);
    expect(second.acknowledged).toEqual(first.acknowledged);
  });
});
