import { isDeepStrictEqual } from "node:util";
import {
  create,
  type DescField,
  type DescMessage,
  equals,
  fromBinary,
  isMessage,
  type Message,
  type MessageInitShape,
  type MessageShape,
  ScalarType,
  toBinary,
} from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { EntryKind, ForwardPropose, PeerMessage } from "@raftkv/raft-core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  DeleteRangeRequestSchema,
  DeleteRangeResponseSchema,
  PutRequestSchema,
  PutResponseSchema,
  RangeRequestSchema,
  RangeResponseSchema,
} from "../generated/etcdserverpb/kv_pb.ts";
import { CommandSchema } from "../generated/raftkv/command/v1/command_pb.ts";
import {
  EntryKind as EntryKindNumber,
  Lane as LaneNumber,
  PeerFrameSchema,
  PeerMessageSchema,
  SnapshotFrameSchema,
} from "../generated/raftkv/peer/v1/peer_pb.ts";
import { GetRequestSchema, PutRequestSchema as KeyValueRequestSchema, ResponseSchema, Status } from "../generated/raftkv/v1/raftkv_pb.ts";
import { CodecError } from "./codec-error.ts";
import { type Command, decodeCommand, encodeMemberAttributesCommand, encodeRequestCommand, UnknownCommandError } from "./command.ts";
import type { RangeResponse } from "./etcd-message.ts";
import {
  decodeDeleteRangeRequest,
  decodePutRequest,
  decodeRangeRequest,
  encodeDeleteRangeRequest,
  encodePutRequest,
  encodeRangeRequest,
} from "./etcd-request.ts";
import {
  decodeDeleteRangeResponse,
  decodePutResponse,
  decodeRangeResponse,
  encodeDeleteRangeResponse,
  encodePutResponse,
  encodeRangeResponse,
} from "./etcd-response.ts";
import type { Hello, Lane } from "./hello.ts";
import {
  decodePeerFrame,
  decodeSnapshotFrame,
  encodePeerFrame,
  encodeSnapshotFrame,
  type PeerFrame,
  type SnapshotFrame,
} from "./peer-frame.ts";
import {
  decodeKeyRequest,
  decodeKeyValueRequest,
  decodeRaftKvResponse,
  encodeKeyRequest,
  encodeKeyValueRequest,
  encodeRaftKvResponse,
  type RaftKvStatus,
} from "./raftkv-message.ts";
import { RangeResponseWriter } from "./range-response-writer.ts";

// Arbitraries: edges of varint lengths and of number ranges come often.

