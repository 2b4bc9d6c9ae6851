import { expect, test } from "vitest";
import { compareOf, deleteOf, nestedOf, putOf, rangeOf, txnOf } from "../model/text-requests.ts";
import { checkTxn, type TxnRuleViolation } from "./txn-check.ts";
import type { RequestOp } from "./txn-request.ts";

const operations = (count: number): RequestOp[] => Array.from({ length: count }, () => rangeOf("a"));

test.each<readonly [string, RequestOp, TxnRuleViolation | null]>([
  ["a range without a key", rangeOf(""), "empty-key"],
  ["a range with an unknown order", rangeOf("a", "", { sortOrder: 3 }), "invalid-sort"],
  ["a range sorted by an unknown target", rangeOf("a", "", { sortTarget: -1 }), "invalid-sort"],
  ["a put without a key", putOf(""), "empty-key"],
  ["a put that keeps the value and has one", putOf("a", "1", { ignoreValue: true }), "value-provided"],
  ["a put that keeps the lease and has one", putOf("a", "", { ignoreLease: true, lease: 1n }), "lease-provided"],
  ["a put that keeps both", putOf("a", "", { ignoreValue: true, ignoreLease: true }), null],
  ["a delete without a key", deleteOf("", "b"), "empty-key"],
  ["an operation without a request", { type: "none" }, "empty-operation"],
  ["a nested transaction without operations", nestedOf({}), null],
])("%s is judged alike in both branches and in nested transactions", (_what, operation, violation) => {
  expect(checkTxn(txnOf({ success: [operation] }), 128)).toBe(violation);
  expect(checkTxn(txnOf({ failure: [operation] }), 128)).toBe(violation);
  expect(checkTxn(txnOf({ success: [nestedOf({ failure: [operation] })] }), 128)).toBe(violation);
});

test("a condition has a key", () => {
  expect(checkTxn(txnOf({ compare: [compareOf("", "version", "=", 0)] }), 128)).toBe("empty-key");
});

test("the longest of the three lists is bounded", () => {
  for (const list of ["success", "failure"] as const) {
    expect(checkTxn(txnOf({ [list]: operations(128) }), 128)).toBeNull();
    expect(checkTxn(txnOf({ [list]: operations(129) }), 128)).toBe("too-many-operations");
  }
  const compare = Array.from({ length: 129 }, () => compareOf("a", "version", "=", 0));
  expect(checkTxn(txnOf({ compare }), 128)).toBe("too-many-operations");
  expect(checkTxn(txnOf({ compare: compare.slice(1), success: operations(128), failure: operations(128) }), 128)).toBeNull();
});

test("a nested transaction may have as many operations as its parent leaves", () => {
  const parent = (nestedCount: number): RequestOp[] => [...operations(100), nestedOf({ success: operations(nestedCount) })];
  expect(checkTxn(txnOf({ success: parent(27) }), 128)).toBeNull();
  expect(checkTxn(txnOf({ success: parent(28) }), 128)).toBe("too-many-operations");
});

test("numbers are judged before fields, fields of both branches before keys that are written twice", () => {
  const twice = [putOf("a"), putOf("a")];
  expect(checkTxn(txnOf({ compare: [compareOf("", "mod", "=", 0)], success: operations(129) }), 128)).toBe("too-many-operations");
  expect(checkTxn(txnOf({ success: twice, failure: [putOf("b", "1", { ignoreValue: true })] }), 128)).toBe("value-provided");
  expect(checkTxn(txnOf({ success: [deleteOf(""), { type: "none" }] }), 128)).toBe("empty-key");
  expect(checkTxn(txnOf({ success: twice }), 128)).toBe("duplicate-key");
});
