import { create, etcdserverpb } from "@raftkv/api";
import { expect, test } from "vitest";
import { leaderOf } from "./cluster-status.ts";
import { ScriptedCluster, type ScriptedMember } from "./testing/scripted-cluster.ts";

const first = "127.0.0.1:1001";
const second = "127.0.0.1:1002";
const third = "127.0.0.1:1003";

interface Known {
  readonly id: bigint;
  readonly name: string;
  readonly address: string;
}

const n1: Known = { id: 0x8e9e05c52164694dn, name: "n1", address: first };
const n2: Known = { id: 2n, name: "n2", address: second };
const n3: Known = { id: 3n, name: "n3", address: third };

/** Lets a scripted member answer Status and MemberList as a member of the cluster does. */
function serve(member: ScriptedMember, self: Known, all: readonly Known[], leaderId: bigint): void {
  const header = create(etcdserverpb.ResponseHeaderSchema, { clusterId: 77n, memberId: self.id });
  member.dispatcher.add(etcdserverpb.maintenanceService, {
    status: () =>
      create(etcdserverpb.StatusResponseSchema, {
        header,
        version: "3.4.23",
        dbSize: 20_480n,
        leader: leaderId,
        raftIndex: 9n,
        raftAppliedIndex: 8n,
        raftTerm: 2n,
      }),
  });
  member.dispatcher.add(etcdserverpb.clusterService, {
    memberList: ({ linearizable }) => {
      if (linearizable) throw new Error("The list is read without a quorum");
      const members = all.map(({ id, name, address }) => ({ ID: id, name, clientURLs: address === "" ? [] : [`http://${address}`] }));
      return create(etcdserverpb.MemberListResponseSchema, { header, members });
    },
  });
}

test("one endpoint is enough to see the whole cluster", async () => {
  const cluster = new ScriptedCluster();
  for (const known of [n3, n1, n2]) serve(cluster.member(known.address), known, [n1, n2, n3], n2.id);
  const status = await cluster.clock.settle(cluster.client({ endpoints: [third] }).status());
  expect(status.clusterId).toBe(77n);
  expect(status.members).toMatchObject([
    { state: "up", name: "n1", role: "follower", endpoint: first },
    {
      state: "up",
      name: "n2",
      role: "leader",
      endpoint: second,
      id: 2n,
      leaderId: 2n,
      term: 2,
      raftIndex: 9,
      appliedIndex: 8,
      dbSizeBytes: 20_480,
      version: "3.4.23",
      errors: [],
    },
    { state: "up", name: "n3", role: "follower", endpoint: third },
  ]);
  expect(leaderOf(status)?.name).toBe("n2");
});

test("members that are down are in the list, each with its reason", async () => {
  const cluster = new ScriptedCluster();
  const silent: Known = { id: 4n, name: "", address: "" };
  serve(cluster.member(first), n1, [n1, n2, n3, silent], n1.id);
  cluster.member(second).reachable = "silent";
  cluster.member(third).reachable = "refuses";
  const startMs = cluster.clock.monotonicMs();
  const status = await cluster.clock.settle(cluster.client({ endpoints: [first], timeoutMs: 2000 }).status());
  expect(status.members).toMatchObject([
    { state: "up", name: "n1" },
    { state: "down", name: "n2", endpoint: second, id: 2n, reason: expect.stringContaining("did not answer") },
    { state: "down", name: "n3", endpoint: third, id: 3n, reason: expect.stringContaining("refused the connection") },
    { state: "down", name: "", endpoint: null, id: 4n, reason: "it has told the cluster no usable client address" },
  ]);
  expect(cluster.clock.monotonicMs() - startMs).toBeLessThanOrEqual(2000);
});

test("a member known under two addresses is one row, an endpoint of nobody is one of its own", async () => {
  const cluster = new ScriptedCluster();
  serve(cluster.member(first), n1, [n1], 0n);
  serve(cluster.member("localhost:1001"), n1, [n1], 0n);
  const status = await cluster.clock.settle(cluster.client({ endpoints: ["localhost:1001", first, third] }).status());
  expect(status.members).toMatchObject([
    { state: "up", name: "n1", endpoint: "localhost:1001", role: "follower" },
    { state: "down", name: "", endpoint: third, id: null },
  ]);
  expect(leaderOf(status)).toBeNull();
});

test("if nobody answers, every endpoint is down and the cluster has no id", async () => {
  const cluster = new ScriptedCluster();
  const status = await cluster.clock.settle(cluster.client({ endpoints: [first, second] }).status());
  expect(status).toMatchObject({
    clusterId: null,
    members: [
      { state: "down", endpoint: first },
      { state: "down", endpoint: second },
    ],
  });
});
