import { create, encodeLeaseExpireCommand, encodeRequestCommand, etcdserverpb, toBinary } from "@raftkv/api";
import { expect, test } from "vitest";
import { MemberDirectory } from "../cluster/member-directory.ts";
import { ReplicatedState } from "../state/replicated-state.ts";
import { StoreActivity } from "./store-activity.ts";

const { DeleteRangeRequestSchema, LeaseGrantRequestSchema, LeaseRevokeRequestSchema, PutRequestSchema, TxnRequestSchema } = etcdserverpb;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A state with its counts, and a way to apply commands one after the other. */
function observedState() {
  const state = new ReplicatedState(new MemberDirectory([]), 1);
  const activity = new StoreActivity(state.store);
  state.observe(activity);
  let index = 0;
  const apply = (data: Uint8Array): void => {
    index++;
    state.apply({ index, term: 1, kind: "command", data }, data, index);
  };
  const put = (key: string, lease = 0n): void =>
    apply(encodeRequestCommand("put", toBinary(PutRequestSchema, create(PutRequestSchema, { key: bytes(key), lease }))));
  return { state, activity, apply, put };
}

test("keys that were put and deleted are counted, also those of refused and empty requests: not at all", () => {
  const { activity, apply, put } = observedState();
  for (const key of ["a", "b", "c"]) put(key);
  put("d", 404n);
  const remove = create(DeleteRangeRequestSchema, { key: bytes("a"), rangeEnd: bytes("c") });
  for (let round = 0; round < 2; round++) apply(encodeRequestCommand("deleteRange", toBinary(DeleteRangeRequestSchema, remove)));
  expect(activity).toMatchObject({ puts: 3, deletes: 2, txns: 0 });
});

test("operations of transactions are counted, and transactions of more than one", () => {
  const { activity, apply } = observedState();
  const write = { request: { case: "requestPut" as const, value: create(PutRequestSchema, { key: bytes("a") }) } };
  const read = { request: { case: "requestRange" as const, value: create(etcdserverpb.RangeRequestSchema, { key: bytes("a") }) } };
  const nested = { request: { case: "requestTxn" as const, value: create(TxnRequestSchema, { success: [read, read] }) } };
  for (const success of [[write], [write, read], [nested], []]) {
    apply(encodeRequestCommand("txn", toBinary(TxnRequestSchema, create(TxnRequestSchema, { success }))));
  }
  expect(activity).toMatchObject({ puts: 2, txnRanges: 3, txns: 2 });
});

test("leases are counted, and the keys that went with them", () => {
  const { state, activity, apply, put } = observedState();
  for (const ID of [1n, 2n, 3n])
    apply(encodeRequestCommand("leaseGrant", toBinary(LeaseGrantRequestSchema, create(LeaseGrantRequestSchema, { ID, TTL: 9n }))));
  put("a", 1n);
  put("b", 1n);
  const revoke = (ID: bigint): void =>
    apply(encodeRequestCommand("leaseRevoke", toBinary(LeaseRevokeRequestSchema, create(LeaseRevokeRequestSchema, { ID }))));
  revoke(1n);
  revoke(1n);
  revoke(2n);
  apply(encodeLeaseExpireCommand({ id: 3n, grantNumber: state.store.leases.get(3n)?.grantNumber ?? 0, term: 1 }));
  expect(activity).toMatchObject({ leasesGranted: 3, leasesRevoked: 3, puts: 2, deletes: 2 });
});
