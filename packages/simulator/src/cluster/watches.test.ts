import { create, etcdserverpb } from "@raftkv/api";
import type { Ports } from "@raftkv/raft-node";
import { Channel, type Client, createClient, RpcError } from "@raftkv/raft-rpc";
import { describe, expect, test } from "vitest";
import { applyFault, drawFault } from "./cluster-fault.ts";
import { clientPort, SimulatedCluster } from "./simulated-cluster.ts";

interface MemberClient {
  readonly kv: Client<typeof etcdserverpb.kvService>;
  readonly watch: Client<typeof etcdserverpb.watchService>;
}

/** A watch is given up and begun again at another member after this long, for the member may be cut off. */
const watchMs = 1_500;
const bytes = (characters: string): Uint8Array => new TextEncoder().encode(characters);
const text = (value: Uint8Array | undefined): string => new TextDecoder().decode(value);

function clientsOf(cluster: SimulatedCluster, { network, clock, random }: Ports): readonly MemberClient[] {
  return cluster.nodes.map(({ name }) => {
    const connect = (): ReturnType<typeof network.connect> => network.connect({ host: name, port: clientPort }, 500);
    const channel = new Channel({ connect, authority: `${name}:${clientPort}`, clock, random });
    return { kv: createClient(etcdserverpb.kvService, channel), watch: createClient(etcdserverpb.watchService, channel) };
  });
}

/** Everybody's view of the members, and whether they go on. */
class Crowd {
  isOver = false;
  readonly ports: Ports;
  readonly clients: readonly MemberClient[];

  constructor(ports: Ports, clients: readonly MemberClient[]) {
    this.ports = ports;
    this.clients = clients;
  }

  /** Calls some member; false if that failed in an expected way. */
  async attempt(work: (client: MemberClient) => Promise<unknown>): Promise<boolean> {
    const client = this.clients[this.ports.random.below(this.clients.length)];
    try {
      if (client !== undefined) await work(client);
      return true;
    } catch (reason) {
      if (!(reason instanceof RpcError)) throw reason;
      return false;
    }
  }

  pause(durationMs: number): Promise<void> {
    return new Promise((resolve) => void this.ports.clock.setTimer(durationMs, resolve));
  }
}

/** Writes a few keys again and again. Nobody else writes, so every revision is one of its writes. */
async function write(crowd: Crowd, acknowledged: string[]): Promise<void> {
  for (let next = 0; !crowd.isOver; next++) {
    const value = `${next}`;
    const request = { key: bytes(`w${next % 5}`), value: bytes(value), lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false };
    if (await crowd.attempt(({ kv }) => kv.put(request, { timeoutMs: 1_000 }))) acknowledged.push(value);
    await crowd.pause(20);
  }
}

/** Watches everything at one member after the other, each time from the first revision on that it has not seen. */
class Watching {
  /** What each revision wrote, from 2 on. */
  readonly values: string[] = [];
  /** Revisions that did not come where they had to. */
  readonly mistakes: string[] = [];
  calls = 0;
  private readonly crowd: Crowd;

  constructor(crowd: Crowd) {
    this.crowd = crowd;
  }

  get nextRevision(): number {
    return this.values.length + 2;
  }

  async run(): Promise<void> {
    while (!this.crowd.isOver) {
      this.calls++;
      await this.crowd.attempt((client) => this.follow(client));
      await this.crowd.pause(20);
    }
  }

  private async follow({ watch }: MemberClient): Promise<void> {
    const createRequest = create(etcdserverpb.WatchCreateRequestSchema, {
      key: bytes("w"),
      rangeEnd: bytes("x"),
      startRevision: BigInt(this.nextRevision),
    });
    const requestUnion = { case: "createRequest" as const, value: createRequest };
    const requests = [create(etcdserverpb.WatchRequestSchema, { requestUnion })];
    for await (const { events } of watch.watch(requests, { timeoutMs: watchMs })) {
      for (const { kv } of events) this.take(Number(kv?.modRevision), text(kv?.value));
    }
  }

  private take(revision: number, value: string): void {
    if (revision !== this.nextRevision) this.mistakes.push(`revision ${revision} came instead of ${this.nextRevision}`);
    else this.values.push(value);
  }
}

describe("watches of a cluster of whole members", () => {
  test.each([11, 12])("miss and repeat nothing in crashes, power cuts, partitions and pauses, seed %i", async (seed) => {
    const cluster = new SimulatedCluster({ seed, flags: ["--snapshot-count=100"] });
    const { simulation } = cluster;
    await simulation.drive(() => cluster.startAll());
    const ports = simulation.addNode("client").start();
    const crowd = new Crowd(ports, clientsOf(cluster, ports));
    const acknowledged: string[] = [];
    const watchings = Array.from({ length: 4 }, () => new Watching(crowd));
    const work = [write(crowd, acknowledged), ...watchings.map((watching) => watching.run())];
    await simulation.runFor(2_000);

    const random = simulation.random("faults");
    const names = cluster.nodes.map(({ name }) => name);
    for (let count = 0; count < 15; count++) {
      applyFault(cluster, drawFault(random, names));
      await simulation.runFor(random.between(100, 1_500));
    }
    applyFault(cluster, { kind: "heal" });
    applyFault(cluster, { kind: "startAll" });
    await simulation.runFor(6_000);
    crowd.isOver = true;
    await simulation.drive(() => Promise.all(work), { withinMs: 10_000 });

    const [first] = watchings;
    for (const watching of watchings) {
      expect(watching.mistakes).toEqual([]);
      expect(watching.calls).toBeGreaterThan(4);
      const shared = Math.min(watching.values.length, first?.values.length ?? 0);
      expect(watching.values.slice(0, shared)).toEqual(first?.values.slice(0, shared));
    }
    const seen = new Set(watchings.flatMap(({ values }) => values));
    expect(acknowledged.filter((value) => !seen.has(value)).slice(0, -3), "acknowledged, but for the last few").toEqual([]);
    expect(acknowledged.length).toBeGreaterThan(100);
  });
});
