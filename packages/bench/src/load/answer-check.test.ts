import { create, etcdserverpb, toBinary } from "@raftkv/api";
import { expect, test } from "vitest";
import { endsWithField, hasFieldAfterHeader } from "./answer-check.ts";

const header = { clusterId: 2n ** 64n - 1n, memberId: 2n ** 63n, revision: 2n ** 40n, raftTerm: 300n };

test("tells a transaction that succeeded from one that did not", () => {
  const answer = (succeeded: boolean): Uint8Array =>
    toBinary(
      etcdserverpb.TxnResponseSchema,
      create(etcdserverpb.TxnResponseSchema, {
        header,
        succeeded,
        responses: [{ response: { case: "responsePut", value: { header: { revision: 7n } } } }],
      }),
    );
  expect(hasFieldAfterHeader(answer(true), 2)).toBe(true);
  expect(hasFieldAfterHeader(answer(false), 2)).toBe(false);
  expect(hasFieldAfterHeader(new Uint8Array(0), 2)).toBe(false);
});

test("tells a lease that lives from one that is gone", () => {
  const answer = (ID: bigint, TTL: bigint): Uint8Array =>
    toBinary(etcdserverpb.LeaseKeepAliveResponseSchema, create(etcdserverpb.LeaseKeepAliveResponseSchema, { header, ID, TTL }));
  for (const id of [1n, 127n, 128n, 2n ** 62n]) {
    expect(endsWithField(answer(id, 3600n), 3)).toBe(true);
    expect(endsWithField(answer(id, 0n), 3)).toBe(false);
  }
  expect(endsWithField(new Uint8Array(0), 3)).toBe(false);
});
