import { type ClientError, compare, connect, operation, type RaftKVClient } from "@raftkv/client";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { EtcdProcess, etcdProgram } from "../support/etcd-process.ts";
import { etcdctlProgram, runEtcdctl } from "../support/etcdctl.ts";
import { eventually } from "../support/eventually.ts";
import { ProcessCluster } from "../support/process-cluster.ts";

if (etcdProgram === null) console.warn("etcd is not on the PATH (Debian package etcd-server): the client's tests against it are skipped");
if (etcdctlProgram === null)
  console.warn("etcdctl is not on the PATH (Debian package etcd-client): the client's tests beside it are skipped");

const text = new TextDecoder();

/** A cluster of either kind. */
interface Subject {
  readonly endpoints: readonly string[];
  /** Kills the member that matters most, and starts it again. Resolves when the cluster works. */
  disturb(): Promise<void>;
  dispose(): Promise<void>;
}

async function startEtcd(): Promise<Subject> {
  const etcd = await EtcdProcess.start();
  return {
    endpoints: [etcd.endpoint],
    async disturb() {
      await etcd.kill();
      await etcd.run();
    },
    dispose: () => etcd.dispose(),
  };
}

async function startRaftKV(): Promise<Subject> {
  const cluster = await ProcessCluster.start({ size: 3, flags: ["--log-level=warn"] });
  return {
    endpoints: cluster.endpoints.split(","),
    async disturb() {
      const leader = await cluster.leader();
      await leader.kill();
      await cluster.leader();
      leader.start();
    },
    dispose: () => cluster.dispose(),
  };
}

const subjects = [
  { name: "etcd itself", start: startEtcd, absent: etcdProgram === null },
  { name: "a RaftKV cluster", start: startRaftKV, absent: false },
];

