import { etcdserverpb } from "@raftkv/api";
import { Channel, type Client, createClient, RpcError } from "@raftkv/raft-rpc";
import { describe, expect, test } from "vitest";
import type { SimulatedNode } from "../simulated-node.ts";
import { type DataPart, loseMeta, strike } from "../testing/data-fault.ts";
import { clientPort, SimulatedCluster } from "./simulated-cluster.ts";

type KvClient = Client<typeof etcdserverpb.kvService>;

const text = (characters: string): Uint8Array => new TextEncoder().encode(characters);
/** All keys, as a member has them by itself. */
const allKeys = {
  key: text("k"),
  rangeEnd: text("l"),
  limit: 0,
  revision: 0,
  sortOrder: 0,
  sortTarget: 0,
  serializable: true,
  keysOnly: true,
  countOnly: false,
  minModRevision: 0,
  maxModRevision: 0,
  minCreateRevision: 0,
  maxCreateRevision: 0,
};
const seedsTotal = 20;
const faultsOfEach = 20;
const REPAIR_MS_MAX = 20_000;
/** Longer than a log stands still before it is sealed. */
const SEALED_AFTER_MS = 100;

/** Three members that write snapshots often, and a client of each of them. */
class Fixture {
  readonly cluster: SimulatedCluster;
  readonly acknowledged: string[] = [];
  readonly #clients: readonly KvClient[];

  constructor(seed: number) {
    this.cluster = new SimulatedCluster({ seed, flags: ["--snapshot-count=20"] });
    const { network, clock, random } = this.cluster.simulation.addNode("client").start();
    this.#clients = this.cluster.nodes.map(({ name }) => {
      const connect = (): ReturnType<typeof network.connect> => network.connect({ host: name, port: clientPort }, 500);
      const channel = new Channel({ connect, authority: `${name}:${clientPort}`, clock, random });
      return createClient(etcdserverpb.kvService, channel);
    });
  }

  stateOf(node: SimulatedNode): string | undefined {
    return this.cluster.memberOn(node)?.context.node.memberState;
  }

  async begin(): Promise<void> {
    await this.cluster.simulation.drive(() => this.cluster.startAll());
    await this.untilLed();
    await this.write(30);
  }

  /** Until every member that runs follows a leader. */
  async untilLed(): Promise<void> {
    const isLed = (node: SimulatedNode): boolean => !node.isRunning || (this.cluster.memberOn(node)?.context.node.leader ?? 0) !== 0;
    await this.cluster.simulation.runUntil(() => this.cluster.nodes.every(isLed), { withinMs: REPAIR_MS_MAX });
  }

  /** Until a member has as many keys as were acknowledged. */
  async untilCaughtUp(node: SimulatedNode): Promise<void> {
    const hasAll = (): boolean => this.cluster.memberOn(node)?.context.state.store.keyCount === this.acknowledged.length;
    await this.cluster.simulation.runUntil(hasAll, { withinMs: REPAIR_MS_MAX });
  }

  /** Writes through one of the members that are sound, again if a leader that has just died got it. */
  async write(count: number): Promise<void> {
    const { simulation, nodes } = this.cluster;
    for (let left = count; left > 0; ) {
      const key = `k-${this.acknowledged.length}`;
      const client = this.#clients[nodes.findIndex((node) => this.stateOf(node) === "sound")];
      if (client === undefined || !(await simulation.drive(() => isWritten(client, key), { withinMs: 15_000 }))) continue;
      this.acknowledged.push(key);
      left -= 1;
    }
  }

  /** Acknowledged keys that a member does not have. */
  async missingAt(node: SimulatedNode): Promise<readonly string[]> {
    const client = this.#clients[this.cluster.nodes.indexOf(node)];
    const response = await this.cluster.simulation.drive(async () => client?.range(allKeys, { timeoutMs: 5_000 }), { withinMs: 10_000 });
    const found = new Set((response?.kvs ?? []).map(({ key }) => new TextDecoder().decode(key)));
    return this.acknowledged.filter((key) => !found.has(key));
  }
}

async function isWritten(client: KvClient, key: string): Promise<boolean> {
  const request = { key: text(key), value: text(key), lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false };
  try {
    await client.put(request, { timeoutMs: 1_000 });
    return true;
  } catch (reason) {
    if (!(reason instanceof RpcError)) throw reason;
    return false;
  }
}

interface Counts {
  faults: number;
  repairs: number;
  readonly byPart: Record<string, number>;
  readonly byShape: Record<string, number>;
}

/** A member ends, its disk is damaged while the others go on, and it comes back. */
async function damageMember(fixture: Fixture, node: SimulatedNode, damage: () => void): Promise<void> {
  const { cluster } = fixture;
  await cluster.simulation.runFor(SEALED_AFTER_MS);
  cluster.crash(node);
  damage();
  await fixture.untilLed();
  await fixture.write(3);
  await cluster.simulation.drive(() => cluster.start(node));
}

const parts: readonly DataPart[] = ["segment", "segment", "snapshot", "meta copy"];

/** Damages one file after the other, and at last all copies of a meta file. */
async function liveThrough(seed: number, faultsTotal: number, counts: Counts): Promise<void> {
  const fixture = new Fixture(seed);
  const { simulation, nodes } = fixture.cluster;
  const random = simulation.random("data faults");
  await fixture.begin();
  for (let number = 0; number < faultsTotal; number++) {
    const node = random.pick(nodes);
    const part = random.pick(parts);
    let shape = "";
    await damageMember(fixture, node, () => {
      shape = strike(node.disk, part, random);
    });
    counts.faults += 1;
    counts.byPart[part] = (counts.byPart[part] ?? 0) + 1;
    counts.byShape[shape] = (counts.byShape[shape] ?? 0) + 1;
    if (fixture.stateOf(node) === "repairing") counts.repairs += 1;
    await simulation.runUntil(() => fixture.stateOf(node) === "sound", { withinMs: REPAIR_MS_MAX });
    await fixture.write(3);
    // Reads are of what a member has itself, and a sound one may be a heartbeat behind what was acknowledged.
    for (const one of nodes) await fixture.untilCaughtUp(one);
    const where = `seed ${seed}, fault ${number}: ${shape} of a ${part} of ${node.name}`;
    for (const one of nodes) expect(await fixture.missingAt(one), `${one.name}, ${where}`).toEqual([]);
  }
  await goOnWithout(fixture, random.pick(nodes));
  counts.faults += 1;
}

/** Term and vote of a member are gone: it stays out for good, and the other two go on. */
async function goOnWithout(fixture: Fixture, node: SimulatedNode): Promise<void> {
  const { simulation, nodes } = fixture.cluster;
  await damageMember(fixture, node, () => loseMeta(node.disk));
  await simulation.runFor(3_000);
  expect(fixture.stateOf(node)).toBe("quarantined");
  await fixture.write(5);
  await simulation.runFor(500);
  for (const one of nodes.filter((other) => other !== node)) expect(await fixture.missingAt(one)).toEqual([]);
}

describe("a cluster of three whose members come back with damaged files", () => {
  test("repairs logs and snapshots by itself, and goes on without a member whose term and vote are gone", async () => {
    const counts: Counts = { faults: 0, repairs: 0, byPart: {}, byShape: {} };
    for (let seed = 1; seed <= seedsTotal; seed++) await liveThrough(seed, faultsOfEach, counts);
    console.info(`faults in clusters: ${JSON.stringify(counts)}`);
    expect(counts.faults).toBe(seedsTotal * (faultsOfEach + 1));
    expect(counts.repairs).toBeGreaterThan(seedsTotal);
  });
});
