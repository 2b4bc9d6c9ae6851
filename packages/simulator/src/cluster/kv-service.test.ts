import { create, etcdserverpb, type RangeResponse, type RequestOp } from "@raftkv/api";
import { Metadata } from "@raftkv/raft-rpc";
import { describe, expect, test } from "vitest";
import { deletionOf, putOf, rangeOf, runCluster, text } from "../testing/api-client.ts";

const timeoutMs = 5_000;
const allKeys = { rangeEnd: Uint8Array.of(0) };

function compaction(revision: number, physical = false): etcdserverpb.CompactionRequest {
  return create(etcdserverpb.CompactionRequestSchema, { revision: BigInt(revision), physical });
}

function rangeOp(key: string, more: Parameters<typeof rangeOf>[1] = {}): RequestOp {
  return { type: "range", request: rangeOf(key, more) };
}

describe("Transactions", () => {
  test("compare and write through any member, all at one revision", async () => {
    const { cluster, atFollower, atLeader } = await runCluster(1);
    await cluster.simulation.drive(async () => {
      await atLeader.kv.put(putOf("a", "1"));
      const condition = { key: text("a"), rangeEnd: new Uint8Array(0), result: 0, target: "value" as const, operand: text("1") };
      const { header, succeeded, responses } = await atFollower.kv.txn(
        {
          compare: [condition],
          success: [{ type: "put", request: putOf("a", "2", { prevKv: true }) }, { type: "put", request: putOf("b", "2") }, rangeOp("b")],
          failure: [],
        },
        { timeoutMs },
      );
      expect({ succeeded, revision: header.revision }).toEqual({ succeeded: true, revision: 3 });
      const inner = { clusterId: 0n, memberId: 0n, revision: 3, raftTerm: 0 };
      expect(responses).toMatchObject([
        { type: "put", response: { header: inner, prevKv: { value: text("1"), modRevision: 2 } } },
        { type: "put", response: { header: inner, prevKv: null } },
        { type: "range", response: { header: inner, count: 1, kvs: [{ createRevision: 3, modRevision: 3 }] } },
      ]);
    });
  });

  test.each<[string, RequestOp[], number, string]>([
    ["too many operations", Array.from({ length: 5 }, () => rangeOp("a")), 3, "etcdserver: too many operations in txn request"],
    ["an empty key", [rangeOp("")], 3, "etcdserver: key is not provided"],
    ["an operation without a request", [{ type: "none" }], 3, "etcdserver: key not found"],
    ["a value that is to be kept", [{ type: "put", request: putOf("a", "1", { ignoreValue: true }) }], 3, "etcdserver: value is provided"],
    [
      "a key that is put twice",
      [
        { type: "put", request: putOf("a", "1") },
        { type: "put", request: putOf("a", "2") },
      ],
      3,
      "etcdserver: duplicate key given in txn request",
    ],
    ["an unknown lease", [{ type: "put", request: putOf("a", "1", { lease: 5n }) }], 5, "etcdserver: requested lease not found"],
    ["a revision to come", [rangeOp("a", { revision: 99 })], 11, "etcdserver: mvcc: required revision is a future revision"],
  ])("with %s are refused in etcd's words", async (_what, success, code, message) => {
    const { cluster, atFollower } = await runCluster(2, ["--max-txn-ops=4"]);
    const txn = atFollower.kv.txn({ compare: [], success, failure: [] }, { timeoutMs });
    await expect(cluster.simulation.drive(() => txn)).rejects.toMatchObject({ code, message });
  });
});

