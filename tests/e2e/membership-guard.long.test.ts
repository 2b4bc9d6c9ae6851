import { rm } from "node:fs/promises";
import { afterEach, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { runRaftKV } from "../support/member-process.ts";
import { type ClusterMember, ProcessCluster } from "../support/process-cluster.ts";

const electionTimeoutMs = 1_000;

const clusters: ProcessCluster[] = [];
afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.dispose();
});

async function create(options: { readonly size: number; readonly token?: string }): Promise<ProcessCluster> {
  const cluster = await ProcessCluster.create({ ...options, flags: [`--election-timeout=${electionTimeoutMs}`] });
  clusters.push(cluster);
  return cluster;
}

describe("two clusters don't mix", () => {
  test("a member that was founded with another token is refused by its peers", async () => {
    const cluster = await create({ size: 3 });
    const [first, second, third] = cluster.members;
    if (first === undefined || second === undefined || third === undefined) throw new Error("There are three members");
    first.start();
    second.start();
    await cluster.leader();
    const stranger = third.withFlags("--initial-cluster-token=another");
    stranger.start();
    await stranger.process.waitForOutput(/cluster ID mismatch/);
    await eventually(() => first.endpoint.put("key", "value"));
    await expect(stranger.endpoint.get("key", 1_000)).rejects.toThrow(/deadline exceeded/i);
    expect((await stranger.endpoint.status()).leader).toBe(0n);
    await stranger.kill();
  });

  test("a data directory of another cluster is refused with a sentence", async () => {
    const cluster = await create({ size: 1 });
    const [member] = cluster.members;
    member?.start();
    await cluster.leader();
    await member?.process.end("SIGTERM");
    const stranger = member?.withFlags("--initial-cluster-token=another");
    stranger?.start();
    const { code, output } = (await stranger?.process.exit()) ?? {};
    expect(code).toBe(1);
    expect(output).toMatch(/^raftkv: data directory .* belongs to member [0-9a-f]{16} of cluster [0-9a-f]{16}, but the options describe/);
  });
});

describe("a member whose data directory was emptied", () => {
  /** Three members that know each other's names and stores. */
  async function createPublished(): Promise<readonly [ClusterMember, ClusterMember, ClusterMember]> {
    const cluster = await create({ size: 3 });
    const [first, second, third] = cluster.members;
    if (first === undefined || second === undefined || third === undefined) throw new Error("There are three members");
    for (const member of cluster.members) member.start();
    for (const member of cluster.members) await member.process.waitForOutput("published local member to cluster through raft");
    await eventually(async () => {
      const applied = await Promise.all(cluster.members.map(async (member) => (await member.endpoint.status()).appliedIndex));
      expect(new Set(applied).size).toBe(1);
    });
    return [first, second, third];
  }

  async function empty(member: ClusterMember): Promise<void> {
    await member.kill();
    await rm(member.dataDir, { recursive: true });
  }

  test("can't outvote an acknowledged write together with a member that missed it", async () => {
    const [first, second, third] = await createPublished();
    await third.kill();
    // The third may have been the leader.
    await eventually(() => first.endpoint.put("acknowledged", "by two", 5_000));
    await first.kill();
    await empty(second);

    second.start();
    third.start();
    await second.process.waitForOutput(/another store than the cluster knows.*a peer can't be reached/);
    await third.process.waitForOutput(/another store than the cluster knows/);
    const until = Date.now() + 5 * electionTimeoutMs;
    while (Date.now() < until) {
      expect((await second.endpoint.status()).leader).toBe(0n);
      expect((await third.endpoint.status()).leader).toBe(0n);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }

    first.start();
    await eventually(async () => expect(await third.endpoint.get("acknowledged", 5_000)).toBe("by two"));
    expect((await second.endpoint.status()).leader).toBe(0n);
    await expect(second.endpoint.get("acknowledged", 500)).rejects.toThrow(/deadline exceeded/i);
  });

  test("is not spoken to by a leader that remembers what it had, and the others go on", async () => {
    const members = await createPublished();
    await members[0].endpoint.put("before", "1");
    const leader = await eventually(async () => {
      const statuses = await Promise.all(members.map((member) => member.endpoint.status()));
      const at = statuses.findIndex((status) => status.memberId === status.leader);
      const found = members[at];
      if (found === undefined) throw new Error("There is no leader");
      return found;
    });
    const [emptied, other] = members.filter((member) => member !== leader);
    if (emptied === undefined || other === undefined) throw new Error("There are two followers");
    await empty(emptied);
    emptied.start();
    await emptied.process.waitForOutput(/another store than the cluster knows/);
    await leader.process.waitForOutput(/another store than the cluster knows/);
    await eventually(() => leader.endpoint.put("after", "2"));
    expect(await other.endpoint.get("after")).toBe("2");
    expect((await emptied.endpoint.status()).leader).toBe(0n);
    expect(leader.running).toBe(true);
  });
});

describe("a member that can't start says why and exits with 1", () => {
  test("when its data directory is in use", async () => {
    const cluster = await create({ size: 1 });
    const [member] = cluster.members;
    member?.start();
    await cluster.leader();
    const second = await create({ size: 1 });
    const intruder = second.members[0]?.withFlags(`--data-dir=${member?.dataDir}`);
    intruder?.start();
    const { code, output } = (await intruder?.process.exit()) ?? {};
    expect(code).toBe(1);
    expect(output).toMatch(/raftkv: .*(in use|belongs to member)/);
    await member?.endpoint.put("still", "serving");
  });

  test("when its port is in use", async () => {
    const cluster = await create({ size: 1 });
    const [member] = cluster.members;
    member?.start();
    await cluster.leader();
    const { code, output } = await runRaftKV([
      "server",
      `--data-dir=${member?.dataDir}-other`,
      `--listen-client-urls=http://127.0.0.1:${member?.clientPort}`,
      `--advertise-client-urls=http://127.0.0.1:${member?.clientPort}`,
      "--listen-peer-urls=http://127.0.0.1:1",
    ]);
    expect(code).toBe(1);
    expect(output).toMatch(/^raftkv: Address 127\.0\.0\.1:\d+ .*change --listen-(client|peer)-urls\n$/);
  });

  test.each<[string, readonly string[], RegExp]>([
    ["an unknown flag is given", ["--nonsense=1"], /^raftkv: unknown flag --nonsense, see raftkv server --help\n$/],
    [
      "the cluster does not name it",
      ["--name=a", "--initial-cluster=b=http://localhost:2380"],
      /^raftkv: --initial-cluster names b but not this member "a"/,
    ],
    ["a URL has no port", ["--listen-client-urls=http://127.0.0.1"], /has no port/],
    ["its directory can't be made", ["--data-dir=/proc/raftkv"], /^raftkv: .*\/proc\/raftkv/],
  ])("when %s", async (_what, args, message) => {
    const { code, output } = await runRaftKV(["server", ...args]);
    expect(output).toMatch(message);
    expect(code).toBe(1);
  });
});

test("a member stops gracefully on SIGTERM and SIGINT, with its data in place", async () => {
  const cluster = await create({ size: 3 });
  for (const member of cluster.members) member.start();
  const leader = await cluster.leader();
  await leader.endpoint.put("key", "value");
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const results = await Promise.all(cluster.members.map((member) => member.process.end(signal)));
    expect(results.map((result) => result.code)).toEqual([0, 0, 0]);
    for (const member of cluster.members) member.start();
    await eventually(async () => expect(await (await cluster.leader()).endpoint.get("key")).toBe("value"));
  }
});
