import { etcdserverpb, type PutResponse, type RangeResponse } from "@raftkv/api";
import { RpcError, StatusCode } from "@raftkv/raft-rpc";
import { describe, expect, test } from "vitest";
import { ScriptedCluster, type ScriptedMember } from "../testing/scripted-cluster.ts";

const first = "127.0.0.1:1001";
const second = "127.0.0.1:1002";
const both = [first, second];
const header = { clusterId: 1n, memberId: 2n, revision: 5, raftTerm: 3 };

type Answer<Response> = () => Response | Promise<Response>;

/** A member whose KV service does what the test says, and counts what came. */
class KvMember {
  reads = 0;
  writes = 0;
  read: Answer<RangeResponse> = () => ({ header, kvs: [], more: false, count: 7 });
  write: Answer<PutResponse> = () => ({ header, prevKv: null });
  readonly member: ScriptedMember;

  constructor(cluster: ScriptedCluster, address: string) {
    this.member = cluster.member(address);
    this.member.dispatcher.add(etcdserverpb.kvService, {
      range: () => {
        this.reads += 1;
        return this.read();
      },
      put: () => {
        this.writes += 1;
        return this.write();
      },
    });
  }

  fail(code: StatusCode, message: string): void {
    this.read = () => {
      throw new RpcError(code, message);
    };
    this.write = () => {
      throw new RpcError(code, message);
    };
  }

  hang(): void {
    this.read = () => new Promise(() => undefined);
    this.write = () => new Promise(() => undefined);
  }
}

function scene() {
  const cluster = new ScriptedCluster();
  const members = [new KvMember(cluster, first), new KvMember(cluster, second)] as const;
  return { cluster, members, settle: <Value>(promise: Promise<Value>) => cluster.clock.settle(promise) };
}

async function failure(call: Promise<unknown>): Promise<unknown> {
  try {
    return { resolved: await call };
  } catch (error) {
    return error;
  }
}

