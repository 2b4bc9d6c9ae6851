import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { etcdctlProgram, runEtcdctl } from "../support/etcdctl.ts";
import { eventually } from "../support/eventually.ts";
import { ProcessCluster } from "../support/process-cluster.ts";

if (etcdctlProgram === null) console.warn("etcdctl is not on the PATH (Debian package etcd-client): its tests are skipped");

describe.skipIf(etcdctlProgram === null)("etcdctl, unchanged", () => {
  let cluster: ProcessCluster;

  beforeAll(async () => {
    cluster = await ProcessCluster.start({ size: 3, flags: ["--log-level=warn"] });
  });
  afterAll(() => cluster.dispose());

  function run(...args: readonly string[]): Promise<string> {
    return runEtcdctl(`--endpoints=${cluster.endpoints}`, ...args);
  }

  test("puts and gets", async () => {
    expect(await run("put", "hello", "ww-raftkv")).toBe("OK\n");
    expect(await run("get", "hello")).toBe("hello\nww-raftkv\n");
    // Any member may be asked, also one that has not heard of the put.
    await eventually(async () => expect(await run("get", "hello", "--consistency=s")).toBe("hello\nww-raftkv\n"));
    expect(await run("get", "nobody")).toBe("");
    expect(await run("put", "hello", "again", "--prev-kv")).toBe("OK\nhello\nww-raftkv\n");
  });

  test("gets by prefix, from a key on, limited, sorted and counted", async () => {
    for (const key of ["p/a", "p/b", "p/c", "q"]) await run("put", key, `value of ${key}`);
    expect(await run("get", "p/", "--prefix", "--keys-only")).toBe("p/a\n\np/b\n\np/c\n\n");
    expect(await run("get", "p/", "--prefix", "--limit=2", "--print-value-only")).toBe("value of p/a\nvalue of p/b\n");
    expect(await run("get", "p/b", "--from-key", "--keys-only")).toBe("p/b\n\np/c\n\nq\n\n");
    expect(await run("get", "p/a", "p/c", "--keys-only")).toBe("p/a\n\np/b\n\n");
    expect(await run("get", "p/", "--prefix", "--order=DESCEND", "--keys-only")).toBe("p/c\n\np/b\n\np/a\n\n");
    expect(await run("get", "p/", "--prefix", "--limit=1", "-w", "fields")).toMatch(/"More" : true\n"Count" : 3/);
  });

  test("deletes", async () => {
    for (const key of ["d/a", "d/b", "d/c"]) await run("put", key, key);
    expect(await run("del", "d/a", "--prev-kv")).toBe("1\nd/a\nd/a\n");
    expect(await run("del", "d/a")).toBe("0\n");
    expect(await run("del", "d/", "--prefix")).toBe("2\n");
    expect(await run("get", "d/", "--prefix")).toBe("");
  });

  test("shows revisions as etcd counts them", async () => {
    await run("put", "r", "1");
    await run("put", "r", "2");
    const { header, kvs } = JSON.parse(await run("get", "r", "-w", "json"));
    expect(kvs).toHaveLength(1);
    expect(kvs[0]).toMatchObject({ version: 2, mod_revision: header.revision, create_revision: header.revision - 1 });
  });

  test("shows the state of the endpoints", async () => {
    // They are asked one after the other, and between two answers another may begin to lead.
    await eventually(async () => {
      const table = await run("endpoint", "status", "-w", "table");
      expect(table).toMatch(/ENDPOINT.*IS LEADER.*RAFT TERM.*RAFT INDEX/);
      expect(table.match(/127\.0\.0\.1:\d+ \| +[0-9a-f]+ \| +3\.4\.23/g)).toHaveLength(3);
      expect(table.match(/ true \| +false \|/g), "one member leads").toHaveLength(1);
    });
    const healthy = { health: true };
    expect(JSON.parse(await run("endpoint", "health", "-w", "json"))).toMatchObject([healthy, healthy, healthy]);
  });

  test("lists the members with their names and addresses", async () => {
    // A member tells the others its name and address after it has started.
    await eventually(async () => {
      const list = await run("member", "list");
      for (const { name, peerPort, clientPort } of cluster.members) {
        expect(list).toContain(`, started, ${name}, http://127.0.0.1:${peerPort}, http://127.0.0.1:${clientPort}, false`);
      }
    });
  });

  test("is told in etcd's words what can't be done, and plainly what is not there yet", async () => {
    await expect(run("put", "k", "v", "--lease=1234")).rejects.toThrow(/etcdserver: requested lease not found/);
    await expect(run("get", "hello", "--rev=100000")).rejects.toThrow(/required revision is a future revision/);
    await expect(run("compaction", "100000")).rejects.toThrow(/required revision is a future revision/);
    await expect(run("user", "list")).rejects.toThrow(/Unimplemented.*users and roles are not available in this version/);
  });
});
