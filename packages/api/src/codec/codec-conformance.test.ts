import { create, type Message, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { EntryKind, ForwardPropose, PeerMessage } from "@raftkv/raft-core";
import fc from "fast-check";
import {
  DeleteRangeRequestSchema,
  DeleteRangeResponseSchema,
  PutRequestSchema,
  PutResponseSchema,
  RangeRequestSchema,
  RangeResponseSchema,
  RangeStreamResponseSchema,
} from "../generated/etcdserverpb/kv_pb.ts";
import {
  EntryKind as EntryKindNumber,
  Lane as LaneNumber,
  PeerFrameSchema,
  PeerMessageSchema,
  SnapshotFrameSchema,
} from "../generated/raftkv/peer/v1/peer_pb.ts";
import { GetRequestSchema, PutRequestSchema as KeyValueRequestSchema, ResponseSchema, Status } from "../generated/raftkv/v1/raftkv_pb.ts";
import { bool, bytes, header, int, int32, int64, keyValue, keyValues, record, text, uint, uint64 } from "../testing/arbitraries.ts";
import { describeCodec } from "../testing/codec-case.ts";
import { byName, messageOf, oneofOf, type Plain } from "../testing/generated-message.ts";
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
import { decodeRangeStreamResponse, encodeRangeStreamResponse } from "./range-stream.ts";

const putRequest = record({ key: bytes, value: bytes, lease: int64, prevKv: bool, ignoreValue: bool, ignoreLease: bool });
const deleteRangeRequest = record({ key: bytes, rangeEnd: bytes, prevKv: bool });
const keyRequest = record({ key: bytes, clientId: uint64, sequence: uint, lowestAwaited: uint });
const keyValueRequest = record({ key: bytes, value: bytes, clientId: uint64, sequence: uint, lowestAwaited: uint });
const rangeResponse = record({ header, kvs: keyValues, more: bool, count: int });
const hello = record({
  clusterId: uint64,
  fromMember: uint64,
  toMember: uint64,
  protocolVersion: fc.integer({ min: 0, max: 0xffff_ffff }),
  name: text,
  storeId: uint64,
  lane: fc.constantFrom<Lane>("bulk", "urgent", "snapshot", "leases"),
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
  record({ type: fc.constant("timeoutNow" as const), ...addressed, term: uint, isResigning: fc.boolean() }),
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

const statusNumbers: Readonly<Record<RaftKvStatus, Status>> = {
  success: Status.SUCCESS,
  created: Status.CREATED,
  redirect: Status.REDIRECT,
  "bad-request": Status.BAD_REQUEST,
  "not-found": Status.NOT_FOUND,
  "already-exists": Status.ALREADY_EXISTS,
  "internal-error": Status.INTERNAL_ERROR,
  "session-lost": Status.SESSION_LOST,
  overloaded: Status.OVERLOADED,
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
  leases: LaneNumber.LEASES,
};

function helloFieldsOf(hello: Hello): Plain {
  return { ...hello, lane: laneNumbers[hello.lane] };
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
describeCodec("RangeStreamResponse", {
  plain: rangeResponse,
  schema: RangeStreamResponseSchema,
  toMessage: (plain) => {
    const rangeResponse = messageOf(RangeResponseSchema, { ...plain });
    const isEmpty = toBinary(RangeResponseSchema, rangeResponse).length === 0;
    return create(RangeStreamResponseSchema, isEmpty ? {} : { rangeResponse });
  },
  encode: encodeRangeStreamResponse,
  decode: decodeRangeStreamResponse,
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
    status: fc.constantFrom(...(Object.keys(statusNumbers) as RaftKvStatus[])),
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
