import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Etcd3, EtcdLeaseInvalidError, EtcdLockFailedError } from "etcd3";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { type LoneServer, loneServers } from "../support/lone-server.ts";
import { record, watchDeletes } from "./npm-etcd3-watches.ts";

describe.each(loneServers)("npm's etcd3, unchanged, with $name", ({ start }) => {
  let server: LoneServer;
  let client: Etcd3;

  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.dispose());
  beforeEach(() => {
    client = new Etcd3({ hosts: `127.0.0.1:${server.port}` });
  });
  afterEach(async () => {
    await client.delete().all();
    client.close();
  });

  test("puts, gets, lists and deletes", async () => {
    expect(await client.get("a")).toBe(null);
    await client.put("a").value("1");
    expect(await client.get("a").string()).toBe("1");
    expect((await client.put("a").value(2).getPrevious()).value.toString()).toBe("1");
    expect(await client.get("a").number()).toBe(2);
    await client.put("dir/x").value(JSON.stringify({ deep: [1] }));
    await client.put("dir/y").value(Buffer.from([0, 255]));
    expect(await client.get("dir/x").json()).toEqual({ deep: [1] });
    expect(await client.get("dir/y").buffer()).toEqual(Buffer.from([0, 255]));
    expect(await client.getAll().prefix("dir/").keys()).toEqual(["dir/x", "dir/y"]);
    expect(await client.getAll().sort("Key", "Descend").limit(2).keys()).toEqual(["dir/y", "dir/x"]);
    expect(await client.getAll().inRange({ start: "a", end: "dir/y" }).count()).toBe(2);
    expect(await client.getAll().keys()).toEqual(["a", "dir/x", "dir/y"]);
    await client.put("a").touch();
    expect(await client.get("a").exec()).toMatchObject({ kvs: [{ version: "3" }], count: "1", more: false });
    expect((await client.delete().key("a").getPrevious()).map(({ value }) => value.toString())).toEqual(["2"]);
    expect((await client.delete().prefix("dir/")).deleted).toBe("2");
  });

  test("reads what was there at an earlier revision", async () => {
    const { header } = await client.put("a").value("1");
    await client.put("a").value("2");
    expect(await client.get("a").revision(header.revision).string()).toBe("1");
    await expect(client.get("a").revision(1_000_000).string()).rejects.toThrow(/required revision is a future revision/);
  });

  test("commits transactions", async () => {
    await client.put("a").value("1");
    const first = await client.if("a", "Value", "==", "1").then(client.put("a").value("2"), client.get("a")).commit();
    expect(first.succeeded).toBe(true);
    expect(first.responses[1]?.response_range.kvs[0]?.value.toString()).toBe("2");
    const second = await client
      .if("a", "Value", "==", "1")
      .and("a", "Version", ">", 0)
      .then(client.delete().key("a"))
      .else(client.get("a"))
      .commit();
    expect(second.succeeded).toBe(false);
    expect(second.responses[0]?.response_range.kvs[0]?.version).toBe("2");
    const twice = client.if("a", "Create", ">", 0).then(client.put("a").value("x"), client.put("a").value("y"));
    await expect(twice.commit()).rejects.toThrow(/duplicate key given in txn request/);
  });

  test("increments without losing a step, with software transactional memory", async () => {
    await client.put("n").value("0");
    const increment = (): Promise<unknown> =>
      client.stm({ retries: 50 }).transact(async (txn) => txn.put("n").value(Number(await txn.get("n").number()) + 1));
    await Promise.all(Array.from({ length: 8 }, increment));
    expect(await client.get("n").number()).toBe(8);
  });

  test("keeps to a namespace", async () => {
    const space = client.namespace("space/");
    await space.put("a").value("1");
    expect(await client.get("space/a").string()).toBe("1");
    expect(await space.getAll().keys()).toEqual(["a"]);
  });

  test("watches keys and prefixes, filtered and from a revision on, many on one stream", async () => {
    const { header } = await client.put("w/a").value("1");
    // Events of the past come with the confirmation.
    const all = client.watch().prefix("w/").startRevision(header.revision).watcher();
    const seenByAll = record(all);
    await once(all, "connected");
    const deletes = await watchDeletes(client, "w/");
    const previous = await client.watch().key("w/a").withPreviousKV().create();
    const seen = [seenByAll, record(deletes)];
    const before: (string | undefined)[] = [];
    previous.on("put", (_, old) => before.push(old?.value.toString()));
    await client.put("w/a").value("2");
    await client.put("w/b").value("3");
    await client.delete().key("w/a");
    await eventually(async () => {
      expect(seen).toEqual([["put w/a 1", "put w/a 2", "put w/b 3", "delete w/a"], ["delete w/a"]]);
      expect(before).toEqual(["1"]);
    });
    for (const watcher of [all, deletes, previous]) await watcher.cancel();
    await client.put("w/a").value("4");
    await sleep(200);
    expect(seen[0]).toHaveLength(4);
  });

  test("is told that what it wants to watch was compacted", async () => {
    const { header } = await client.put("a").value("1");
    await client.put("a").value("2");
    await client.kv.compact({ revision: String(Number(header.revision) + 1) });
    const watcher = client.watch().key("a").startRevision(header.revision).watcher();
    // The reason of this one is empty, and the revision of the compaction is not shown.
    await expect(once(watcher, "end")).rejects.toThrow(/Watcher canceled/);
  });

  test("goes on watching when the server was killed and is back, without losing or repeating an event", async () => {
    const watcher = await client.watch().prefix("r/").create();
    const seen = record(watcher);
    for (let number = 0; number < 5; number++) await client.put("r/a").value(number);
    await server.restart();
    const other = new Etcd3({ hosts: `127.0.0.1:${server.port}` });
    for (let number = 5; number < 10; number++) await other.put("r/a").value(number);
    other.close();
    await eventually(async () => expect(seen).toEqual(Array.from({ length: 10 }, (_, number) => `put r/a ${number}`)));
    await watcher.cancel();
  });

  test("keeps a lease alive, and what hangs on it goes when it is let go", async () => {
    const lease = client.lease(4);
    await lease.put("leased").value("1");
    await sleep(6_000);
    expect(await client.get("leased").string()).toBe("1");
    expect((await lease.keepaliveOnce()).TTL).toBe("4");
    lease.release();
    await eventually(async () => expect(await client.get("leased")).toBe(null));
  });

  test("hears that a lease was revoked by somebody else", async () => {
    const lease = client.lease(3);
    const id = await lease.grant();
    const lost = once(lease, "lost");
    await client.leaseClient.leaseRevoke({ ID: id });
    expect((await lost)[0]).toBeInstanceOf(EtcdLeaseInvalidError);
    await expect(lease.put("leased").value("1").exec()).rejects.toThrow(/Cannot|revoked|lost|lease/i);
    const named = client.lease(30);
    await named.put("leased").value("1");
    await named.revoke();
    expect(await client.get("leased")).toBe(null);
  });

  test("holds a lock, which nobody else gets meanwhile", async () => {
    const lock = client.lock("resource").ttl(60);
    await lock.acquire();
    await expect(client.lock("resource").acquire()).rejects.toThrow(EtcdLockFailedError);
    await lock.release();
    const answer = await client.lock("resource").do(async () => "mine");
    expect(answer).toBe("mine");
  });

  test("is elected, proclaims, is observed and is followed by the next", async () => {
    const election = client.election("office", 60);
    const observer = await election.observe();
    const first = election.campaign("first");
    await first.wait();
    expect(await election.leader()).toBe("first");
    // It takes the last of several candidates that it hears of at once.
    await eventually(async () => expect(observer.leader()).toBe("first"));
    const second = election.campaign("second");
    let elected = false;
    second.on("elected", () => {
      elected = true;
    });
    await first.proclaim("first, still");
    expect(await election.leader()).toBe("first, still");
    await eventually(async () => expect(observer.leader()).toBe("first, still"));
    expect(elected).toBe(false);
    await first.resign();
    await eventually(async () => expect(elected).toBe(true));
    await eventually(async () => expect(observer.leader()).toBe("second"));
    await observer.cancel();
    await second.resign();
    expect(await election.leader()).toBe(undefined);
  });

  test("learns who the members are, and how the server is", async () => {
    const { members } = await client.cluster.memberList({});
    expect(members.map(({ clientURLs }) => clientURLs)).toEqual([[`http://127.0.0.1:${server.port}`]]);
    const status = await client.maintenance.status({});
    expect(status).toMatchObject({ version: "3.4.23", leader: members[0]?.ID });
  });
});
