import { describe, expect, test } from "vitest";
import { clientsOf, grant, hasKey, keepAlive, put, revoke, timeToLive } from "../testing/lease-client.ts";
import { leaseOrdeal } from "../testing/lease-ordeal.ts";
import { SimulatedCluster } from "./simulated-cluster.ts";

const electionMs = 1_000;
/** A leader looks as often whether a lease is over. */
const scanMs = 500;

/** A cluster with a leader, and a client at each member: at the leader, and at a follower. */
async function startedCluster(seed: number, { flags = [], leadsForMs = 1_000 }: { flags?: readonly string[]; leadsForMs?: number } = {}) {
  const cluster = new SimulatedCluster({ seed, flags });
  const { simulation } = cluster;
  await simulation.drive(() => cluster.startAll());
  const clients = clientsOf(cluster, simulation.addNode("client").start());
  const leads = (at: number): boolean => {
    const node = cluster.nodes[at];
    return node !== undefined && cluster.memberOn(node)?.context.node.isLeader === true;
  };
  await simulation.runUntil(() => clients.some((_client, at) => leads(at)), { withinMs: 10_000 });
  await simulation.runFor(leadsForMs);
  const leaderAt = clients.findIndex((_client, at) => leads(at));
  const [leaderNode, atLeader, atFollower] = [cluster.nodes[leaderAt], clients[leaderAt], clients.find((_client, at) => at !== leaderAt)];
  if (leaderNode === undefined || atLeader === undefined || atFollower === undefined) throw new Error("A leader was elected");
  return { cluster, simulation, clients, leaderNode, atLeader, atFollower };
}

describe("A lease in a cluster", () => {
  test("is granted, kept alive and asked about through a follower", async () => {
    const { simulation, atFollower, atLeader } = await startedCluster(1);
    const id = await simulation.drive(() => grant(atFollower, 10));
    await simulation.drive(() => put(atFollower, "k", id));
    await simulation.runFor(8_000);
    expect(await simulation.drive(() => timeToLive(atFollower, id))).toEqual({ ttl: 1, keys: ["k"] });
    expect(await simulation.drive(() => keepAlive(atFollower, id))).toBe(10);
    await simulation.runFor(5_000);
    expect(await simulation.drive(() => timeToLive(atLeader, id))).toEqual({ ttl: 4, keys: ["k"] });
    expect(await simulation.drive(() => hasKey(atFollower, "k"))).toBe(true);
    await simulation.runFor(5_000 + scanMs);
    expect(await simulation.drive(() => hasKey(atFollower, "k"))).toBe(false);
    expect(await simulation.drive(() => timeToLive(atFollower, id))).toEqual({ ttl: -1, keys: [] });
    expect(await simulation.drive(() => keepAlive(atFollower, id))).toBe(0);
  });

  test("has its own time and no more if a leader grants it that was just elected", async () => {
    const { simulation, atLeader } = await startedCluster(4, { leadsForMs: 50 });
    const id = await simulation.drive(() => grant(atLeader, 10));
    expect(await simulation.drive(() => timeToLive(atLeader, id))).toEqual({ ttl: 9, keys: [] });
  });

  test("outlives its leader by all of its time, and ends at last", async () => {
    const { cluster, simulation, leaderNode, atFollower } = await startedCluster(2);
    const id = await simulation.drive(() => grant(atFollower, 5));
    await simulation.drive(() => put(atFollower, "k", id));
    await simulation.runFor(4_000);
    cluster.crash(leaderNode);
    await simulation.runFor(4_000);
    expect(await simulation.drive(() => hasKey(atFollower, "k"))).toBe(true);
    expect(await simulation.drive(() => keepAlive(atFollower, id))).toBe(5);
    await simulation.runFor(5_000 + electionMs + 2 * scanMs);
    expect(await simulation.drive(() => hasKey(atFollower, "k"))).toBe(false);
  });

  test("is answered for as soon as there is a leader again, and refused with etcd's words if there is none for long", async () => {
    const { cluster, simulation, atFollower, clients } = await startedCluster(3);
    const id = await simulation.drive(() => grant(atFollower, 60));
    const alone = cluster.nodes[clients.indexOf(atFollower)];
    for (const node of cluster.nodes) if (node !== alone) cluster.crash(node);
    await simulation.runFor(3_000);
    const waiting = keepAlive(atFollower, id, 60_000);
    await expect(simulation.drive(() => waiting)).rejects.toMatchObject({ code: 14, message: "etcdserver: no leader" });
    const patient = keepAlive(atFollower, id, 60_000);
    await simulation.runFor(2_000);
    await simulation.drive(() => cluster.startAll());
    expect(await simulation.drive(() => patient)).toBe(60);
  });
});

