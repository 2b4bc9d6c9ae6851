import { isDeepStrictEqual } from "node:util";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LeaseKeepAliveRequestSchema, LeaseKeepAliveResponseSchema } from "../generated/etcdserverpb/lease_pb.ts";
import {
  LeaseKeepAliveAnswerSchema,
  LeaseKeepAliveCallSchema,
  LeaseTimeToLiveAnswerSchema,
  LeaseTimeToLiveCallSchema,
} from "../generated/raftkv/peer/v1/peer_pb.ts";
import { CodecError } from "./codec-error.ts";
import type { Hello, Lane } from "./hello.ts";
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

function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true });
}

const id = fc.oneof(
  fc.constantFrom(0n, 1n, -1n, 127n, 128n, -(2n ** 63n), 2n ** 63n - 1n),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);
const uint64 = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n });
const uint = fc.oneof(fc.constantFrom(0, 1, 127, 128, 9_000_000_000, Number.MAX_SAFE_INTEGER), fc.maxSafeNat());
const header = record({ clusterId: uint64, memberId: uint64, revision: uint, raftTerm: uint });
const hello: fc.Arbitrary<Hello> = record({
  clusterId: uint64,
  fromMember: uint64,
  toMember: uint64,
  protocolVersion: fc.integer({ min: 0, max: 0xffff_ffff }),
  name: fc.string({ maxLength: 8 }),
  storeId: uint64,
  lane: fc.constantFrom<Lane>("bulk", "leases"),
});

interface CodecCase<Plain> {
  readonly name: string;
  readonly plain: fc.Arbitrary<Plain>;
  readonly encode: (plain: Plain) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => Plain;
  /** Reads and writes the same bytes by protobuf-es. */
  readonly rewritten: (bytes: Uint8Array) => Uint8Array;
}

function describeCodec<Plain>({ name, plain, encode, decode, rewritten }: CodecCase<Plain>): void {
  const decoded = (bytes: Uint8Array): Plain | null => {
    try {
      return decode(bytes);
    } catch (error) {
      if (error instanceof CodecError) return null;
      throw error;
    }
  };

  describe(name, () => {
    test("reads what protobuf-es made of what it wrote, in as many bytes", () => {
      fc.assert(
        fc.property(plain, (message) => {
          const bytes = encode(message);
          const theirs = rewritten(bytes);
          expect(theirs.length).toBe(bytes.length);
          expect(decode(theirs)).toStrictEqual(message);
        }),
      );
    });

    test("refuses a message that is cut anywhere, or reads fewer fields", () => {
      fc.assert(
        fc.property(plain, fc.nat(), (message, at) => {
          const bytes = encode(message);
          decoded(bytes.slice(0, at % Math.max(1, bytes.length)));
        }),
      );
    });

    test("refuses random and damaged bytes, or reads what can be written and read again", () => {
      const damaged = fc.tuple(plain, fc.nat(), fc.integer({ min: 1, max: 255 })).map(([message, position, flip]) => {
        const bytes = encode(message).slice();
        if (bytes.length > 0) bytes[position % bytes.length] = (bytes[position % bytes.length] ?? 0) ^ flip;
        return bytes;
      });
      fc.assert(
        fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 60 })), (bytes) => {
          const once = decoded(bytes);
          return once === null || isDeepStrictEqual(decode(encode(once)), once);
        }),
        { numRuns: 500 },
      );
    });
  });
}

describeCodec({
  name: "LeaseKeepAliveRequest",
  plain: record({ id }),
  encode: encodeLeaseKeepAliveRequest,
  decode: decodeLeaseKeepAliveRequest,
  rewritten: (bytes) => toBinary(LeaseKeepAliveRequestSchema, fromBinary(LeaseKeepAliveRequestSchema, bytes)),
});
describeCodec({
  name: "LeaseKeepAliveResponse",
  plain: record({ header, id, ttl: uint }),
  encode: encodeLeaseKeepAliveResponse,
  decode: decodeLeaseKeepAliveResponse,
  rewritten: (bytes) => toBinary(LeaseKeepAliveResponseSchema, fromBinary(LeaseKeepAliveResponseSchema, bytes)),
});
describeCodec({
  name: "LeaseKeepAliveCall",
  plain: record({ hello, ids: fc.array(id, { maxLength: 5 }) }),
  encode: encodeLeaseKeepAliveCall,
  decode: decodeLeaseKeepAliveCall,
  rewritten: (bytes) => toBinary(LeaseKeepAliveCallSchema, fromBinary(LeaseKeepAliveCallSchema, bytes)),
});
describeCodec({
  name: "LeaseKeepAliveAnswer",
  plain: record({ ttls: fc.array(uint, { maxLength: 5 }) }),
  encode: encodeLeaseKeepAliveAnswer,
  decode: decodeLeaseKeepAliveAnswer,
  rewritten: (bytes) => toBinary(LeaseKeepAliveAnswerSchema, fromBinary(LeaseKeepAliveAnswerSchema, bytes)),
});
describeCodec({
  name: "LeaseTimeToLiveCall",
  plain: record({ hello, id }),
  encode: encodeLeaseTimeToLiveCall,
  decode: decodeLeaseTimeToLiveCall,
  rewritten: (bytes) => toBinary(LeaseTimeToLiveCallSchema, fromBinary(LeaseTimeToLiveCallSchema, bytes)),
});
describeCodec({
  name: "LeaseTimeToLiveAnswer",
  plain: record({ ttl: fc.oneof(fc.constant(-1), uint), grantedTtl: uint }),
  encode: encodeLeaseTimeToLiveAnswer,
  decode: decodeLeaseTimeToLiveAnswer,
  rewritten: (bytes) => toBinary(LeaseTimeToLiveAnswerSchema, fromBinary(LeaseTimeToLiveAnswerSchema, bytes)),
});

const someHello: Hello = { clusterId: 1n, fromMember: 2n, toMember: 3n, protocolVersion: 1, name: "n", storeId: 4n, lane: "leases" };

describe("a lease call between members", () => {
  test("without a Hello, or with two, is refused", () => {
    const [whole] = [encodeLeaseKeepAliveCall({ hello: someHello, ids: [] })];
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
