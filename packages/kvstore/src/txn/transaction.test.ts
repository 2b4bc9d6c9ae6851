import { describe, expect, test } from "vitest";
import { KVStore } from "../kv-store.ts";
import { bytesOf, textOf } from "../model/bytes-as-text.ts";
import { differenceOf } from "../model/difference.ts";
import { compareOf, deleteOf, nestedOf, putOf, rangeOf, txnOf } from "../model/text-requests.ts";
import type { RequestOp, TxnRequest } from "./txn-request.ts";
import type { TxnResult } from "./txn-result.ts";

/** A store with "a" and "b" at revision 2 and 3, and with lease 7. */
function filled(): KVStore {
  const store = new KVStore();
  store.leases.grant(7n, 60, 1);
  store.set(bytesOf("a"), bytesOf("1"));
  store.set(bytesOf("b"), bytesOf("2"), { lease: 7n });
  return store;
}

/** What is there now, as `key=value`. */
function shownKeys(store: KVStore): string {
  return store
    .range(bytesOf("\0"), bytesOf("\0"))
    .records.map(({ key, value }) => `${textOf(key)}=${textOf(value)}`)
    .join(" ");
}

function expectResult(result: TxnResult, expected: unknown): void {
  expect(differenceOf(result, expected)).toBeNull();
}

const record = (key: string, value: string, createRevision: number, modRevision: number, version: number, lease = 0n): unknown => {
  return { key, value, createRevision, modRevision, version, lease };
};

describe("a transaction", () => {
  test("takes the first branch if all conditions hold, otherwise the second", () => {
    const store = filled();
    const [yes, no] = [compareOf("a", "version", "=", 1), compareOf("b", "mod", "<", 3)];
    const branches = { success: [putOf("then", "1")], failure: [putOf("else", "1")] };
    expect(store.transact(txnOf({ ...branches, compare: [yes, no] }))).toMatchObject({ outcome: "done", succeeded: false, revision: 4 });
    expect(store.transact(txnOf({ ...branches, compare: [yes, yes] }))).toMatchObject({ succeeded: true, revision: 5 });
    expect(store.transact(txnOf(branches))).toMatchObject({ succeeded: true, revision: 6 });
    expect(shownKeys(store)).toBe("a=1 b=2 else=1 then=1");
  });

  test("runs its operations in order at one revision, each seeing those before it", () => {
    const store = filled();
    const success = [
      rangeOf("a"),
      deleteOf("x"),
      deleteOf("a", "", { prevKv: true }),
      rangeOf("a"),
      putOf("b", "3", { prevKv: true }),
      rangeOf("b"),
    ];
    expectResult(store.transact(txnOf({ success })), {
      outcome: "done",
      revision: 4,
      succeeded: true,
      responses: [
        { type: "range", revision: 3, records: [record("a", "1", 2, 2, 1)], count: 1, more: false },
        { type: "deleteRange", revision: 3, deleted: 0, previous: [] },
        { type: "deleteRange", revision: 4, deleted: 1, previous: [record("a", "1", 2, 2, 1)] },
        { type: "range", revision: 4, records: [], count: 0, more: false },
        { type: "put", revision: 4, previous: record("b", "2", 3, 3, 1, 7n) },
        { type: "range", revision: 4, records: [record("b", "3", 3, 4, 2)], count: 1, more: false },
      ],
    });
    expect(store.revision).toBe(4);
  });

  test("that writes nothing takes no revision", () => {
    const store = filled();
    expect(store.transact(txnOf({ success: [deleteOf("x"), rangeOf("a", "z"), nestedOf({})] }))).toMatchObject({ revision: 3 });
    expect(store.revision).toBe(3);
  });

  test("judges the conditions of nested transactions before anything runs", () => {
    const store = filled();
    const nested = nestedOf({ compare: [compareOf("new", "version", "=", 0)], success: [putOf("yes")], failure: [putOf("no")] });
    const result = store.transact(txnOf({ success: [putOf("new"), nested, rangeOf("\0", "\0", { countOnly: true })] }));
    expect(result).toMatchObject({
      responses: [{}, { type: "txn", succeeded: true, responses: [{ type: "put", revision: 4 }] }, { count: 4 }],
    });
    expect(shownKeys(store)).toBe("a=1 b=2 new= yes=");
  });

  test("reads earlier revisions beside its own writes", () => {
    const store = filled();
    const success = [putOf("a", "9"), rangeOf("\0", "\0", { revision: 2 }), rangeOf("a", "", { revision: 3, keysOnly: true })];
    expectResult(store.transact(txnOf({ success })), {
      outcome: "done",
      revision: 4,
      succeeded: true,
      responses: [
        { type: "put", revision: 4, previous: null },
        { type: "range", revision: 4, records: [record("a", "1", 2, 2, 1)], count: 1, more: false },
        { type: "range", revision: 4, records: [record("a", "", 2, 2, 1)], count: 1, more: false },
      ],
    });
  });

  test("may delete a key and put it again, which creates it anew", () => {
    const store = filled();
    store.transact(txnOf({ success: [deleteOf("a", "\0"), putOf("a", "again")] }));
    expect(store.find(bytesOf("a"))).toMatchObject({ createRevision: 4, modRevision: 4, version: 1 });
    expect(shownKeys(store)).toBe("a=again");
  });

  test("keeps values and leases where it is told to", () => {
    const store = filled();
    store.transact(txnOf({ success: [putOf("b", "", { ignoreValue: true }), putOf("a", "", { ignoreValue: true, lease: 7n })] }));
    expect(store.find(bytesOf("b"))).toMatchObject({ value: bytesOf("2"), lease: 0n });
    expect(store.leases.keysOf(7n).map(textOf)).toEqual(["a"]);
    store.transact(txnOf({ success: [putOf("a", "5", { ignoreLease: true })] }));
    expect(store.find(bytesOf("a"))).toMatchObject({ value: bytesOf("5"), lease: 7n });
  });
});

