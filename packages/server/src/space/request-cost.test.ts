import { decodeTxnRequest, encodeTxnRequest, type RequestOp } from "@raftkv/api";
import { expect, test } from "vitest";
import { putCostBytes, txnCostBytes } from "./request-cost.ts";

const noBytes = new Uint8Array(0);

function put(valueBytes: number): RequestOp {
  const flags = { lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false };
  return { type: "put", request: { key: new Uint8Array(10), value: new Uint8Array(valueBytes), ...flags } };
}

test("a put costs its key, its value and 256 bytes", () => {
  expect(putCostBytes({ key: new Uint8Array(10), value: new Uint8Array(100) })).toBe(366);
});

test("a transaction costs its larger branch, with the transactions in it", () => {
  const deletion: RequestOp = { type: "deleteRange", request: { key: new Uint8Array(10), rangeEnd: noBytes, prevKv: false } };
  const nested: RequestOp = { type: "txn", request: { compare: [], success: [put(1), put(2)], failure: [put(3)] } };
  expect(txnCostBytes({ compare: [], success: [], failure: [] })).toBe(0);
  expect(txnCostBytes({ compare: [], success: [deletion], failure: [] })).toBe(0);
  expect(txnCostBytes({ compare: [], success: [put(0)], failure: [put(5), deletion, nested] })).toBe(271 + 267 + 268);
  expect(txnCostBytes(decodeTxnRequest(encodeTxnRequest({ compare: [], success: [nested], failure: [] })))).toBe(267 + 268);
});