const edges = [0, 1, 0x7f, 0x80, 0x3fff, 0x4000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1_0000_0000, 2 ** 49, Number.MAX_SAFE_INTEGER];
/** With the usual prototype, as decoders make their objects. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true });
}

const uint = fc.oneof(fc.constantFrom(...edges), fc.maxSafeNat());
const int = fc.oneof(uint, fc.constantFrom(...edges.map((edge) => 0 - edge)), fc.maxSafeInteger()).map((value) => value + 0);
const int32 = fc.integer();
const uint64 = fc.oneof(fc.constantFrom(0n, 1n, 2n ** 63n, 2n ** 64n - 1n), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));
const int64 = fc.oneof(fc.constantFrom(0n, -1n, -(2n ** 63n), 2n ** 63n - 1n), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.integer({ min: 120, max: 300 }).map((length) => new Uint8Array(length).fill(length)),
);
const text = fc.string({ unit: "grapheme", maxLength: 12 });
const bool = fc.boolean();

const header = record({ clusterId: uint64, memberId: uint64, revision: int.filter((value) => value !== 0), raftTerm: uint });
const keyValue = record({ key: bytes, value: bytes, createRevision: int, modRevision: int, version: int, lease: int64 });
const keyValues = fc.array(keyValue, { maxLength: 4 });
const putRequest = record({ key: bytes, value: bytes, lease: int64, prevKv: bool, ignoreValue: bool, ignoreLease: bool });
const deleteRangeRequest = record({ key: bytes, rangeEnd: bytes, prevKv: bool });
const keyRequest = record({ key: bytes, clientId: uint64, sequence: uint, lowestAwaited: uint });
const keyValueRequest = record({ key: bytes, value: bytes, clientId: uint64, sequence: uint, lowestAwaited: uint });
const rangeResponse = record({ header, kvs: keyValues, more: bool, count: int });
const memberAttributes = record({ memberId: uint64, name: text, clientUrls: fc.array(text, { maxLength: 3 }), storeId: uint64 });
const hello = record({
  clusterId: uint64,
  fromMember: uint64,
  toMember: uint64,
  protocolVersion: fc.integer({ min: 0, max: 0xffff_ffff }),
  name: text,
  storeId: uint64,
  lane: fc.constantFrom<Lane>("bulk", "urgent", "snapshot"),
});

const addressed = { from: uint, to: uint };
const ids = fc.array(uint, { maxLength: 5 });
const configuration = record({ voters: ids, outgoing: ids, learners: ids, learnersNext: ids, autoLeave: bool });
const snapshot = record({ index: uint, term: uint, configuration });
const installSnapshot = record({ type: fc.constant("installSnapshot" as const), ...addressed, term: uint, snapshot });
const entryBody = record({ term: uint, kind: fc.constantFrom<EntryKind>("command", "empty", "configuration"), data: bytes });
const appendEntries = record({
  ...addressed,
  term: uint,
  prevIndex: uint.map((value) => Math.min(value, Number.MAX_SAFE_INTEGER - 10)),
  prevTerm: uint,
  commit: uint,
  bodies: fc.array(entryBody, { maxLength: 5 }),
}).map(({ bodies, ...rest }) => ({
  type: "appendEntries" as const,
  ...rest,
  entries: bodies.map((body, i) => ({ index: rest.prevIndex + 1 + i, ...body })),
}));
const voteQuestion = { ...addressed, term: uint, lastIndex: uint, lastTerm: uint, priority: uint };
const requestPreVoteResponse = { type: fc.constant("requestPreVoteResponse" as const), ...addressed, term: uint, granted: bool };
const requestVoteResponse = { type: fc.constant("requestVoteResponse" as const), ...addressed, term: uint, granted: bool };
const appendEntriesResponse = {
  type: fc.constant("appendEntriesResponse" as const),
  ...addressed,
  term: uint,
  index: uint,
  rejected: bool,
  hintIndex: uint,
  hintTerm: uint,
};
const heartbeat = { type: fc.constant("heartbeat" as const), ...addressed, term: uint, commit: uint, readPosition: uint };
const heartbeatResponse = { type: fc.constant("heartbeatResponse" as const), ...addressed, term: uint, readPosition: uint };
/** Above 0: what has none is without the field. */
const repairId = uint.map((value) => Math.max(value, 1));
const peerMessage: fc.Arbitrary<PeerMessage> = fc.oneof(
  record({ type: fc.constant("requestPreVote" as const), ...voteQuestion }),
  record(requestPreVoteResponse),
  record({ ...requestPreVoteResponse, repairId }),
  record({ type: fc.constant("requestVote" as const), ...voteQuestion, isTransfer: bool }),
  record(requestVoteResponse),
  record({ ...requestVoteResponse, repairId }),
  appendEntries,
  record(appendEntriesResponse),
  record({ ...appendEntriesResponse, repairId }),
  record(heartbeat),
  record({ ...heartbeat, repair: record({ id: repairId, index: uint }) }),
  record(heartbeatResponse),
  record({ ...heartbeatResponse, repairId }),
  installSnapshot,
  record({ type: fc.constant("timeoutNow" as const), ...addressed, term: uint }),
  record({ type: fc.constant("transferLeadership" as const), ...addressed, term: uint, target: uint }),
  record({
    type: fc.constant("forwardPropose" as const),
    ...addressed,
    kind: fc.constantFrom<ForwardPropose["kind"]>("command", "configuration"),
    payloads: fc.array(bytes, { maxLength: 4 }),
  }),
  record({ type: fc.constant("readIndexRequest" as const), ...addressed, requestId: uint }),
  record({ type: fc.constant("readIndexResponse" as const), ...addressed, requestId: uint, index: uint }),
);

