import { describe, expect, test } from "vitest";
import type { ClientSettings } from "../../client-options.ts";
import { ScriptedCluster } from "../../testing/scripted-cluster.ts";
import { ScriptedLeaseService, ScriptedLeases } from "../../testing/scripted-lease-service.ts";
import type { Lease } from "./lease.ts";
import type { LeaseClient } from "./lease-client.ts";

const addresses = ["127.0.0.1:1001", "127.0.0.1:1002"];

/** Two members that share their leases. */
class Scene {
  readonly cluster = new ScriptedCluster();
  readonly leases = new ScriptedLeases(this.cluster.clock);
  readonly members = addresses.map((address) => this.cluster.member(address));
  readonly services = this.members.map(({ dispatcher }) => new ScriptedLeaseService(dispatcher, this.leases));

  client(settings: Partial<ClientSettings> = {}): LeaseClient {
    return this.cluster.client({ endpoints: addresses, ...settings }).etcd.leases;
  }

  settle<Value>(promise: Promise<Value>): Promise<Value> {
    return this.cluster.clock.settle(promise);
  }

  pass(seconds: number): Promise<void> {
    return this.cluster.clock.pass(seconds * 1000);
  }

  get renewals(): number {
    return this.services.reduce((sum, { renewals }) => sum + renewals, 0);
  }
}

/** When, in seconds of the clock, the lease was told to be lost; null: it is not. */
function watchLoss(scene: Scene, lease: Lease): { atSeconds: number | null } {
  const loss: { atSeconds: number | null } = { atSeconds: null };
  lease.signal.addEventListener("abort", () => {
    loss.atSeconds = scene.cluster.clock.monotonicMs() / 1000;
  });
  return loss;
}

describe("a lease that is held", () => {
  test("is renewed each third of its time, for as long as it is held", async () => {
    const scene = new Scene();
    const lease = await scene.settle(scene.client().hold(9));
    await scene.pass(100);
    expect(lease.signal.aborted).toBe(false);
    expect(scene.leases.find(lease.id)).not.toBeNull();
    expect(scene.renewals).toBe(33);
    await scene.settle(lease.revoke());
    expect(scene.leases.find(lease.id)).toBeNull();
    await scene.pass(100);
    expect(scene.renewals).toBe(33);
    expect(lease.signal.aborted).toBe(false);
  });

  test("survives a member that hangs, breaks connections or cannot be reached, as long as there is another", async () => {
    const scene = new Scene();
    const lease = await scene.settle(scene.client().hold(6));
    for (let round = 0; round < 12; round++) {
      const [one, other] = round % 2 === 0 ? [0, 1] : [1, 0];
      const [member, service] = [scene.members[one], scene.services[one]];
      const [otherMember, otherService] = [scene.members[other], scene.services[other]];
      if (member === undefined || service === undefined || otherMember === undefined || otherService === undefined) {
        throw new Error("There are two members");
      }
      otherMember.reachable = "yes";
      otherService.mode = "answers";
      if (round % 3 === 0) service.mode = "silent";
      if (round % 3 === 1) service.mode = "forgetful";
      if (round % 3 === 2) {
        member.reachable = "refuses";
        member.cutConnections();
      }
      await scene.pass(10);
    }
    expect(lease.signal.aborted).toBe(false);
    expect(scene.leases.find(lease.id)).not.toBeNull();
  });

  test("is given up before the cluster gives it up when nobody can be reached any more", async () => {
    for (const trouble of ["refuses", "silent"] as const) {
      const scene = new Scene();
      const lease = await scene.settle(scene.client().hold(6));
      const loss = watchLoss(scene, lease);
      await scene.pass(7.5);
      for (const member of scene.members) {
        member.reachable = trouble;
        member.cutConnections();
      }
      const expiresAtMs = scene.leases.find(lease.id)?.expiresAtMs ?? 0;
      await scene.pass(30);
      expect(loss.atSeconds).not.toBeNull();
      expect(loss.atSeconds ?? Number.NaN).toBeLessThanOrEqual(expiresAtMs / 1000);
      expect(loss.atSeconds ?? Number.NaN).toBeGreaterThan(expiresAtMs / 1000 - 0.2);
      expect(lease.signal.reason).toMatchObject({ code: "ERR_LEASE_LOST", retryable: "never" });
    }
  });

  test("is lost when the cluster does not know it any more", async () => {
    const scene = new Scene();
    const lease = await scene.settle(scene.client().hold(6));
    const loss = watchLoss(scene, lease);
    scene.leases.revoke(lease.id);
    await scene.pass(3);
    expect(loss.atSeconds).not.toBeNull();
    expect(String(lease.signal.reason)).toContain("the cluster does not know it any more");
    await scene.settle(lease.revoke());
  });

  test("is renewed though the client has as many calls as it may", async () => {
    const scene = new Scene();
    const client = scene.client({ inFlightMax: 1 });
    const lease = await scene.settle(client.hold(6));
    await expect(client.list()).rejects.toMatchObject({ code: "ERR_OVERLOADED" });
    await scene.pass(60);
    expect(lease.signal.aborted).toBe(false);
  });

  test("ends with the client", async () => {
    const scene = new Scene();
    const client = scene.cluster.client({ endpoints: addresses });
    const lease = await scene.settle(client.etcd.leases.hold(6));
    client.close();
    expect(lease.signal.reason).toMatchObject({ code: "ERR_CLOSED" });
  });

  test("that is abandoned is left to its time", async () => {
    const scene = new Scene();
    const lease = await scene.settle(scene.client().hold(6));
    lease.abandon();
    await scene.pass(5);
    expect(scene.leases.find(lease.id)).not.toBeNull();
    await scene.pass(2);
    expect(scene.leases.find(lease.id)).toBeNull();
    expect(lease.signal.aborted).toBe(false);
  });
});

