import { create, v3electionpb } from "@raftkv/api";
import { Metadata } from "@raftkv/raft-rpc";
import { describe, expect, test } from "vitest";
import { grant, hasKey, put, revoke, timeToLive } from "../testing/lease-client.ts";
import { type LockClient, lock, lockClientsOf, unlock } from "../testing/lock-client.ts";
import { lockOrdeal } from "../testing/lock-ordeal.ts";
import { SimulatedCluster } from "./simulated-cluster.ts";

type LeaderKey = v3electionpb.LeaderKey | undefined;

const bytes = (characters: string): Uint8Array => new TextEncoder().encode(characters);
const text = (value: Uint8Array | undefined): string => new TextDecoder().decode(value);

/** A cluster that serves, and clients of two of its members. */
async function startedCluster(seed: number) {
  const cluster = new SimulatedCluster({ seed });
  const { simulation } = cluster;
  await simulation.drive(() => cluster.startAll());
  const [one, other] = lockClientsOf(cluster, simulation.addNode("client").start());
  if (one === undefined || other === undefined) throw new Error("There are members");
  const drive = <Value>(work: () => Promise<Value>): Promise<Value> => simulation.drive(work, { withinMs: 60_000 });
  await drive(() => put(one, "ready", 0n, 20_000));
  return { cluster, simulation, one, other, drive };
}

async function campaign({ election }: LockClient, name: string, lease: bigint, value: string, signal?: AbortSignal): Promise<LeaderKey> {
  const request = create(v3electionpb.CampaignRequestSchema, { name: bytes(name), lease, value: bytes(value) });
  return (await election.campaign(request, { timeoutMs: 30_000, ...(signal === undefined ? {} : { signal }) })).leader;
}

async function proclaim({ election }: LockClient, leader: LeaderKey, value: string): Promise<void> {
  const request = create(v3electionpb.ProclaimRequestSchema, { value: bytes(value), ...(leader === undefined ? {} : { leader }) });
  await election.proclaim(request, { timeoutMs: 5_000 });
}

async function resign({ election }: LockClient, leader: LeaderKey): Promise<void> {
  await election.resign(create(v3electionpb.ResignRequestSchema, leader === undefined ? {} : { leader }), { timeoutMs: 5_000 });
}

async function leaderOf({ election }: LockClient, name: string): Promise<string> {
  const { kv } = await election.leader(create(v3electionpb.LeaderRequestSchema, { name: bytes(name) }), { timeoutMs: 5_000 });
  return text(kv?.value);
}

/** What a call came to, to be looked at while it goes on. */
function outcomeOf<Value>(work: Promise<Value>): { now: unknown } {
  const outcome: { now: unknown } = { now: "waits" };
  work.then(
    (value) => {
      outcome.now = value;
    },
    (error: unknown) => {
      outcome.now = error instanceof Error ? error.message : error;
    },
  );
  return outcome;
}

