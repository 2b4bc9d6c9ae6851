import { expect, test } from "vitest";
import { compareOf, deleteOf, nestedOf, putOf, rangeOf, txnOf } from "../model/text-requests.ts";
import { isReadOnlyTxn, isSerializableTxn } from "./txn-kind.ts";

const compare = [compareOf("a", "version", "=", 0)];

test("a transaction with any operation but ranges at its top level is a write", () => {
  expect(isReadOnlyTxn(txnOf({ compare, success: [rangeOf("a")], failure: [rangeOf("b")] }))).toBe(true);
  expect(isReadOnlyTxn(txnOf({ compare }))).toBe(true);
  for (const write of [putOf("a"), deleteOf("a"), nestedOf({ success: [rangeOf("a")] })]) {
    expect(isReadOnlyTxn(txnOf({ success: [rangeOf("a"), write] }))).toBe(false);
    expect(isReadOnlyTxn(txnOf({ failure: [write] }))).toBe(false);
  }
});

test("a read is serializable if every range is, and if there is none", () => {
  const serializable = rangeOf("a", "", { serializable: true });
  expect(isSerializableTxn(txnOf({ success: [serializable], failure: [serializable] }))).toBe(true);
  expect(isSerializableTxn(txnOf({ success: [serializable], failure: [rangeOf("a")] }))).toBe(false);
  expect(isSerializableTxn(txnOf({ compare }))).toBe(true);
});