// The same message for protobuf-es.

type Plain = Readonly<Record<string, unknown>>;

/** Takes fields over by name: integers become bigints where the field has 64 bits, null and all-zero headers are left out. */
function messageOf<D extends DescMessage>(schema: D, plain: Plain): MessageShape<D> {
  const init: Record<string, unknown> = {};
  for (const field of schema.fields) {
    const value = plain[field.localName];
    if (value === undefined || value === null || (field.localName === "header" && isZeroHeader(value as Plain))) continue;
    init[field.localName] = Array.isArray(value) ? value.map((element) => fieldValue(field, element)) : fieldValue(field, value);
  }
  return create(schema, init as MessageInitShape<D>);
}

function fieldValue(field: DescField, value: unknown): unknown {
  if (field.message !== undefined) return messageOf(field.message, value as Plain);
  const is64Bit = field.scalar === ScalarType.INT64 || field.scalar === ScalarType.UINT64;
  return is64Bit && typeof value === "number" ? BigInt(value) : value;
}

function isZeroHeader(plain: Plain): boolean {
  return Object.values(plain).every((value) => value === 0 || value === 0n);
}

const statusNumbers: Readonly<Record<RaftKvStatus, Status>> = {
  success: Status.SUCCESS,
  created: Status.CREATED,
  redirect: Status.REDIRECT,
  "bad-request": Status.BAD_REQUEST,
  "not-found": Status.NOT_FOUND,
  "already-exists": Status.ALREADY_EXISTS,
  "internal-error": Status.INTERNAL_ERROR,
};
const kindNumbers: Readonly<Record<EntryKind, EntryKindNumber>> = {
  command: EntryKindNumber.COMMAND,
  empty: EntryKindNumber.EMPTY,
  configuration: EntryKindNumber.CONFIGURATION,
};

const laneNumbers: Readonly<Record<Lane, LaneNumber>> = {
  bulk: LaneNumber.BULK,
  urgent: LaneNumber.URGENT,
  snapshot: LaneNumber.SNAPSHOT,
};

function helloFieldsOf(hello: Hello): Plain {
  return { ...hello, lane: laneNumbers[hello.lane] };
}

/** The message of a oneof: the case is found by the field's name, its fields are taken from `plain`. */
function oneofOf<D extends DescMessage>(schema: D, oneof: string, caseName: string, plain: Plain): MessageShape<D> {
  const field = schema.fields.find((candidate) => candidate.localName === caseName);
  if (field === undefined) throw new Error(`${schema.typeName} has no field ${caseName}`);
  const value = field.message === undefined ? plain["bytes"] : messageOf(field.message, plain);
  return create(schema, { [oneof]: { case: caseName, value } } as MessageInitShape<D>);
}

function peerMessageOf(message: PeerMessage): Message {
  switch (message.type) {
    case "appendEntries":
      return oneofOf(PeerMessageSchema, "message", message.type, {
        ...message,
        entries: message.entries.map((entry) => ({ ...entry, kind: kindNumbers[entry.kind] })),
      });
    case "forwardPropose":
      return oneofOf(PeerMessageSchema, "message", message.type, { ...message, kind: kindNumbers[message.kind] });
    case "heartbeat":
      return oneofOf(PeerMessageSchema, "message", message.type, {
        ...message,
        repairId: message.repair?.id,
        repairIndex: message.repair?.index,
      });
    default:
      return oneofOf(PeerMessageSchema, "message", message.type, { ...message });
  }
}

