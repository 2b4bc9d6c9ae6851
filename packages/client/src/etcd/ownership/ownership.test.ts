import { describe, expect, test } from "vitest";
import type { RaftKVClient } from "../../raftkv-client.ts";
import { ScriptedCluster } from "../../testing/scripted-cluster.ts";
import { ScriptedStore } from "../../testing/scripted-store.ts";
import type { HeldLock } from "./held-lock.ts";
import type { OwnershipOptions } from "./ownership.ts";

const addresses = ["127.0.0.1:1001", "127.0.0.1:1002"];
const text = new TextDecoder();

/** Two members with one store, and as many clients as are asked for. */
class Scene {
  readonly cluster = new ScriptedCluster();
  readonly store = new ScriptedStore(this.cluster.clock);
  readonly members = addresses.map((address) => this.cluster.member(address));
  readonly client: RaftKVClient = this.cluster.client({ endpoints: addresses });

  constructor() {
    for (const { dispatcher } of this.members) this.store.serve(dispatcher);
  }

  settle<Value>(promise: Promise<Value>): Promise<Value> {
    return this.cluster.clock.settle(promise);
  }

  pass(seconds: number): Promise<void> {
    return this.cluster.clock.pass(seconds * 1000);
  }

  lock(options: OwnershipOptions = {}, client = this.client): Promise<HeldLock> {
    return client.etcd.lock("printer", { ttl: 10, ...options });
  }

  /** Nobody can be reached any more. */
  cutOff(): void {
    for (const member of this.members) {
      member.reachable = "refuses";
      member.cutConnections();
    }
  }
}

async function failure(call: Promise<unknown>): Promise<unknown> {
  try {
    return { resolved: await call };
  } catch (error) {
    return error;
  }
}

describe("a lock", () => {
  test("stands in the store as a key under its name, in hex, as etcd's clients expect it", async () => {
    const scene = new Scene();
    const lock = await scene.settle(scene.lock());
    expect(text.decode(lock.key)).toBe(`printer/${lock.leaseId.toString(16)}`);
    expect(scene.store.keys("printer/")).toEqual([text.decode(lock.key)]);
    await scene.settle(lock.unlock());
    await scene.settle(lock.unlock());
    expect(scene.store.keys("printer/")).toEqual([]);
    expect(scene.store.leaseCount).toBe(0);
  });

  test("goes from one to the next in the order in which they came, with growing tokens", async () => {
    const scene = new Scene();
    const order: number[] = [];
    const tokens: number[] = [];
    let owners = 0;
    const work = async (place: number): Promise<void> => {
      const lock = await scene.lock();
      owners += 1;
      expect(owners).toBe(1);
      order.push(place);
      tokens.push(lock.fencingToken);
      await new Promise<void>((resolve) => scene.cluster.clock.setTimer(100, resolve));
      owners -= 1;
      await lock.unlock();
    };
    await scene.settle(Promise.all(Array.from({ length: 10 }, (_, place) => work(place))));
    expect(order).toHaveLength(10);
    expect(tokens).toEqual(tokens.toSorted((one, other) => one - other));
    expect(scene.store.keys("printer/")).toEqual([]);
  });

  test("is held beyond the time of its lease, through connections that break", async () => {
    const scene = new Scene();
    const lock = await scene.settle(scene.lock());
    for (let round = 0; round < 10; round++) {
      await scene.pass(7);
      for (const member of scene.members) member.cutConnections();
    }
    expect(lock.signal.aborted).toBe(false);
    expect(scene.store.keys("printer/")).toHaveLength(1);
  });

  test("is lost for an owner who is cut off no later than for the others", async () => {
    const scene = new Scene();
    const lock = await scene.settle(scene.lock());
    let lostAtMs = Number.POSITIVE_INFINITY;
    lock.signal.addEventListener("abort", () => {
      lostAtMs = scene.cluster.clock.monotonicMs();
    });
    scene.cutOff();
    let goneAtMs = Number.POSITIVE_INFINITY;
    while (goneAtMs === Number.POSITIVE_INFINITY) {
      await scene.pass(0.05);
      if (scene.store.keys("printer/").length === 0) goneAtMs = scene.cluster.clock.monotonicMs();
    }
    // Of two timers of the same moment either may be the first.
    await scene.pass(0.001);
    expect(lostAtMs).toBeLessThanOrEqual(goneAtMs);
    // There is nothing to let go of, so nobody has to be reached for it.
    await lock.unlock();
    expect(lock.signal.reason).toMatchObject({ code: "ERR_LEASE_LOST" });
  });

  test("is lost when its key is deleted by somebody else", async () => {
    const scene = new Scene();
    const lock = await scene.settle(scene.lock());
    scene.store.delete(text.decode(lock.key));
    await scene.pass(0.1);
    expect(lock.signal.reason).toMatchObject({ code: "ERR_LEASE_LOST", message: expect.stringContaining("was deleted") });
    await lock.unlock();
    await scene.pass(0.1);
    expect(scene.store.leaseCount).toBe(0);
  });

  test("with a lease of the caller leaves the lease, and is lost with it", async () => {
    const scene = new Scene();
    const lease = await scene.settle(scene.client.etcd.leases.hold(10));
    const lock = await scene.settle(scene.lock({ lease }));
    await scene.settle(lock.unlock());
    expect(scene.store.keys("printer/")).toEqual([]);
    expect(scene.store.leaseCount).toBe(1);
    const again = await scene.settle(scene.lock({ lease }));
    scene.store.endLease(lease.id);
    await scene.pass(5);
    expect(again.signal.reason).toMatchObject({ code: "ERR_LEASE_LOST" });
  });

  test("is had at once by whoever has it already with the same lease", async () => {
    const scene = new Scene();
    const lease = await scene.settle(scene.client.etcd.leases.hold(10));
    const lock = await scene.settle(scene.lock({ lease }));
    const again = await scene.settle(scene.lock({ lease }));
    expect(again.fencingToken).toBe(lock.fencingToken);
  });
});

