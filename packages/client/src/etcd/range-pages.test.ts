import { etcdserverpb, type KeyValue, type RangeRequest, type RangeResponse } from "@raftkv/api";
import { RpcError, StatusCode } from "@raftkv/raft-rpc";
import { expect, test } from "vitest";
import { ScriptedCluster } from "../testing/scripted-cluster.ts";

const address = "127.0.0.1:1001";
const text = new TextDecoder();
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

/** A member with keys `k/000` and so on, which notes what it was asked. */
function scene(count: number, settings: { readonly valueBytes?: number; readonly responseBytesMax?: number } = {}) {
  const { valueBytes = 1, responseBytesMax = 100_000 } = settings;
  const names = Array.from({ length: count }, (_, place) => `k/${String(place).padStart(3, "0")}`);
  const cluster = new ScriptedCluster();
  const asked: RangeRequest[] = [];
  const answer = (request: RangeRequest): RangeResponse => {
    asked.push(request);
    const found = names.filter((name) => name >= text.decode(request.key) && name < text.decode(request.rangeEnd));
    const kvs: KeyValue[] = found.slice(0, request.limit).map((name) => ({
      key: bytes(name),
      value: new Uint8Array(valueBytes),
      createRevision: 1,
      modRevision: 1,
      version: 1,
      lease: 0n,
    }));
    const header = { clusterId: 1n, memberId: 1n, revision: 40 + asked.length, raftTerm: 1 };
    return { header, kvs, more: kvs.length < found.length, count: found.length };
  };
  cluster.member(address).dispatcher.add(etcdserverpb.kvService, { range: answer });
  const { etcd } = cluster.client({ endpoints: [address], responseBytesMax });
  return { names, asked, etcd, settle: <Value>(promise: Promise<Value>) => cluster.clock.settle(promise) };
}

async function collect(entries: AsyncIterable<KeyValue>): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of entries) keys.push(text.decode(key));
  return keys;
}

test("a long range comes page by page, all at the revision of the first", async () => {
  const { names, asked, etcd, settle } = scene(95);
  expect(await settle(collect(etcd.entries({ prefix: "k/" }, { pageSize: 20 })))).toEqual(names);
  expect(asked.map(({ revision }) => revision)).toEqual([0, 41, 41, 41, 41]);
  expect(asked.map(({ key }) => text.decode(key))).toEqual(["k/", "k/019\0", "k/039\0", "k/059\0", "k/079\0"]);
});

test("at a revision that was asked for, and with the options of the pages", async () => {
  const { asked, etcd, settle } = scene(3);
  await settle(collect(etcd.entries({ prefix: "k/" }, { revision: 7, keysOnly: true, consistency: "serializable", pageSize: 2 })));
  expect(asked).toHaveLength(2);
  for (const request of asked) expect(request).toMatchObject({ revision: 7, keysOnly: true, serializable: true, limit: 2 });
});

test("a range without keys is one empty page, and nothing is asked before somebody reads", async () => {
  const { asked, etcd, settle } = scene(0);
  const entries = etcd.entries({ prefix: "k/" });
  expect(asked).toEqual([]);
  expect(await settle(collect(entries))).toEqual([]);
  expect(asked).toHaveLength(1);
});

test("pages that are too large for one answer get fewer keys", async () => {
  const { names, asked, etcd, settle } = scene(50, { valueBytes: 1000, responseBytesMax: 10_000 });
  expect(await settle(collect(etcd.entries({ prefix: "k/" }, { pageSize: 50 })))).toEqual(names);
  expect(asked.slice(0, 5).map(({ limit }) => limit)).toEqual([50, 25, 13, 7, 7]);
});

test("a single key that is too large is an error, and so is a page of none", async () => {
  const { etcd, settle } = scene(1, { valueBytes: 20_000, responseBytesMax: 10_000 });
  await expect(settle(collect(etcd.entries({ prefix: "k/" })))).rejects.toMatchObject({ code: "ERR_REJECTED" });
  await expect(settle(collect(etcd.entries({ prefix: "k/" }, { pageSize: 0 })))).rejects.toThrow("A page of 0 keys is not possible");
});

test("a revision that is compacted on the way is told as such", async () => {
  const cluster = new ScriptedCluster();
  cluster.member(address).dispatcher.add(etcdserverpb.kvService, {
    range: () => {
      throw new RpcError(StatusCode.OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted");
    },
  });
  const { etcd } = cluster.client({ endpoints: [address] });
  await expect(cluster.clock.settle(collect(etcd.entries({ prefix: "" })))).rejects.toMatchObject({ code: "ERR_COMPACTED" });
});