function peerFrameOf(frame: PeerFrame): MessageShape<typeof PeerFrameSchema> {
  if (frame.type === "hello") return oneofOf(PeerFrameSchema, "frame", "hello", helloFieldsOf(frame.hello));
  const messages = frame.messages.map(peerMessageOf);
  return create(PeerFrameSchema, { frame: { case: "batch", value: { messages: messages as never } } });
}

function snapshotFrameOf(frame: SnapshotFrame): MessageShape<typeof SnapshotFrameSchema> {
  switch (frame.type) {
    case "hello":
      return oneofOf(SnapshotFrameSchema, "frame", "hello", helloFieldsOf(frame.hello));
    case "message":
      return oneofOf(SnapshotFrameSchema, "frame", "message", { ...frame.message, sizeBytes: frame.sizeBytes });
    case "chunk":
      return oneofOf(SnapshotFrameSchema, "frame", "chunk", { bytes: frame.chunk });
  }
}

function encodeCommand(command: Command): Uint8Array {
  switch (command.type) {
    case "put":
      return encodeRequestCommand("put", encodePutRequest(command.request));
    case "deleteRange":
      return encodeRequestCommand("deleteRange", encodeDeleteRangeRequest(command.request));
    case "create":
    case "update":
      return encodeRequestCommand(command.type, encodeKeyValueRequest(command.request));
    case "remove":
      return encodeRequestCommand("remove", encodeKeyRequest(command.request));
    case "memberAttributes":
      return encodeMemberAttributesCommand(command.attributes);
  }
}

const rangeResponseWriter = new RangeResponseWriter();

function streamRangeResponse(response: RangeResponse): Uint8Array {
  rangeResponseWriter.begin();
  for (const { key, value, createRevision, modRevision, version, lease } of response.kvs) {
    const low = Number(BigInt.asUintN(32, lease));
    const high = Number(BigInt.asIntN(32, lease >> 32n));
    rangeResponseWriter.keyValue(key, value, createRevision, modRevision, version, high, low);
  }
  return rangeResponseWriter.finish(response.header, response.more, response.count);
}

// The properties.

/** A field that no message has, of a random wire type. */
const unknownField = fc
  .tuple(
    fc.integer({ min: 200, max: 2 ** 29 - 1 }),
    fc.constantFrom(WireType.Varint, WireType.Bit64, WireType.LengthDelimited, WireType.Bit32),
    uint64,
  )
  .map(([no, wireType, value]) => {
    const writer = new BinaryWriter();
    if (wireType === WireType.Varint) writer.uint64(value);
    else if (wireType === WireType.LengthDelimited) writer.bytes(new Uint8Array(Number(value % 200n)));
    else if (wireType === WireType.Bit64) writer.fixed64(value);
    else writer.fixed32(Number(value & 0xffff_ffffn));
    return { no, wireType, data: writer.finish() };
  });

interface CodecCase<P, D extends DescMessage> {
  readonly plain: fc.Arbitrary<P>;
  readonly schema: D;
  readonly toMessage: (plain: P) => MessageShape<D>;
  readonly encode: (plain: P) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => P;
  /** A field that is not known is refused in the outermost message. */
  readonly unknownFields?: "refused-at-top";
}