describe("renewals", () => {
  test("of all leases share one stream, which ends when nobody needs it", async () => {
    const scene = new Scene();
    const client = scene.client();
    const leases = await scene.settle(Promise.all(Array.from({ length: 50 }, () => client.hold(9))));
    await scene.pass(60);
    expect(scene.services.map(({ streams }) => streams).toSorted((a, b) => a - b)).toEqual([0, 1]);
    await scene.settle(Promise.all(leases.map((lease) => lease.revoke())));
    await scene.pass(1);
    expect(scene.services.map(({ streamsOpen }) => streamsOpen)).toEqual([0, 0]);
  });

  test("can be asked for one by one, and say that there is no such lease", async () => {
    const scene = new Scene();
    const client = scene.client();
    const { id } = await scene.settle(client.grant(20));
    expect(await scene.settle(client.keepAliveOnce(id))).toMatchObject({ id, ttl: 20 });
    expect(await scene.settle(client.keepAliveOnce(4711n))).toMatchObject({ ttl: 0 });
    await scene.pass(1);
    expect(scene.services.map(({ streamsOpen }) => streamsOpen)).toEqual([0, 0]);
  });

  test("of somebody else's lease can be taken over", async () => {
    const scene = new Scene();
    const client = scene.client();
    const { id } = await scene.settle(client.grant(6));
    const lease = await scene.settle(client.adopt(id));
    await scene.pass(60);
    expect(scene.leases.find(lease.id)).not.toBeNull();
    await expect(scene.settle(client.adopt(4711n))).rejects.toMatchObject({ code: "ERR_LEASE_LOST" });
  });
});

test("a lease is granted once, though the answer to the first attempt was lost", async () => {
  const scene = new Scene();
  for (const service of scene.services) service.mode = "forgetful";
  scene.cluster.clock.setTimer(200, () => {
    for (const service of scene.services) service.mode = "answers";
  });
  const granted = await scene.settle(scene.client().grant(30));
  expect(granted.ttl).toBe(30);
  expect(granted.id).toBeGreaterThan(0n);
  expect(granted.id).toBeLessThan(2n ** 53n);
  expect(scene.services.reduce((sum, { grants }) => sum + grants, 0)).toBeGreaterThan(1);
});

test("an id that the caller chose is refused if it exists, and the outcome of a lost answer is unknown", async () => {
  const scene = new Scene();
  const client = scene.client();
  await scene.settle(client.grant(30, { id: 7n }));
  await expect(scene.settle(client.grant(30, { id: 7n }))).rejects.toMatchObject({
    code: "ERR_REJECTED",
    status: { message: "etcdserver: lease already exists" },
  });
  for (const service of scene.services) service.mode = "forgetful";
  await expect(scene.settle(client.grant(30, { id: 8n }))).rejects.toMatchObject({ code: "ERR_OUTCOME_UNKNOWN" });
});