describe("whoever gives up waiting leaves nothing in the line", () => {
  test("because the time is over", async () => {
    const scene = new Scene();
    const lock = await scene.settle(scene.lock());
    const startMs = scene.cluster.clock.monotonicMs();
    expect(await scene.settle(failure(scene.lock({ timeoutMs: 30_000 })))).toMatchObject({ code: "ERR_TIMEOUT" });
    expect(scene.cluster.clock.monotonicMs() - startMs).toBeGreaterThanOrEqual(30_000);
    expect(scene.store.keys("printer/")).toEqual([text.decode(lock.key)]);
    expect(scene.store.leaseCount).toBe(1);
  });

  test("because of its signal, also with a lease of the caller", async () => {
    const scene = new Scene();
    const lock = await scene.settle(scene.lock());
    const lease = await scene.settle(scene.client.etcd.leases.hold(10));
    for (const options of [{}, { lease }]) {
      const controller = new AbortController();
      scene.cluster.clock.setTimer(500, () => controller.abort(new Error("never mind")));
      expect(await scene.settle(failure(scene.lock({ ...options, signal: controller.signal })))).toMatchObject({
        code: "ERR_ABORTED",
        cause: { message: "never mind" },
      });
      expect(scene.store.keys("printer/")).toEqual([text.decode(lock.key)]);
    }
  });

  test("because the lease was lost meanwhile", async () => {
    const scene = new Scene();
    await scene.settle(scene.lock());
    const lease = await scene.settle(scene.client.etcd.leases.hold(10));
    const waiting = failure(scene.lock({ lease }));
    await scene.pass(1);
    scene.store.endLease(lease.id);
    expect(await scene.settle(waiting)).toMatchObject({ code: "ERR_LEASE_LOST" });
    expect(scene.store.keys("printer/")).toHaveLength(1);
  });

  test("because somebody took its key away: it does not believe that its turn has come", async () => {
    const scene = new Scene();
    const lock = await scene.settle(scene.lock());
    const waiting = failure(scene.lock());
    await scene.pass(1);
    const [other = ""] = scene.store.keys("printer/").filter((key) => key !== text.decode(lock.key));
    scene.store.delete(other);
    await scene.settle(lock.unlock());
    expect(await scene.settle(waiting)).toMatchObject({ code: "ERR_LEASE_LOST", message: expect.stringContaining("was gone") });
  });
});

describe("an election", () => {
  test("has one leader, who can change what it says and resign", async () => {
    const scene = new Scene();
    const election = scene.client.etcd.election("boss");
    expect(await scene.settle(election.leader())).toBeNull();
    const ada = await scene.settle(election.campaign("ada", { ttl: 10 }));
    const next = election.campaign("bob", { ttl: 10 });
    await scene.settle(ada.proclaim("ada!"));
    expect(text.decode((await scene.settle(election.leader()))?.value)).toBe("ada!");
    await scene.settle(ada.resign());
    const bob = await scene.settle(next);
    expect(bob.fencingToken).toBeGreaterThan(ada.fencingToken);
    expect(text.decode((await scene.settle(election.leader()))?.value)).toBe("bob");
    expect(await scene.settle(failure(ada.proclaim("still ada")))).toMatchObject({ code: "ERR_LEASE_LOST" });
  });

  test("with the same lease again takes the new value", async () => {
    const scene = new Scene();
    const lease = await scene.settle(scene.client.etcd.leases.hold(10));
    const election = scene.client.etcd.election("boss");
    await scene.settle(election.campaign("ada", { lease }));
    await scene.settle(election.campaign("ada again", { lease }));
    expect(text.decode((await scene.settle(election.leader()))?.value)).toBe("ada again");
  });

  test("is observed leader by leader, with all that they say, through connections that break", async () => {
    const scene = new Scene();
    const election = scene.client.etcd.election("boss");
    const controller = new AbortController();
    const heard: string[] = [];
    const listening = (async () => {
      for await (const { value } of election.observe({ signal: controller.signal })) heard.push(text.decode(value));
    })();
    await scene.pass(1);
    const ada = await scene.settle(election.campaign("ada", { ttl: 10 }));
    // Stands before the leader says something new: what the next leader says is older then.
    const next = election.campaign("bob", { ttl: 10 });
    await scene.pass(1);
    for (const member of scene.members) member.cutConnections();
    await scene.pass(1);
    await scene.settle(ada.proclaim("ada!"));
    await scene.pass(1);
    await scene.settle(ada.resign());
    const bob = await scene.settle(next);
    await scene.pass(1);
    await scene.settle(bob.resign());
    await scene.pass(1);
    await scene.settle(election.campaign("cy", { ttl: 10 }));
    await scene.pass(1);
    controller.abort();
    await scene.settle(listening);
    expect(heard).toEqual(["ada", "ada!", "bob", "cy"]);
  });
});