describe("a transaction that is refused changes nothing:", () => {
  const put = putOf("new");
  test.each<readonly [string, readonly RequestOp[]]>([
    ["empty-operation", [put, { type: "none" }]],
    ["duplicate-key", [put, put]],
    ["key-not-found", [put, putOf("none", "", { ignoreValue: true })]],
    ["key-not-found", [putOf("none", "", { ignoreLease: true }), put]],
    ["key-not-found", [deleteOf("a", "\0"), putOf("b", "", { ignoreValue: true })]],
    ["lease-not-found", [put, nestedOf({ success: [putOf("a", "", { lease: 8n })] })]],
    ["future", [put, rangeOf("a", "", { revision: 5 })]],
    ["compacted", [put, rangeOf("a", "", { revision: 2 })]],
    ["compacted", [put, rangeOf("a", "", { revision: -1 })]],
  ])("%s", (reason, success) => {
    const store = filled();
    store.set(bytesOf("b"), bytesOf("2"));
    store.compact(3);
    expect(store.transact(txnOf({ success }))).toEqual({ outcome: "refused", reason });
    expect(shownKeys(store)).toBe("a=1 b=2");
    expect(store.revision).toBe(4);
  });

  test("only operations of the branch that is taken are checked", () => {
    const request: TxnRequest = txnOf({
      success: [putOf("a", "2")],
      failure: [putOf("a", "", { lease: 8n }), rangeOf("a", "", { revision: 99 })],
    });
    expect(filled().transact(request)).toMatchObject({ outcome: "done" });
  });

  test("all puts are checked before all ranges, and of a put its key before its lease", () => {
    const range = rangeOf("a", "", { revision: 99 });
    const store = filled();
    expect(store.transact(txnOf({ success: [range, putOf("a", "", { lease: 8n })] }))).toMatchObject({ reason: "lease-not-found" });
    const both = putOf("none", "", { ignoreValue: true, lease: 8n });
    expect(store.transact(txnOf({ success: [range, both] }))).toMatchObject({ reason: "key-not-found" });
  });
});

test("a negative revision is now until the store is compacted, but only -1, as in etcd", () => {
  const store = filled();
  const at = (revision: number): TxnResult => store.transact(txnOf({ success: [rangeOf("a", "", { revision })] }));
  expect(at(-1)).toMatchObject({ outcome: "done", responses: [{ count: 1 }] });
  expect(at(-2)).toEqual({ outcome: "refused", reason: "compacted" });
  store.compact(3);
  expect(at(-1)).toEqual({ outcome: "refused", reason: "compacted" });
});
