import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LeaseKeepAliveRequestSchema, LeaseKeepAliveResponseSchema } from "../generated/etcdserverpb/lease_pb.ts";
import {
  HelloSchema,
  Lane as LaneNumber,
  LeaseKeepAliveAnswerSchema,
  LeaseKeepAliveCallSchema,
  LeaseTimeToLiveAnswerSchema,
  LeaseTimeToLiveCallSchema,
} from "../generated/raftkv/peer/v1/peer_pb.ts";
import { header, int, int64, record, text, uint, uint64 } from "../testing/arbitraries.ts";
import { describeCodec } from "../testing/codec-case.ts";
import { messageOf } from "../testing/generated-message.ts";
import type { Hello } from "./hello.ts";
import {
  decodeLeaseKeepAliveAnswer,
  decodeLeaseKeepAliveCall,
  decodeLeaseTimeToLiveAnswer,
  decodeLeaseTimeToLiveCall,
  encodeLeaseKeepAliveAnswer,
  encodeLeaseKeepAliveCall,
  encodeLeaseTimeToLiveAnswer,
  encodeLeaseTimeToLiveCall,
  LEASE_CALL_IDS_MAX,
} from "./lease-call.ts";
import {
  decodeLeaseKeepAliveRequest,
  decodeLeaseKeepAliveResponse,
  encodeLeaseKeepAliveRequest,
  encodeLeaseKeepAliveResponse,
} from "./lease-keep-alive.ts";

const hello: fc.Arbitrary<Hello> = record({
  clusterId: uint64,
  fromMember: uint64,
  toMember: uint64,
  protocolVersion: fc.integer({ min: 0, max: 0xffff_ffff }),
  name: text,
  storeId: uint64,
  lane: fc.constant("leases" as const),
});

function helloOf(plain: Hello): ReturnType<typeof messageOf<typeof HelloSchema>> {
  return messageOf(HelloSchema, { ...plain, lane: LaneNumber.LEASES });
}

describeCodec("LeaseKeepAliveRequest", {
  plain: record({ id: int64 }),
  schema: LeaseKeepAliveRequestSchema,
  toMessage: ({ id }) => create(LeaseKeepAliveRequestSchema, { ID: id }),
  encode: encodeLeaseKeepAliveRequest,
  decode: decodeLeaseKeepAliveRequest,
});
describeCodec("LeaseKeepAliveResponse", {
  plain: record({ header, id: int64, ttl: uint }),
  schema: LeaseKeepAliveResponseSchema,
  toMessage: ({ header: shown, id, ttl }) => messageOf(LeaseKeepAliveResponseSchema, { header: shown, ID: id, TTL: ttl }),
  encode: encodeLeaseKeepAliveResponse,
  decode: decodeLeaseKeepAliveResponse,
});
describeCodec("LeaseKeepAliveCall", {
  plain: record({ hello, ids: fc.array(int64, { maxLength: 5 }) }),
  schema: LeaseKeepAliveCallSchema,
  toMessage: ({ hello: greeting, ids }) => create(LeaseKeepAliveCallSchema, { hello: helloOf(greeting), ids: [...ids] }),
  encode: encodeLeaseKeepAliveCall,
  decode: decodeLeaseKeepAliveCall,
});
describeCodec("LeaseKeepAliveAnswer", {
  plain: record({ ttls: fc.array(int, { maxLength: 5 }) }),
  schema: LeaseKeepAliveAnswerSchema,
  toMessage: ({ ttls }) => create(LeaseKeepAliveAnswerSchema, { ttls: ttls.map(BigInt) }),
  encode: encodeLeaseKeepAliveAnswer,
  decode: decodeLeaseKeepAliveAnswer,
});
describeCodec("LeaseTimeToLiveCall", {
  plain: record({ hello, id: int64 }),
  schema: LeaseTimeToLiveCallSchema,
  toMessage: ({ hello: greeting, id }) => create(LeaseTimeToLiveCallSchema, { hello: helloOf(greeting), id }),
  encode: encodeLeaseTimeToLiveCall,
  decode: decodeLeaseTimeToLiveCall,
});
describeCodec("LeaseTimeToLiveAnswer", {
  plain: record({ ttl: fc.oneof(fc.constant(-1), uint), grantedTtl: uint }),
  schema: LeaseTimeToLiveAnswerSchema,
  toMessage: ({ ttl, grantedTtl }) => create(LeaseTimeToLiveAnswerSchema, { ttl: BigInt(ttl), grantedTtl: BigInt(grantedTtl) }),
  encode: encodeLeaseTimeToLiveAnswer,
  decode: decodeLeaseTimeToLiveAnswer,
});

const someHello: Hello = { clusterId: 1n, fromMember: 2n, toMember: 3n, protocolVersion: 1, name: "n", storeId: 4n, lane: "leases" };

describe("a lease call between members", () => {
  test("without a Hello, or with two, is refused", () => {
    const whole = encodeLeaseKeepAliveCall({ hello: someHello, ids: [] });
    expect(() => decodeLeaseKeepAliveCall(new Uint8Array(0))).toThrow("Lease call has no Hello");
    expect(() => decodeLeaseTimeToLiveCall(new Uint8Array([...whole, ...whole]))).toThrow("Lease call has two Hellos, one is allowed");
  });

  test("takes ids that are not packed, as protobuf lets a sender write them", () => {
    const whole = encodeLeaseKeepAliveCall({ hello: someHello, ids: [] });
    expect(decodeLeaseKeepAliveCall(new Uint8Array([...whole, 0x10, 5, 0x10, 6])).ids).toEqual([5n, 6n]);
  });

  test("about too many leases is neither written nor read", () => {
    const ids = new Array<bigint>(LEASE_CALL_IDS_MAX).fill(1n);
    const full = encodeLeaseKeepAliveCall({ hello: someHello, ids });
    expect(decodeLeaseKeepAliveCall(full).ids).toHaveLength(LEASE_CALL_IDS_MAX);
    expect(() => encodeLeaseKeepAliveCall({ hello: someHello, ids: [...ids, 1n] })).toThrow("about more than 10000 leases");
    expect(() => decodeLeaseKeepAliveCall(new Uint8Array([...full, 0x10, 1]))).toThrow("about more than 10000 leases");
  });
});
