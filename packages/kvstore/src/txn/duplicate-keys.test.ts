import { describe, expect, test } from "vitest";
import { deleteOf, nestedOf, putOf, rangeOf, txnOf } from "../model/text-requests.ts";
import { hasDuplicateKey } from "./duplicate-keys.ts";
import type { RequestOp } from "./txn-request.ts";

const inOwn = (...success: RequestOp[]): RequestOp => nestedOf({ success });

describe("operations that write the same key are found", () => {
  test.each<readonly [string, readonly RequestOp[]]>([
    ["two puts", [putOf("a"), putOf("b"), putOf("a")]],
    ["a put and a delete of the key", [deleteOf("a"), putOf("a")]],
    ["a put in front of a delete", [putOf("a"), deleteOf("a")]],
    ["a put within a deleted range", [deleteOf("a", "c"), putOf("b")]],
    ["a put where a deleted range begins", [deleteOf("a", "c"), putOf("a")]],
    ["a put within one of several deleted ranges", [deleteOf("x", "z"), deleteOf("a", "b"), deleteOf("aa", "d"), putOf("c")]],
    ["a put and a nested put", [putOf("a"), inOwn(putOf("a"))]],
    ["a put and a nested put of either branch", [nestedOf({ success: [putOf("a")], failure: [putOf("b")] }), putOf("b")]],
    ["puts of nested transactions side by side", [inOwn(putOf("a")), inOwn(putOf("a"))]],
    ["a put behind a nested delete", [inOwn(deleteOf("a", "c")), putOf("b")]],
    ["a put in front of a nested delete", [putOf("b"), inOwn(deleteOf("a", "c"))]],
    ["a nested put and a delete behind it", [inOwn(putOf("b")), deleteOf("a", "c")]],
    ["a nested delete, and a put in the next transaction", [inOwn(deleteOf("a")), inOwn(putOf("a"))]],
    ["writes that are nested twice", [putOf("a"), inOwn(inOwn(putOf("a")))]],
    ["writes of one nested transaction", [inOwn(putOf("a"), deleteOf("a"))]],
  ])("%s", (_what, operations) => {
    expect(hasDuplicateKey(txnOf({ success: operations }))).toBe(true);
    expect(hasDuplicateKey(txnOf({ failure: operations }))).toBe(true);
    expect(hasDuplicateKey(txnOf({ success: [inOwn(...operations)] }))).toBe(true);
  });
});

describe("operations that etcd lets be together are not", () => {
  test.each<readonly [string, readonly RequestOp[]]>([
    ["two deletes", [deleteOf("a", "z"), deleteOf("b")]],
    ["a put and a range", [putOf("a"), rangeOf("a", "b"), rangeOf("\0", "\0")]],
    ["a put where a deleted range ends", [deleteOf("a", "c"), putOf("c")]],
    ["a put behind a key that is deleted", [deleteOf("a"), putOf("a\0")]],
    ["a put between deleted ranges", [deleteOf("a", "b"), deleteOf("c", "d"), putOf("b")]],
    ["the branches of a nested transaction", [nestedOf({ success: [putOf("a")], failure: [putOf("a")] })]],
    ["a put and a delete in such branches", [nestedOf({ success: [putOf("a")], failure: [deleteOf("a")] })]],
    ["a nested put, and a delete in the next transaction", [inOwn(putOf("a")), inOwn(deleteOf("a"))]],
    ["a delete of all keys from one on, and puts of these", [deleteOf("a", "\0"), putOf("a"), putOf("b")]],
    ["a range that ends before it begins, and puts in it", [deleteOf("c", "a"), putOf("c"), putOf("b")]],
  ])("%s", (_what, operations) => {
    expect(hasDuplicateKey(txnOf({ success: operations }))).toBe(false);
    expect(hasDuplicateKey(txnOf({ failure: operations }))).toBe(false);
    expect(hasDuplicateKey(txnOf({ success: [inOwn(...operations)] }))).toBe(false);
  });

  test("the branches of the transaction itself", () => {
    expect(hasDuplicateKey(txnOf({ success: [putOf("a"), putOf("b")], failure: [putOf("b"), putOf("a")] }))).toBe(false);
  });
});

test("many operations side by side are compared without comparing each with each", () => {
  const count = 20_000;
  const name = (at: number): string => `key-${String((at * 7919) % count).padStart(6, "0")}`;
  const operations = Array.from({ length: count }, (_, at) => (at % 2 === 0 ? putOf(name(at)) : deleteOf(name(at))));
  expect(hasDuplicateKey(txnOf({ success: operations }))).toBe(false);
  expect(hasDuplicateKey(txnOf({ success: [...operations, putOf(name(1))] }))).toBe(true);
});