describe("a read", () => {
  test("goes to another member on code 14, when a connection breaks, and when a member hangs", async () => {
    for (const trouble of ["unavailable", "broken", "hanging"]) {
      const { cluster, members, settle } = scene();
      const { etcd } = cluster.client({ endpoints: both });
      for (const { member } of members.slice(0, 1)) cluster.clock.setTimer(100, () => trouble === "broken" && member.cutConnections());
      if (trouble === "unavailable") members[0].fail(StatusCode.UNAVAILABLE, "etcdserver: leader changed");
      else members[0].hang();
      for (let round = 0; round < 3; round++) expect(await settle(etcd.range("a"))).toMatchObject({ count: 7 });
      expect(members[0].reads).toBeLessThanOrEqual(2);
      expect(members[1].reads).toBeGreaterThanOrEqual(2);
    }
  });

  test("stays with the member that answered", async () => {
    const { cluster, members, settle } = scene();
    const { etcd } = cluster.client({ endpoints: both });
    for (let round = 0; round < 10; round++) await settle(etcd.range("a"));
    expect(members.map(({ reads }) => reads).toSorted((a, b) => a - b)).toEqual([0, 10]);
  });

  test("ends with what the last member said when nobody answers in time", async () => {
    const { cluster, members, settle } = scene();
    const { etcd } = cluster.client({ endpoints: both });
    for (const member of members) member.fail(StatusCode.UNAVAILABLE, "etcdserver: request timed out");
    const startMs = cluster.clock.monotonicMs();
    expect(await settle(failure(etcd.get("a", { timeoutMs: 2000 })))).toMatchObject({
      code: "ERR_TIMEOUT",
      retryable: "safe",
      status: { message: "etcdserver: request timed out" },
    });
    expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(2100);
    expect(members[0].reads + members[1].reads).toBeLessThan(40);
  });

  test("ends at once with a refusal, of which the code tells whether a revision is compacted", async () => {
    const { cluster, members, settle } = scene();
    const { etcd } = cluster.client({ endpoints: [first] });
    members[0].fail(StatusCode.OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted");
    expect(await settle(failure(etcd.get("a")))).toMatchObject({ code: "ERR_COMPACTED", status: { code: StatusCode.OUT_OF_RANGE } });
    members[0].fail(StatusCode.OUT_OF_RANGE, "etcdserver: mvcc: required revision is a future revision");
    expect(await settle(failure(etcd.get("a")))).toMatchObject({ code: "ERR_REJECTED" });
    expect(members[0].reads).toBe(2);
  });

  test("is given up by its signal, while it runs and while it waits for a member", async () => {
    const { cluster, members, settle } = scene();
    members[0].hang();
    members[1].member.reachable = "refuses";
    for (const endpoint of both) {
      const { etcd } = cluster.client({ endpoints: [endpoint] });
      const controller = new AbortController();
      cluster.clock.setTimer(300, () => controller.abort());
      const startMs = cluster.clock.monotonicMs();
      expect(await settle(failure(etcd.get("a", { signal: controller.signal })))).toMatchObject({ code: "ERR_ABORTED" });
      expect(cluster.clock.monotonicMs() - startMs).toBe(300);
    }
  });
});

describe("a write", () => {
  test("goes to another member if it was certainly not applied", async () => {
    for (const message of ["etcdserver: no leader", "etcdserver: too many requests"]) {
      const { cluster, members, settle } = scene();
      const { etcd } = cluster.client({ endpoints: both });
      for (const { member } of members) member.reachable = "yes";
      members[0].fail(StatusCode.UNAVAILABLE, message);
      for (let round = 0; round < 2; round++) expect(await settle(etcd.put("a", "v"))).toMatchObject({ header });
      expect(members[1].writes).toBe(2);
    }
    const { cluster, members, settle } = scene();
    members[0].member.reachable = "refuses";
    const { etcd } = cluster.client({ endpoints: both });
    for (let round = 0; round < 2; round++) expect(await settle(etcd.put("a", "v"))).toMatchObject({ header });
  });

  test("is sent once if it may have been applied", async () => {
    for (const trouble of ["request timed out", "broken", "hanging"]) {
      const { cluster, members, settle } = scene();
      const { etcd } = cluster.client({ endpoints: [first] });
      if (trouble === "request timed out") members[0].fail(StatusCode.UNAVAILABLE, "etcdserver: request timed out");
      else members[0].hang();
      if (trouble === "broken") cluster.clock.setTimer(100, () => members[0].member.cutConnections());
      expect(await settle(failure(etcd.put("a", "v")))).toMatchObject({ code: "ERR_OUTCOME_UNKNOWN", retryable: "maybe-applied" });
      expect(members[0].writes).toBe(1);
    }
  });

  test("is refused in the server's own words", async () => {
    const { cluster, members, settle } = scene();
    const { etcd } = cluster.client({ endpoints: [first] });
    members[0].fail(StatusCode.NOT_FOUND, "etcdserver: requested lease not found");
    expect(await settle(failure(etcd.put("a", "v", { lease: 7n })))).toMatchObject({
      code: "ERR_REJECTED",
      message: `${first} rejected the Put: NOT_FOUND: etcdserver: requested lease not found`,
      status: { message: "etcdserver: requested lease not found" },
    });
  });

  test("whose answer is too large for the client was applied all the same", async () => {
    const { cluster, members, settle } = scene();
    const { etcd } = cluster.client({ endpoints: [first], responseBytesMax: 1000 });
    const kv = { key: new Uint8Array(1), value: new Uint8Array(2000), createRevision: 1, modRevision: 1, version: 1, lease: 0n };
    members[0].write = () => ({ header, prevKv: kv });
    members[0].read = () => ({ header, kvs: [kv], more: false, count: 1 });
    expect(await settle(failure(etcd.put("a", "v", { prevKv: true })))).toMatchObject({ code: "ERR_OUTCOME_UNKNOWN" });
    expect(await settle(failure(etcd.get("a")))).toMatchObject({ code: "ERR_REJECTED", status: { code: StatusCode.RESOURCE_EXHAUSTED } });
  });
});

test("clients begin with different members", async () => {
  const { cluster, members, settle } = scene();
  for (let round = 0; round < 40; round++) await settle(cluster.client({ endpoints: both }).etcd.get("a"));
  for (const { reads } of members) expect(reads).toBeGreaterThan(5);
});

test("a call to one member goes nowhere else, and says that it did not answer", async () => {
  const { cluster, members, settle } = scene();
  members[0].member.reachable = "refuses";
  const { etcd } = cluster.client({ endpoints: both });
  expect(await settle(failure(etcd.member(first).status()))).toMatchObject({
    code: "ERR_UNREACHABLE",
    message: expect.stringContaining(`${first} did not answer the Status`),
  });
  expect(() => etcd.member("nonsense")).toThrow("is not host:port");
});

test("a time-out that makes no sense is refused", async () => {
  const { cluster, settle } = scene();
  const { etcd } = cluster.client({ endpoints: both });
  expect(await settle(failure(etcd.get("a", { timeoutMs: 0 })))).toMatchObject({
    message: "Time-out 0 ms is not between 1 and 2147483647",
  });
});