describe.each(subjects)("the client with $name", ({ start, absent }) => {
  let subject: Subject;
  let client: RaftKVClient;

  beforeAll(async () => {
    if (absent) return;
    subject = await start();
    client = await connect(subject.endpoints);
  });
  afterAll(async () => {
    client?.close();
    await subject?.dispose();
  });
  beforeEach((context) => context.skip(absent, "etcd is not installed"));

  test("puts, gets, ranges and deletes", async () => {
    const kv = client.etcd;
    const { header } = await kv.put("a/1", "one");
    expect(await kv.get("a/1")).toMatchObject({ createRevision: header.revision, version: 1, lease: 0n });
    const { prevKv } = await kv.put("a/1", "uno", { prevKv: true });
    expect(text.decode(prevKv?.value)).toBe("one");
    await kv.put("a/2", "due");
    const { kvs, count, more } = await kv.range({ prefix: "a/" }, { limit: 1, sort: { by: "key", order: "descending" } });
    expect([kvs.map(({ key }) => text.decode(key)), count, more]).toEqual([["a/2"], 2, true]);
    expect(text.decode((await kv.get("a/1", { revision: header.revision }))?.value)).toBe("one");
    expect(await kv.delete({ prefix: "a/" })).toMatchObject({ deleted: 2 });
    expect(await kv.get("a/1")).toBeNull();
  });

  test("runs transactions, also within others, and types what they answer", async () => {
    const kv = client.etcd;
    const inner = kv.txn().compare(compare.missing("t/nobody")).success(operation.get("t/a"));
    const result = await kv
      .txn()
      .compare(compare.missing("t/a"))
      .success(operation.put("t/a", "1"), operation.txn(inner))
      .failure(operation.range({ prefix: "t/" }))
      .commit();
    if (!result.succeeded) throw new Error("the key was there before");
    const [put, nested] = result.responses;
    expect(put.prevKv).toBeNull();
    expect(nested.succeeded && text.decode(nested.responses[0]?.value)).toBe("1");
  });

  test("tells a refusal by the server's own words", async () => {
    const error = await client.etcd.put("k", "v", { lease: 4711n }).catch((reason: unknown) => reason as ClientError);
    expect(error).toMatchObject({ code: "ERR_REJECTED", status: { message: "etcdserver: requested lease not found" } });
    const { header } = await client.etcd.put("k", "v");
    await client.etcd.compact(header.revision);
    await expect(client.etcd.get("k", { revision: header.revision - 1 })).rejects.toMatchObject({ code: "ERR_COMPACTED" });
  });

  test("watches through a restart of the server", async () => {
    const watch = client.etcd.watch({ prefix: "w/" });
    await watch.created;
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { events } of watch) {
        for (const { type, kv } of events) seen.push(`${type} ${text.decode(kv.key)}`);
        if (seen.length >= 4) return;
      }
    })();
    await client.etcd.put("w/1", "x");
    await subject.disturb();
    await client.etcd.put("w/2", "x", { timeoutMs: 60_000 });
    await client.etcd.delete({ prefix: "w/" });
    await reading;
    expect(seen).toEqual(["put w/1", "put w/2", "delete w/1", "delete w/2"]);
  });

  test("holds a lease beyond its time, and sees it lost", async () => {
    const { leases } = client.etcd;
    const ttl = 4;
    const lease = await leases.hold(ttl);
    await client.etcd.put("l/1", "x", { lease });
    await new Promise((resolve) => setTimeout(resolve, 1.25 * ttl * 1_000));
    expect(await client.etcd.get("l/1")).toMatchObject({ lease: lease.id });
    expect(await leases.timeToLive(lease.id, { keys: true })).toMatchObject({ grantedTtl: ttl, keys: [new TextEncoder().encode("l/1")] });
    expect((await leases.list()).ids).toContain(lease.id);
    const lost = new Promise((resolve) => lease.signal.addEventListener("abort", () => resolve(lease.signal.reason)));
    await leases.revoke(lease.id);
    expect(await lost).toMatchObject({ code: "ERR_LEASE_LOST" });
    expect(await client.etcd.get("l/1")).toBeNull();
    expect(await leases.keepAliveOnce(lease.id)).toMatchObject({ ttl: 0 });
    await expect(leases.adopt(lease.id)).rejects.toMatchObject({ code: "ERR_LEASE_LOST" });
  });

  test("lets one at a time hold a lock, in the order of their coming, with growing tokens", async () => {
    const first = await client.etcd.lock("locks/a", { ttl: 60 });
    const order: string[] = [];
    const second = client.etcd.lock("locks/a", { ttl: 60 }).then((lock) => {
      order.push("second");
      return lock;
    });
    await eventually(async () => expect((await client.etcd.range({ prefix: "locks/a/" })).count).toBe(2));
    const impatient = client.etcd.lock("locks/a", { ttl: 60, timeoutMs: 300 });
    await expect(impatient).rejects.toMatchObject({ code: "ERR_TIMEOUT" });
    expect((await client.etcd.range({ prefix: "locks/a/" })).count).toBe(2);
    order.push("first ends");
    await first.unlock();
    const lock = await second;
    expect(order).toEqual(["first ends", "second"]);
    expect(lock.fencingToken).toBeGreaterThan(first.fencingToken);
    expect(first.signal.aborted).toBe(false);
    const lost = new Promise((resolve) => lock.signal.addEventListener("abort", () => resolve(lock.signal.reason)));
    await client.etcd.delete(lock.key);
    expect(await lost).toMatchObject({ code: "ERR_LEASE_LOST" });
  });

  test("elects a leader, and tells who leads and what it says", async () => {
    const election = client.etcd.election("boss");
    expect(await election.leader()).toBeNull();
    const heard: string[] = [];
    const listening = (async () => {
      for await (const { value } of election.observe()) {
        heard.push(text.decode(value));
        if (heard.length === 3) return;
      }
    })();
    const ada = await election.campaign("ada", { ttl: 60 });
    const next = election.campaign("bob", { ttl: 60 });
    await eventually(async () => expect(heard).toEqual(["ada"]));
    await ada.proclaim("ada at noon");
    await eventually(async () => expect(heard).toEqual(["ada", "ada at noon"]));
    await ada.resign();
    await expect(ada.proclaim("still ada")).rejects.toMatchObject({ code: "ERR_LEASE_LOST" });
    const bob = await next;
    expect(text.decode((await election.leader())?.value)).toBe("bob");
    await listening;
    expect(heard).toEqual(["ada", "ada at noon", "bob"]);
    await bob.resign();
  });

  test.skipIf(etcdctlProgram === null)("stands in one line with etcdctl", async () => {
    const lock = await client.etcd.lock("locks/b", { ttl: 60 });
    const other = runEtcdctl(`--endpoints=${subject.endpoints.join()}`, "lock", "locks/b", "echo", "got it");
    await eventually(async () => expect((await client.etcd.range({ prefix: "locks/b/" })).count).toBe(2));
    await lock.unlock();
    expect(await other).toBe("got it\n");
  });

  test("reads a long range page by page, as it was at one revision", async () => {
    const kv = client.etcd;
    const names = Array.from({ length: 250 }, (_, place) => `p/${String(place).padStart(3, "0")}`);
    for (let at = 0; at < names.length; at += 50) {
      await kv
        .txn()
        .success(...names.slice(at, at + 50).map((name) => operation.put(name, "old")))
        .commit();
    }
    const seen: string[] = [];
    for await (const { key, value } of kv.entries({ prefix: "p/" }, { pageSize: 40 })) {
      seen.push(`${text.decode(key)} ${text.decode(value)}`);
      if (seen.length === 1) await kv.put("p/200", "new");
    }
    expect(seen).toEqual(names.map((name) => `${name} old`));
  });

  test("tells about members and their state", async () => {
    // Each tells of itself, and may be behind the others for a moment.
    await eventually(async () => {
      const { members } = await client.etcd.members();
      expect(members.flatMap(({ clientUrls }) => clientUrls).toSorted()).toEqual(
        subject.endpoints.map((endpoint) => `http://${endpoint}`).toSorted(),
      );
      const states = await Promise.all(subject.endpoints.map((endpoint) => client.etcd.member(endpoint).status()));
      expect(states.every(({ version, raftTerm }) => version === "3.4.23" && raftTerm > 0)).toBe(true);
      expect(new Set(states.map(({ leader }) => leader)).size).toBe(1);
      const hashes = await Promise.all(subject.endpoints.map((endpoint) => client.etcd.member(endpoint).hashKv()));
      expect(new Set(hashes.map(({ hash }) => hash)).size).toBe(1);
    });
    let bytes = 0;
    for await (const { blob } of client.etcd.member(subject.endpoints[0] ?? "").snapshot()) bytes += blob.length;
    expect(bytes % 512).toBe(32);
  });

  test("raises and ends alarms", async () => {
    expect((await client.etcd.alarms()).alarms).toEqual([]);
    // Of nobody: a member ends its own when it has had space for a while.
    const alarm = { memberId: 4711n, alarm: "NOSPACE" } as const;
    expect((await client.etcd.raiseAlarm(alarm)).alarms).toEqual([alarm]);
    await expect(client.etcd.put("full", "x")).rejects.toMatchObject({ status: { message: "etcdserver: mvcc: database space exceeded" } });
    expect((await client.etcd.disarm(alarm)).alarms).toEqual([alarm]);
    expect((await client.etcd.alarms()).alarms).toEqual([]);
  });
});