describe("A lock", () => {
  test("is given to one after the other, in the order in which they came, through different members", async () => {
    const { simulation, one, other, drive } = await startedCluster(1);
    const [first, second, third] = await drive(() => Promise.all([grant(one, 60), grant(one, 60), grant(other, 60)]));
    const key = await drive(() => lock(one, "mutex", first));
    expect(key).toBe(`mutex/${first.toString(16)}`);
    const next = outcomeOf(lock(other, "mutex", second));
    await simulation.runFor(500);
    const last = outcomeOf(lock(one, "mutex", third));
    await simulation.runFor(2_000);
    expect([next.now, last.now]).toEqual(["waits", "waits"]);
    await drive(() => unlock(other, key));
    await simulation.runFor(500);
    expect(next.now).toBe(`mutex/${second.toString(16)}`);
    expect(last.now).toBe("waits");
    await drive(() => unlock(one, `mutex/${second.toString(16)}`));
    await simulation.runFor(500);
    expect(last.now).toBe(`mutex/${third.toString(16)}`);
  });

  test("that is held already is given again to the same lease, and without a lease to one of a minute", async () => {
    const { one, other, drive } = await startedCluster(2);
    const lease = await drive(() => grant(one, 60));
    expect(await drive(() => lock(one, "mutex", lease))).toBe(await drive(() => lock(other, "mutex", lease)));
    const own = await drive(() => lock(one, "another", 0n));
    const { ttl, keys } = await drive(() => timeToLive(one, BigInt(`0x${own.slice("another/".length)}`)));
    expect(ttl).toBeGreaterThan(55);
    expect(ttl).toBeLessThan(62);
    expect(keys).toEqual([own]);
  });

  test("goes to the next when the lease of its owner runs out", async () => {
    const { simulation, one, other, drive } = await startedCluster(3);
    const [short, long] = await drive(() => Promise.all([grant(one, 3), grant(one, 60)]));
    await drive(() => lock(one, "mutex", short));
    const next = outcomeOf(lock(other, "mutex", long));
    await simulation.runFor(2_500);
    expect(next.now).toBe("waits");
    await simulation.runFor(3_000);
    expect(next.now).toBe(`mutex/${long.toString(16)}`);
  });

  test("is not waited for any more by a call that is cancelled", async () => {
    const { simulation, one, other, drive } = await startedCluster(4);
    const [holder, waiter] = await drive(() => Promise.all([grant(one, 60), grant(one, 60)]));
    await drive(() => lock(one, "mutex", holder));
    const controller = new AbortController();
    const waiting = outcomeOf(lock(other, "mutex", waiter, { signal: controller.signal }));
    await simulation.runFor(1_000);
    const waiterKey = `mutex/${waiter.toString(16)}`;
    expect(await drive(() => hasKey(one, waiterKey))).toBe(true);
    controller.abort();
    await simulation.runFor(1_000);
    expect(waiting.now).not.toBe("waits");
    expect(await drive(() => hasKey(one, waiterKey))).toBe(false);
  });

  test("is refused with etcd's words, and no code, to a lease that ends or never was", async () => {
    const { simulation, one, other, drive } = await startedCluster(5);
    const [holder, waiter] = await drive(() => Promise.all([grant(one, 60), grant(one, 60)]));
    await expect(drive(() => lock(one, "mutex", 77n))).rejects.toMatchObject({ code: 2, message: "etcdserver: requested lease not found" });
    await expect(drive(() => unlock(one, ""))).rejects.toMatchObject({ code: 2, message: "etcdserver: key is not provided" });
    await drive(() => unlock(one, "mutex/unknown"));
    await drive(() => lock(one, "mutex", holder));
    const waiting = outcomeOf(lock(other, "mutex", waiter));
    await simulation.runFor(500);
    await drive(() => revoke(one, waiter));
    await simulation.runFor(500);
    expect(waiting.now).toBe("mutex: session is expired");
  });
});