function describeCodec<P, D extends DescMessage>(name: string, codec: CodecCase<P, D>): void {
  const { schema, toMessage, encode, decode } = codec;

  /** What our decoder makes of bytes; null: it refuses them, with one of its own errors and no other. */
  function decoded(input: Uint8Array): P | null {
    try {
      return decode(input);
    } catch (error) {
      if (error instanceof CodecError || error instanceof UnknownCommandError) return null;
      throw error;
    }
  }

  function decodedByProtobufEs(input: Uint8Array): MessageShape<D> | null {
    try {
      return fromBinary(schema, input);
    } catch {
      return null;
    }
  }

  describe(name, () => {
    test("what we write is what protobuf-es reads", () => {
      fc.assert(fc.property(codec.plain, (plain) => equals(schema, fromBinary(schema, encode(plain)), toMessage(plain))));
    });

    test("what protobuf-es writes is what we read", () => {
      fc.assert(fc.property(codec.plain, (plain) => isDeepStrictEqual(decode(toBinary(schema, toMessage(plain))), plain)));
    });

    test("what we write is no longer than what protobuf-es writes", () => {
      fc.assert(fc.property(codec.plain, (plain) => encode(plain).length === toBinary(schema, toMessage(plain)).length));
    });

    test("unknown fields are passed over on every level", () => {
      fc.assert(
        fc.property(codec.plain, fc.array(unknownField, { minLength: 1, maxLength: 3 }), (plain, unknown) => {
          const message = toMessage(plain);
          addUnknownFields(message, unknown);
          if (codec.unknownFields === "refused-at-top") delete message.$unknown;
          return isDeepStrictEqual(decode(toBinary(schema, message)), plain);
        }),
      );
    });

    test("a message that is cut anywhere is refused, or reads as protobuf-es reads it", () => {
      fc.assert(
        fc.property(codec.plain, (plain) => {
          const whole = toBinary(schema, toMessage(plain));
          for (let length = 0; length < whole.length; length += 1) {
            const ours = decoded(whole.slice(0, length));
            if (ours === null) continue;
            const theirs = decodedByProtobufEs(whole.slice(0, length));
            expect(theirs !== null && equals(schema, toMessage(ours), theirs), `cut at ${length}`).toBe(true);
          }
        }),
        { numRuns: 50 },
      );
    });

    test("random and damaged bytes are refused, or read as something that can be written and read again", () => {
      const damaged = fc.tuple(codec.plain, fc.nat(), fc.integer({ min: 1, max: 255 })).map(([plain, position, flip]) => {
        const whole = encode(plain).slice();
        if (whole.length > 0) whole[position % whole.length] = (whole[position % whole.length] ?? 0) ^ flip;
        return whole;
      });
      fc.assert(
        fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 60 })), (input) => {
          const once = decoded(input);
          return once === null || isDeepStrictEqual(decode(encode(once)), once);
        }),
        { numRuns: 500 },
      );
    });
  });
}

/** Also into all embedded messages. */
function addUnknownFields(message: Message, unknown: NonNullable<Message["$unknown"]>): void {
  message.$unknown = [...unknown];
  for (const value of Object.values(message)) {
    for (const element of Array.isArray(value) ? value : [value]) {
      if (isMessage(element)) addUnknownFields(element, unknown);
      else if (isOneof(element) && isMessage(element.value)) addUnknownFields(element.value, unknown);
    }
  }
}

function isOneof(value: unknown): value is { readonly value: unknown } {
  return typeof value === "object" && value !== null && "case" in value;
}

function byName<D extends DescMessage>(schema: D): (plain: object) => MessageShape<D> {
  return (plain) => messageOf(schema, plain as Plain);
}

