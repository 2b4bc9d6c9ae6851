import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { etcdctlProgram, RunningEtcdctl, runEtcdctl } from "../support/etcdctl.ts";
import { eventually } from "../support/eventually.ts";
import { ProcessCluster } from "../support/process-cluster.ts";

if (etcdctlProgram === null) console.warn("etcdctl is not on the PATH (Debian package etcd-client): its tests are skipped");

describe.skipIf(etcdctlProgram === null)("etcdctl's leases, locks and elections, unchanged", () => {
  let cluster: ProcessCluster;
  const running: RunningEtcdctl[] = [];

  beforeAll(async () => {
    cluster = await ProcessCluster.start({ size: 3, flags: ["--log-level=warn"] });
  });
  afterEach(async () => {
    for (const one of running.splice(0)) await one.stop("SIGKILL");
  });
  afterAll(() => cluster.dispose());

  function run(...args: readonly string[]): Promise<string> {
    return runEtcdctl(`--endpoints=${cluster.endpoints}`, ...args);
  }

  function start(...args: readonly string[]): RunningEtcdctl {
    const one = new RunningEtcdctl([`--endpoints=${cluster.endpoints}`, ...args]);
    running.push(one);
    return one;
  }

  async function grant(ttlSeconds: number): Promise<string> {
    const output = await run("lease", "grant", String(ttlSeconds));
    const match = /^lease ([0-9a-f]{16}) granted with TTL\((\d+)s\)\n$/.exec(output);
    expect(match?.[2], output).toBe(String(ttlSeconds));
    return match?.[1] ?? "";
  }

  test("grants, lists and revokes a lease, whose keys go with it", async () => {
    const id = await grant(60);
    expect(BigInt(`0x${id}`)).toBeLessThan(2n ** 53n);
    expect(await run("put", "leased/b", "2", `--lease=${id}`)).toBe("OK\n");
    expect(await run("put", "leased/a", "1", `--lease=${id}`)).toBe("OK\n");
    expect(await run("lease", "timetolive", id, "--keys")).toMatch(
      new RegExp(`^lease ${id} granted with TTL\\(60s\\), remaining\\((5\\d|60)s\\), attached keys\\(\\[leased/a leased/b\\]\\)\n$`),
    );
    expect(await run("lease", "list")).toBe(`found 1 leases\n${id}\n`);
    expect(await run("lease", "revoke", id)).toBe(`lease ${id} revoked\n`);
    expect(await run("get", "leased/", "--prefix")).toBe("");
    expect(await run("lease", "list")).toBe("found 0 leases\n");
    expect(await run("lease", "timetolive", id)).toBe(`lease ${id} already expired\n`);
    await expect(run("lease", "revoke", id)).rejects.toThrow(/etcdserver: requested lease not found/);
    await expect(run("put", "k", "v", `--lease=${id}`)).rejects.toThrow(/etcdserver: requested lease not found/);
  });

  test("keeps a lease alive through every member, and is told when it is gone", async () => {
    const id = await grant(60);
    for (const member of cluster.members) {
      const endpoint = `--endpoints=127.0.0.1:${member.clientPort}`;
      expect(await run(endpoint, "lease", "keep-alive", "--once", id)).toBe(`lease ${id} keepalived with TTL(60)\n`);
      expect(await run(endpoint, "lease", "timetolive", id)).toMatch(/remaining\((5\d|60)s\)/);
    }
    await run("lease", "revoke", id);
    await expect(run("lease", "keep-alive", "--once", id)).rejects.toThrow(/etcdserver: requested lease not found/);
  });

  test("sees a lease run out when nobody keeps it alive, and live on while somebody does", async () => {
    const [left, kept] = [await grant(4), await grant(5)];
    await run("put", "left", "1", `--lease=${left}`);
    await run("put", "kept", "1", `--lease=${kept}`);
    const keeper = start("lease", "keep-alive", kept);
    await eventually(async () => expect(await run("get", "left")).toBe(""));
    await keeper.wrote(/(keepalived with TTL\(5\)\n[^]*){4}/);
    expect(await run("get", "kept")).toBe("kept\n1\n");
    await run("lease", "revoke", kept);
    await keeper.wrote(/expired or revoked/);
    expect(await run("get", "kept")).toBe("");
  });

  test("keeps a lease alive while the leader is killed and comes back", async () => {
    const id = await grant(5);
    await run("put", "survivor", "1", `--lease=${id}`);
    const leader = await cluster.leader();
    const [follower] = await cluster.followers();
    const keeper = new RunningEtcdctl([`--endpoints=127.0.0.1:${follower?.clientPort}`, "lease", "keep-alive", id]);
    running.push(keeper);
    await keeper.wrote(/keepalived with TTL\(5\)/);
    await leader.kill();
    const before = keeper.output.length;
    await eventually(async () => expect(keeper.output.slice(before).match(/keepalived/g)?.length).toBeGreaterThan(3));
    leader.start();
    await cluster.leader();
    expect(await run("get", "survivor")).toBe("survivor\n1\n");
    await keeper.stop();
    await eventually(async () => expect(await run("get", "survivor")).toBe(""));
  });

  test("holds a lock until it stops, and the next in line gets it", async () => {
    const first = start("lock", "mutex");
    await first.wrote(/^mutex\/[0-9a-f]+\n/);
    const second = start("lock", "mutex");
    await eventually(async () => expect((await run("get", "mutex/", "--prefix", "--keys-only")).match(/mutex\//g)).toHaveLength(2));
    expect(second.output).toBe("");
    await first.stop();
    await second.wrote(/^mutex\/[0-9a-f]+\n/);
    await second.stop();
    expect(await run("get", "mutex/", "--prefix")).toBe("");
  });

  test("runs a command under a lock, and exits as it does", async () => {
    expect(await run("lock", "mutex", "--", "sh", "-c", "echo locked by $ETCD_LOCK_KEY")).toMatch(/^locked by mutex\/[0-9a-f]+\n$/);
    await expect(run("lock", "mutex", "false")).rejects.toMatchObject({ code: 1 });
  });

  test("elects, and shows who leads", async () => {
    const [one, other] = [start("elect", "office", "one"), start("elect", "--listen", "office")];
    await one.wrote(/^office\/[0-9a-f]+\none\n/);
    await other.wrote(/office\/[0-9a-f]+\none\n/);
    const next = start("elect", "office", "two");
    await eventually(async () => expect((await run("get", "office/", "--prefix", "--keys-only")).match(/office\//g)).toHaveLength(2));
    expect(next.output).toBe("");
    await one.stop();
    await next.wrote(/^office\/[0-9a-f]+\ntwo\n/);
    await other.wrote(/office\/[0-9a-f]+\ntwo\n/);
  });
});
