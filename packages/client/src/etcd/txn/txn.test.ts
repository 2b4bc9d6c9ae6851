import type { KeyValue, PutResponse, RangeResponse, ResponseOp, TxnRequest, TxnResponse } from "@raftkv/api";
import { describe, expect, expectTypeOf, test } from "vitest";
import { compare } from "./compare.ts";
import { operation } from "./operation.ts";
import { isReadOnly, Txn } from "./txn.ts";

const header = { clusterId: 1n, memberId: 2n, revision: 5, raftTerm: 3 };
const pair: KeyValue = { key: new Uint8Array([97]), value: new Uint8Array([98]), createRevision: 1, modRevision: 1, version: 1, lease: 0n };
const range = (kvs: readonly KeyValue[]): ResponseOp => ({ type: "range", response: { header, kvs, more: false, count: kvs.length } });
const put: ResponseOp = { type: "put", response: { header, prevKv: null } };

/** A transaction that is answered so. */
function answered(response: Omit<TxnResponse, "header">) {
  const requests: TxnRequest[] = [];
  const txn = Txn.empty(async (request) => {
    requests.push(request);
    return { header, ...response };
  });
  return { txn, requests };
}

const idle = (): Txn<[], []> => answered({ succeeded: true, responses: [] }).txn;

describe("a transaction", () => {
  test("gives each operation its own type of result", async () => {
    const { txn } = answered({ succeeded: true, responses: [put, range([pair]), range([])] });
    const result = await txn
      .compare(compare.missing("a"))
      .success(operation.put("a", "b"), operation.range({ prefix: "a" }))
      .success(operation.get("b"))
      .failure(operation.get("a"))
      .commit();
    if (!result.succeeded) throw new Error("It was answered as succeeded");
    expectTypeOf(result.responses).toEqualTypeOf<readonly [PutResponse, RangeResponse, KeyValue | null]>();
    expect(result.responses).toMatchObject([{ prevKv: null }, { count: 1 }, null]);
  });

  test("is a value: what is built from it leaves it as it was", async () => {
    const { txn, requests } = answered({ succeeded: true, responses: [] });
    const guarded = txn.compare(compare.exists("a"));
    guarded.success(operation.put("a", "b"));
    guarded.compare(compare.version("a", ">", 1));
    await guarded.commit();
    expect(requests).toEqual([guarded.request]);
    expect(requests[0]).toMatchObject({ success: [], failure: [] });
    expect(requests[0]?.compare).toHaveLength(1);
  });

  test("is a part of another, and its result a part of the result", async () => {
    const inner = idle().failure(operation.get("x"));
    const { txn } = answered({
      succeeded: true,
      responses: [{ type: "txn", response: { header, succeeded: false, responses: [range([pair])] } }],
    });
    const result = await txn.success(operation.txn(inner)).commit();
    expect(result).toMatchObject({ succeeded: true, responses: [{ succeeded: false, responses: [pair] }] });
  });

  test("that is answered with other operations than it has is not believed", async () => {
    const { txn } = answered({ succeeded: true, responses: [put] });
    await expect(txn.success(operation.get("a")).commit()).rejects.toMatchObject({ code: "ERR_REJECTED" });
    await expect(txn.success(operation.put("a", "b"), operation.put("b", "b")).commit()).rejects.toThrow(
      "A transaction of 2 operations was answered with 1 results",
    );
  });

  test("only reads if nothing in it writes, however deep", () => {
    const reads = idle()
      .success(operation.get("a"))
      .failure(operation.range({ prefix: "" }));
    const writesDeep = idle().failure(operation.txn(idle().success(operation.delete("a"))));
    expect(isReadOnly(reads.request)).toBe(true);
    expect(isReadOnly(idle().success(operation.txn(reads)).request)).toBe(true);
    expect(isReadOnly(idle().success(operation.put("a", "")).request)).toBe(false);
    expect(isReadOnly(writesDeep.request)).toBe(false);
  });
});

test.each([
  [compare.value("k", "=", "v"), { target: "value", result: 0, operand: new Uint8Array([118]) }],
  [compare.version("k", ">", 2), { target: "version", result: 1, operand: 2 }],
  [compare.createRevision("k", "<", 3), { target: "create", result: 2, operand: 3 }],
  [compare.modRevision("k", "!=", 4), { target: "mod", result: 3, operand: 4 }],
  [compare.lease("k", "=", { id: 9n }), { target: "lease", result: 0, operand: 9n }],
  [compare.missing("k"), { target: "create", result: 0, operand: 0 }],
  [compare.exists("k"), { target: "create", result: 1, operand: 0 }],
])("a condition says what is compared: %o", (condition, expected) => {
  expect(condition).toMatchObject({ key: new Uint8Array([107]), rangeEnd: new Uint8Array(0), ...expected });
});