describeCodec("PutRequest", {
  plain: putRequest,
  schema: PutRequestSchema,
  toMessage: byName(PutRequestSchema),
  encode: encodePutRequest,
  decode: decodePutRequest,
});
describeCodec("RangeRequest", {
  plain: record({
    key: bytes,
    rangeEnd: bytes,
    limit: int,
    revision: int,
    sortOrder: int32,
    sortTarget: int32,
    serializable: bool,
    keysOnly: bool,
    countOnly: bool,
    minModRevision: int,
    maxModRevision: int,
    minCreateRevision: int,
    maxCreateRevision: int,
  }),
  schema: RangeRequestSchema,
  toMessage: byName(RangeRequestSchema),
  encode: encodeRangeRequest,
  decode: decodeRangeRequest,
});
describeCodec("DeleteRangeRequest", {
  plain: deleteRangeRequest,
  schema: DeleteRangeRequestSchema,
  toMessage: byName(DeleteRangeRequestSchema),
  encode: encodeDeleteRangeRequest,
  decode: decodeDeleteRangeRequest,
});
describeCodec("PutResponse", {
  plain: record({ header, prevKv: fc.option(keyValue) }),
  schema: PutResponseSchema,
  toMessage: byName(PutResponseSchema),
  encode: encodePutResponse,
  decode: decodePutResponse,
});
describeCodec("RangeResponse", {
  plain: rangeResponse,
  schema: RangeResponseSchema,
  toMessage: byName(RangeResponseSchema),
  encode: encodeRangeResponse,
  decode: decodeRangeResponse,
});
describeCodec("RangeResponse, written while the store is walked", {
  plain: rangeResponse,
  schema: RangeResponseSchema,
  toMessage: byName(RangeResponseSchema),
  encode: streamRangeResponse,
  decode: decodeRangeResponse,
});
describeCodec("DeleteRangeResponse", {
  plain: record({ header, deleted: int, prevKvs: keyValues }),
  schema: DeleteRangeResponseSchema,
  toMessage: byName(DeleteRangeResponseSchema),
  encode: encodeDeleteRangeResponse,
  decode: decodeDeleteRangeResponse,
});
describeCodec("raftkv.v1 PutRequest and UpdateRequest", {
  plain: keyValueRequest,
  schema: KeyValueRequestSchema,
  toMessage: byName(KeyValueRequestSchema),
  encode: encodeKeyValueRequest,
  decode: decodeKeyValueRequest,
});
describeCodec("raftkv.v1 GetRequest and RemoveRequest", {
  plain: keyRequest,
  schema: GetRequestSchema,
  toMessage: byName(GetRequestSchema),
  encode: encodeKeyRequest,
  decode: decodeKeyRequest,
});
describeCodec("raftkv.v1 Response", {
  plain: record({
    status: fc.constantFrom<RaftKvStatus>("success", "created", "redirect", "bad-request", "not-found", "already-exists", "internal-error"),
    value: bytes,
    leader: fc.option(record({ id: uint64, name: text, clientUrls: fc.array(text, { maxLength: 3 }) })),
    message: text,
    revision: int,
  }),
  schema: ResponseSchema,
  toMessage: (plain) => messageOf(ResponseSchema, { ...plain, status: statusNumbers[plain.status] }),
  encode: encodeRaftKvResponse,
  decode: decodeRaftKvResponse,
});
describeCodec("Command", {
  plain: fc.oneof(
    record({ type: fc.constant("put" as const), request: putRequest }),
    record({ type: fc.constant("deleteRange" as const), request: deleteRangeRequest }),
    record({ type: fc.constantFrom("create" as const, "update" as const), request: keyValueRequest }),
    record({ type: fc.constant("remove" as const), request: keyRequest }),
    record({ type: fc.constant("memberAttributes" as const), attributes: memberAttributes }),
  ),
  schema: CommandSchema,
  toMessage: (command) =>
    oneofOf(CommandSchema, "command", command.type, { ...(command.type === "memberAttributes" ? command.attributes : command.request) }),
  encode: encodeCommand,
  decode: decodeCommand,
  unknownFields: "refused-at-top",
});
describeCodec("PeerFrame", {
  plain: fc.oneof(
    record({ type: fc.constant("hello" as const), hello }),
    record({ type: fc.constant("batch" as const), messages: fc.array(peerMessage, { maxLength: 5 }) }),
  ),
  schema: PeerFrameSchema,
  toMessage: peerFrameOf,
  encode: encodePeerFrame,
  decode: decodePeerFrame,
});
describeCodec("SnapshotFrame", {
  plain: fc.oneof(
    record({ type: fc.constant("hello" as const), hello }),
    record({ type: fc.constant("message" as const), message: installSnapshot, sizeBytes: uint }),
    record({ type: fc.constant("chunk" as const), chunk: bytes }),
  ),
  schema: SnapshotFrameSchema,
  toMessage: snapshotFrameOf,
  encode: encodeSnapshotFrame,
  decode: decodeSnapshotFrame,
});