describe("What a cluster knows of leases", () => {
  test("survives a power cut of all members at once", async () => {
    const { cluster, simulation, atFollower } = await startedCluster(4, { flags: ["--snapshot-count=5"] });
    const id = await simulation.drive(() => grant(atFollower, 20));
    for (const key of ["a", "b", "c", "d", "e", "f", "g"]) await simulation.drive(() => put(atFollower, key, id));
    for (const node of cluster.nodes) cluster.losePower(node);
    await simulation.runFor(1_000);
    await simulation.drive(() => cluster.startAll());
    await simulation.runFor(5_000);
    // The connection from before the power cut fails at its first use.
    await expect(simulation.drive(() => hasKey(atFollower, "a"))).rejects.toThrow("Connection was lost");
    const { ttl, keys } = await simulation.drive(() => timeToLive(atFollower, id));
    expect(keys).toEqual(["a", "b", "c", "d", "e", "f", "g"]);
    expect(ttl).toBeGreaterThan(10);
    await simulation.runFor(20_000);
    expect(await simulation.drive(() => hasKey(atFollower, "a"))).toBe(false);
  });

  test("is how much was left of a long one when its leader failed, give or take five minutes", async () => {
    const { cluster, simulation, leaderNode, atFollower } = await startedCluster(5, {
      flags: ["--heartbeat-interval=1000", "--election-timeout=5000"],
    });
    const [left, kept] = await simulation.drive(() => Promise.all([grant(atFollower, 3_600), grant(atFollower, 3_600)]));
    await simulation.runFor(11 * 60_000);
    expect(await simulation.drive(() => keepAlive(atFollower, kept))).toBe(3_600);
    cluster.crash(leaderNode);
    await simulation.runFor(15_000);
    expect((await simulation.drive(() => timeToLive(atFollower, left))).ttl).toBeLessThan(3_600 - 10 * 60 + 10);
    expect((await simulation.drive(() => timeToLive(atFollower, kept))).ttl).toBeGreaterThan(3_600 - 20);
  });

  test("has a limit, above which no more are granted", async () => {
    const { simulation, atFollower } = await startedCluster(6, { flags: ["--max-leases=2"] });
    await simulation.drive(() => grant(atFollower, 60));
    const last = await simulation.drive(() => grant(atFollower, 60));
    await expect(simulation.drive(() => grant(atFollower, 60))).rejects.toMatchObject({
      code: 8,
      message: "raftkv: there are 2 leases, revoke some or start the members with a higher --max-leases than 2",
    });
    await simulation.drive(() => revoke(atFollower, last));
    expect(await simulation.drive(() => grant(atFollower, 60))).not.toBe(last);
  });
});

describe("Leases in a cluster with faults", () => {
  test.each([1, 2, 3, 4])("never end early and end at last, seed %i", async (seed) => {
    const { early, faults, left, renewals, leases } = await leaseOrdeal(seed, 25);
    expect(early, JSON.stringify(faults)).toEqual([]);
    expect(left).toEqual([0, 0, 0]);
    expect(renewals).toBeGreaterThan(5);
    expect(leases).toBeGreaterThan(2);
  });
});
