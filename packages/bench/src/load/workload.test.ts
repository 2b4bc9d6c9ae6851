import { decodePutRequest, decodeRangeRequest } from "@raftkv/api";
import { expect, test } from "vitest";
import { KeySpace } from "./key-space.ts";
import { formatLoadShape, parseLoadShape } from "./load-shape.ts";
import { buildWorkload } from "./workload.ts";

const keys = new KeySpace({ count: 4, valueBytes: 256, seed: 1 });

test("the put of a key carries its value", () => {
  const { path, requests } = buildWorkload("put", keys);
  expect(path).toBe("/etcdserverpb.KV/Put");
  const puts = requests.map((bytes) => decodePutRequest(bytes));
  expect(puts.map(({ key }) => Buffer.from(key))).toEqual([0, 1, 2, 3].map((key) => Buffer.from(keys.key(key))));
  expect(puts.map(({ value }) => Buffer.from(value))).toEqual([0, 1, 2, 3].map((key) => Buffer.from(keys.value(key))));
});

test("the two reads differ in where they may be served", () => {
  for (const name of ["range", "serializable"] as const) {
    const { path, requests, responseBytesMin } = buildWorkload(name, keys);
    expect(path).toBe("/etcdserverpb.KV/Range");
    expect(responseBytesMin).toBe(256);
    const request = decodeRangeRequest(requests[2] ?? new Uint8Array(0));
    expect(Buffer.from(request.key)).toEqual(Buffer.from(keys.key(2)));
    expect(request.rangeEnd.length).toBe(0);
    expect(request.serializable).toBe(name === "serializable");
  }
});

test("a load is written as it is read", () => {
  expect(parseLoadShape("10x100")).toEqual({ connections: 10, inFlight: 100 });
  expect(formatLoadShape(parseLoadShape("1x7"))).toBe("1x7");
  for (const text of ["", "x", "0x1", "1x0", "1x1x1", "1001x1", "-1x1", "1.5x1"]) expect(() => parseLoadShape(text)).toThrow(RangeError);
});
