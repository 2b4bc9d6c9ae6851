import { create, decodePutRequest, decodeRangeRequest, etcdserverpb, fromBinary, toBinary } from "@raftkv/api";
import { expect, test } from "vitest";
import { KeySpace } from "./key-space.ts";
import { formatLoadShape, parseLoadShape } from "./load-shape.ts";
import { buildWorkload, leaseCount } from "./workload.ts";

const keys = new KeySpace({ count: 4, valueBytes: 256, seed: 1 });

test("the put of a key carries its value", () => {
  const { path, request, writes } = buildWorkload("put", keys);
  expect([path, writes]).toEqual(["/etcdserverpb.KV/Put", true]);
  for (const number of [0, 1, 2, 3]) {
    const { key, value } = decodePutRequest(request(number));
    expect([Buffer.from(key), Buffer.from(value)]).toEqual([Buffer.from(keys.key(number)), Buffer.from(keys.value(number))]);
    expect(request(number)).toBe(request(number));
  }
});

test("a transaction puts a key that is there", () => {
  const { path, request, writes, faultOf } = buildWorkload("txn", keys);
  expect([path, writes]).toEqual(["/etcdserverpb.KV/Txn", true]);
  const { compare, success } = fromBinary(etcdserverpb.TxnRequestSchema, request(1));
  expect(compare).toHaveLength(1);
  expect(compare[0]).toMatchObject({ result: etcdserverpb.Compare_CompareResult.GREATER, targetUnion: { case: "version", value: 0n } });
  expect(success[0]?.request).toMatchObject({ case: "requestPut" });
  const failed = toBinary(etcdserverpb.TxnResponseSchema, create(etcdserverpb.TxnResponseSchema, { header: { revision: 3n } }));
  expect(faultOf(failed)).toBe("the comparison of a key that is there failed");
});

test("leases are kept alive in turns", () => {
  const { path, kind, request } = buildWorkload("lease", keys);
  expect([path, kind]).toEqual(["/etcdserverpb.Lease/LeaseKeepAlive", "stream"]);
  const ids = [0, 1, leaseCount, leaseCount + 1].map((key) => fromBinary(etcdserverpb.LeaseKeepAliveRequestSchema, request(key)).ID);
  expect(ids).toEqual([1n, 2n, 1n, 2n]);
});

test("the two reads differ in where they may be served", () => {
  for (const name of ["range", "serializable"] as const) {
    const { path, request, faultOf } = buildWorkload(name, keys);
    expect(path).toBe("/etcdserverpb.KV/Range");
    expect([faultOf(new Uint8Array(255)), faultOf(new Uint8Array(256))]).toEqual(["the answer has 255 bytes, 256 are the least", null]);
    const range = decodeRangeRequest(request(2));
    expect(Buffer.from(range.key)).toEqual(Buffer.from(keys.key(2)));
    expect(range.rangeEnd.length).toBe(0);
    expect(range.serializable).toBe(name === "serializable");
  }
});

test("a load is written as it is read", () => {
  expect(parseLoadShape("10x100")).toEqual({ connections: 10, inFlight: 100 });
  expect(formatLoadShape(parseLoadShape("1x7"))).toBe("1x7");
  for (const text of ["", "x", "0x1", "1x0", "1x1x1", "1001x1", "-1x1", "1.5x1"]) expect(() => parseLoadShape(text)).toThrow(RangeError);
});