describe("History", () => {
  test("can be read at each revision until it is compacted, on every member", async () => {
    const { cluster, atFollower, atLeader, clients } = await runCluster(3);
    await cluster.simulation.drive(async () => {
      for (const value of ["1", "2", "3"]) await atLeader.kv.put(putOf("a", value));
      await atFollower.kv.deleteRange(deletionOf("a"));
      const at = async (revision: number): Promise<string[]> => {
        const { kvs, header } = await atFollower.kv.range(rangeOf("a", { revision }), { timeoutMs });
        expect(header.revision).toBe(5);
        return kvs.map(({ value }) => new TextDecoder().decode(value));
      };
      expect([await at(2), await at(3), await at(4), await at(5), await at(0), await at(-1)]).toEqual([["1"], ["2"], ["3"], [], [], []]);
      await expect(at(6)).rejects.toMatchObject({ code: 11, message: "etcdserver: mvcc: required revision is a future revision" });
      const { header } = await atFollower.kv.compact(compaction(3, true), { timeoutMs });
      expect(header?.revision).toBe(5n);
      expect(await at(3)).toEqual(["2"]);
      const compacted = { code: 11, message: "etcdserver: mvcc: required revision has been compacted" };
      for (const { kv } of clients) await expect(kv.range(rangeOf("a", { revision: 2 }), { timeoutMs })).rejects.toMatchObject(compacted);
      await expect(atLeader.kv.compact(compaction(3), { timeoutMs })).rejects.toMatchObject(compacted);
      await expect(atLeader.kv.compact(compaction(6), { timeoutMs })).rejects.toMatchObject({ code: 11 });
    });
  });

  test("is compacted by itself, to where the store was a period ago", async () => {
    const { cluster, atLeader } = await runCluster(4, ["--auto-compaction-retention=10m"]);
    const { simulation } = cluster;
    await simulation.drive(() => atLeader.kv.put(putOf("a", "1")));
    await simulation.runFor(9 * 60_000);
    await simulation.drive(() => atLeader.kv.put(putOf("a", "2")));
    const compactRevisions = (): (number | undefined)[] =>
      cluster.nodes.map((node) => cluster.memberOn(node)?.context.state.store.compactRevision);
    expect(compactRevisions()).toEqual([-1, -1, -1]);
    await simulation.runFor(3 * 60_000);
    expect(compactRevisions()).toEqual([1, 1, 1]);
    await simulation.runFor(11 * 60_000);
    expect(compactRevisions()).toEqual([3, 3, 3]);
  });
});

describe("A range stream", () => {
  test("gives the range in parts, read at one revision while writes go on", async () => {
    const { cluster, atFollower } = await runCluster(5);
    await cluster.simulation.drive(async () => {
      const value = "v".repeat(1_000);
      for (let i = 0; i < 60; i++) await atFollower.kv.put(putOf(`k${String(i).padStart(3, "0")}`, value));
      const whole = await atFollower.kv.range(rangeOf("k", allKeys), { timeoutMs });
      const parts: RangeResponse[] = [];
      for await (const part of atFollower.kv.rangeStream(rangeOf("k", allKeys), { timeoutMs })) {
        parts.push(part);
        await atFollower.kv.put(putOf(`k${String(parts.length).padStart(3, "0")}x`, value));
      }
      expect(parts.map(({ kvs }) => kvs.length)).toEqual([10, 20, 30]);
      expect(parts.flatMap(({ kvs }) => kvs)).toEqual(whole.kvs);
      expect(parts.map(({ count, more }) => [count, more])).toEqual([
        [0, false],
        [0, false],
        [60, false],
      ]);
      const limited: RangeResponse[] = [];
      for await (const part of atFollower.kv.rangeStream(rangeOf("k", { ...allKeys, limit: 15, revision: 61 }), { timeoutMs }))
        limited.push(part);
      expect(limited.map(({ kvs, count, more }) => [kvs.length, count, more])).toEqual([
        [10, 0, false],
        [5, 60, true],
      ]);
    });
  });

  test("is not offered for other orders than that of the keys", async () => {
    const { cluster, atLeader } = await runCluster(6);
    const first = (more: Parameters<typeof rangeOf>[1]) =>
      atLeader.kv.rangeStream(rangeOf("k", more), { timeoutMs })[Symbol.asyncIterator]().next();
    const { simulation } = cluster;
    const customOrder = { code: 12, message: "RangeStream does not support custom sort orders" };
    await expect(simulation.drive(() => first({ sortOrder: 2 }))).rejects.toMatchObject(customOrder);
    await expect(simulation.drive(() => first({ sortTarget: 3 }))).rejects.toMatchObject(customOrder);
    const filter = { code: 12, message: "RangeStream does not support revision filters" };
    await expect(simulation.drive(() => first({ minModRevision: 3 }))).rejects.toMatchObject(filter);
    await expect(simulation.drive(() => first({ revision: 99 }))).rejects.toMatchObject({ code: 11 });
  });
});

test("A call with hasleader is refused while nobody leads, others are not", async () => {
  const { cluster, atFollower, clients } = await runCluster(7);
  const { simulation } = cluster;
  const alone = cluster.nodes[clients.indexOf(atFollower)];
  for (const node of cluster.nodes) if (node !== alone) cluster.crash(node);
  await simulation.runFor(5_000);
  const metadata = Metadata.of({ hasleader: "true" });
  const request = rangeOf("a", { serializable: true });
  await expect(simulation.drive(() => atFollower.kv.range(request, { timeoutMs, metadata }))).rejects.toMatchObject({
    code: 14,
    message: "etcdserver: no leader",
  });
  expect((await simulation.drive(() => atFollower.kv.range(request, { timeoutMs }))).count).toBe(0);
});