describe("An election", () => {
  test("is won by one after the other, who say what they stand for", async () => {
    const { simulation, one, other, drive } = await startedCluster(6);
    const [first, second] = await drive(() => Promise.all([grant(one, 60), grant(one, 60)]));
    await expect(drive(() => leaderOf(one, "office"))).rejects.toMatchObject({ code: 2, message: "election: no leader" });
    const leader = await drive(() => campaign(one, "office", first, "one"));
    expect(leader).toMatchObject({ name: bytes("office"), key: bytes(`office/${first.toString(16)}`), lease: first });
    const next = outcomeOf(campaign(other, "office", second, "two"));
    await simulation.runFor(1_000);
    expect(next.now).toBe("waits");
    expect(await drive(() => leaderOf(other, "office"))).toBe("one");
    await drive(() => proclaim(other, leader, "one again"));
    expect(await drive(() => leaderOf(one, "office"))).toBe("one again");
    await drive(() => campaign(other, "office", first, "one more"));
    expect(await drive(() => leaderOf(one, "office"))).toBe("one more");
    await drive(() => resign(one, leader));
    await simulation.runFor(500);
    expect(next.now).toMatchObject({ lease: second });
    expect(await drive(() => leaderOf(one, "office"))).toBe("two");
    await expect(drive(() => proclaim(one, leader, "late"))).rejects.toMatchObject({ code: 2, message: "election: not leader" });
    await drive(() => resign(one, leader));
    expect(await drive(() => leaderOf(one, "office"))).toBe("two");
  });

  test("needs to be told who speaks", async () => {
    const { one, drive } = await startedCluster(7);
    const refusal = { code: 2, message: '"leader" field must be provided' };
    await expect(drive(() => proclaim(one, undefined, "x"))).rejects.toMatchObject(refusal);
    await expect(drive(() => resign(one, undefined))).rejects.toMatchObject(refusal);
  });

  test("is left by a candidate whose call is cancelled, and by one whose lease ends", async () => {
    const { simulation, one, other, drive } = await startedCluster(8);
    const [first, second, third] = await drive(() => Promise.all([grant(one, 60), grant(one, 60), grant(one, 60)]));
    await drive(() => campaign(one, "office", first, "one"));
    const controller = new AbortController();
    const cancelled = outcomeOf(campaign(other, "office", second, "two", controller.signal));
    const expired = outcomeOf(campaign(other, "office", third, "three"));
    await simulation.runFor(1_000);
    controller.abort();
    await drive(() => revoke(one, third));
    await simulation.runFor(1_000);
    expect(cancelled.now).not.toBe("waits");
    expect(expired.now).toBe("election: not leader");
    expect(await drive(() => hasKey(one, `office/${second.toString(16)}`))).toBe(false);
  });

  test("is observed: who leads first, then every value and every leader, across a change of the cluster's leader", async () => {
    const { cluster, simulation, one, other, drive } = await startedCluster(9);
    const seen: string[] = [];
    const watcher = new AbortController();
    const observing = outcomeOf(observe(other, "office", watcher.signal, (value) => void seen.push(value)));
    await simulation.runFor(1_000);
    expect(seen).toEqual([]);
    const [first, second] = await drive(() => Promise.all([grant(one, 60), grant(one, 60)]));
    const leader = await drive(() => campaign(one, "office", first, "one"));
    const next = outcomeOf(campaign(one, "office", second, "two"));
    for (const value of ["a", "b", "c"]) await drive(() => proclaim(one, leader, value));
    await simulation.runFor(500);
    expect(seen).toEqual(["one", "a", "b", "c"]);
    const node = cluster.nodes.find((candidate) => cluster.memberOn(candidate)?.context.node.isLeader === true);
    const member = node === undefined ? null : cluster.memberOn(node);
    await drive(async () => member?.context.node.transferLeadership());
    await drive(() => resign(one, leader));
    await simulation.runFor(1_000);
    expect(next.now).toMatchObject({ lease: second });
    expect(seen).toEqual(["one", "a", "b", "c", "two"]);
    expect(observing.now).toBe("waits");
    watcher.abort();
    await simulation.runFor(500);
    expect(observing.now).not.toBe("waits");
  });
});

async function observe(
  { election }: LockClient,
  name: string,
  signal: AbortSignal,
  onLeader: (value: string) => void,
  metadata = new Metadata(),
): Promise<void> {
  const request = create(v3electionpb.LeaderRequestSchema, { name: bytes(name) });
  for await (const { kv } of election.observe(request, { signal, metadata })) onLeader(text(kv?.value));
}

test("Streams of clients that want a leader end when there has been none for three election time-outs, others do not", async () => {
  const { cluster, simulation, one } = await startedCluster(10);
  const wanting = new Metadata();
  wanting.append("hasleader", "true");
  const [demanding, patient] = [wanting, new Metadata()].map((metadata) =>
    outcomeOf(observe(one, "office", new AbortController().signal, () => undefined, metadata)),
  );
  await simulation.runFor(1_000);
  for (const node of cluster.nodes.slice(1)) cluster.crash(node);
  await simulation.runFor(2_000);
  expect([demanding?.now, patient?.now]).toEqual(["waits", "waits"]);
  await simulation.runFor(6_000);
  expect([demanding?.now, patient?.now]).toEqual(["etcdserver: no leader", "waits"]);
});

describe("A lock in a cluster with faults", () => {
  test.each([1, 2, 3])("never has two owners, seed %i", async (seed) => {
    const { overlaps, owners, faults } = await lockOrdeal(seed, 20);
    expect(overlaps, JSON.stringify(faults)).toEqual([]);
    expect(owners).toBeGreaterThan(5);
  });
});
