import { create, type MessageInitShape, type MessageShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import {
  CompactionRequestSchema,
  CompareSchema,
  DeleteRangeRequestSchema,
  DeleteRangeResponseSchema,
  PutRequestSchema,
  PutResponseSchema,
  RangeRequestSchema,
  RangeResponseSchema,
  type RequestOpSchema,
  ResponseOpSchema,
  TxnRequestSchema,
  TxnResponseSchema,
} from "../generated/etcdserverpb/kv_pb.ts";
import { LeaseCheckpointSchema, LeaseGrantRequestSchema, LeaseRevokeRequestSchema } from "../generated/etcdserverpb/lease_pb.ts";
import { AlarmRequestSchema } from "../generated/etcdserverpb/maintenance_pb.ts";
import { CommandSchema, LeaseCheckpointsSchema } from "../generated/raftkv/command/v1/command_pb.ts";
import { bool, bytes, header, int, int32, int64, keyValue, keyValues, record, text, uint, uint64 } from "../testing/arbitraries.ts";
import { describeCodec } from "../testing/codec-case.ts";
import { messageOf, oneofOf } from "../testing/generated-message.ts";
import {
  type Command,
  decodeCommand,
  encodeAdvanceTimeCommand,
  encodeLeaseExpireCommand,
  encodeMemberAttributesCommand,
  encodeRequestCommand,
} from "./command.ts";
import type { Compare, RequestOp, ResponseOp, TxnRequest, TxnResponse } from "./etcd-message.ts";
import { encodeDeleteRangeRequest, encodePutRequest } from "./etcd-request.ts";
import { encodeKeyRequest, encodeKeyValueRequest } from "./raftkv-message.ts";
import { decodeTxnRequest, encodeTxnRequest } from "./txn-request.ts";
import { decodeTxnResponse, encodeTxnResponse } from "./txn-response.ts";

const putRequest = record({ key: bytes, value: bytes, lease: int64, prevKv: bool, ignoreValue: bool, ignoreLease: bool });
const deleteRangeRequest = record({ key: bytes, rangeEnd: bytes, prevKv: bool });
const rangeRequest = record({
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
});

const condition = { key: bytes, rangeEnd: bytes, result: int32 };
const compare: fc.Arbitrary<Compare> = fc.oneof(
  record({ ...condition, target: fc.constantFrom("version" as const, "create" as const, "mod" as const), operand: int }),
  record({ ...condition, target: fc.constant("value" as const), operand: bytes }),
  record({ ...condition, target: fc.constant("lease" as const), operand: int64 }),
);

const { txnRequest, txnResponse } = fc.letrec<{
  txnRequest: TxnRequest;
  requestOp: RequestOp;
  txnResponse: TxnResponse;
  responseOp: ResponseOp;
}>((tie) => ({
  requestOp: fc.oneof(
    { maxDepth: 3 },
    record({ type: fc.constant("put" as const), request: putRequest }),
    record({ type: fc.constant("range" as const), request: rangeRequest }),
    record({ type: fc.constant("deleteRange" as const), request: deleteRangeRequest }),
    record({ type: fc.constant("txn" as const), request: tie("txnRequest") }),
    record({ type: fc.constant("none" as const) }),
  ),
  txnRequest: record({
    compare: fc.array(compare, { maxLength: 3 }),
    success: fc.array(tie("requestOp"), { maxLength: 3 }),
    failure: fc.array(tie("requestOp"), { maxLength: 2 }),
  }),
  responseOp: fc.oneof(
    { maxDepth: 3 },
    record({ type: fc.constant("put" as const), response: record({ header, prevKv: fc.option(keyValue) }) }),
    record({ type: fc.constant("range" as const), response: record({ header, kvs: keyValues, more: bool, count: int }) }),
    record({ type: fc.constant("deleteRange" as const), response: record({ header, deleted: int, prevKvs: keyValues }) }),
    record({ type: fc.constant("txn" as const), response: tie("txnResponse") }),
    record({ type: fc.constant("none" as const) }),
  ),
  txnResponse: record({ header, succeeded: bool, responses: fc.array(tie("responseOp"), { maxLength: 3 }) }),
}));

// The same for protobuf-es.

const targets = { version: "version", create: "createRevision", mod: "modRevision", value: "value", lease: "lease" } as const;

function compareMessage(compare: Compare): MessageShape<typeof CompareSchema> {
  const { result, key, rangeEnd } = compare;
  if (compare.target === "unknown") throw new Error("There is no message for an unknown target");
  const { operand } = compare;
  const isLeftOut = typeof operand === "object" ? operand.length === 0 : BigInt(operand) === 0n;
  const value = typeof operand === "number" ? BigInt(operand) : operand;
  const targetUnion = isLeftOut ? { case: undefined } : { case: targets[compare.target], value };
  const target = Object.keys(targets).indexOf(compare.target);
  return create(CompareSchema, { result, target, key, rangeEnd, targetUnion } as MessageInitShape<typeof CompareSchema>);
}

function txnRequestMessage({ compare, success, failure }: TxnRequest): MessageShape<typeof TxnRequestSchema> {
  return create(TxnRequestSchema, {
    compare: compare.map(compareMessage),
    success: success.map(requestOpMessage),
    failure: failure.map(requestOpMessage),
  });
}

function requestOpMessage(operation: RequestOp): MessageInitShape<typeof RequestOpSchema> {
  switch (operation.type) {
    case "put":
      return { request: { case: "requestPut", value: messageOf(PutRequestSchema, { ...operation.request }) } };
    case "range":
      return { request: { case: "requestRange", value: messageOf(RangeRequestSchema, { ...operation.request }) } };
    case "deleteRange":
      return { request: { case: "requestDeleteRange", value: messageOf(DeleteRangeRequestSchema, { ...operation.request }) } };
    case "txn":
      return { request: { case: "requestTxn", value: txnRequestMessage(operation.request) } };
    case "none":
      return {};
  }
}

function txnResponseMessage(response: TxnResponse): MessageShape<typeof TxnResponseSchema> {
  const message = messageOf(TxnResponseSchema, { header: response.header, succeeded: response.succeeded });
  message.responses = response.responses.map((operation) => create(ResponseOpSchema, responseOpMessage(operation)));
  return message;
}

function responseOpMessage(operation: ResponseOp): MessageInitShape<typeof ResponseOpSchema> {
  switch (operation.type) {
    case "put":
      return { response: { case: "responsePut", value: messageOf(PutResponseSchema, { ...operation.response }) } };
    case "range":
      return { response: { case: "responseRange", value: messageOf(RangeResponseSchema, { ...operation.response }) } };
    case "deleteRange":
      return { response: { case: "responseDeleteRange", value: messageOf(DeleteRangeResponseSchema, { ...operation.response }) } };
    case "txn":
      return { response: { case: "responseTxn", value: txnResponseMessage(operation.response) } };
    case "none":
      return {};
  }
}

describeCodec("TxnRequest", {
  plain: txnRequest,
  schema: TxnRequestSchema,
  toMessage: txnRequestMessage,
  encode: encodeTxnRequest,
  decode: decodeTxnRequest,
});
describeCodec("TxnResponse", {
  plain: txnResponse,
  schema: TxnResponseSchema,
  toMessage: txnResponseMessage,
  encode: encodeTxnResponse,
  decode: decodeTxnResponse,
});

// Commands.

const keyRequest = record({ key: bytes, clientId: uint64, sequence: uint, lowestAwaited: uint });
const keyValueRequest = record({ key: bytes, value: bytes, clientId: uint64, sequence: uint, lowestAwaited: uint });
const memberAttributes = record({ memberId: uint64, name: text, clientUrls: fc.array(text, { maxLength: 3 }), storeId: uint64 });
const checkpoints = fc.array(
  fc.tuple(int64, int64).map(([ID, remainingTTL]) => create(LeaseCheckpointSchema, { ID, remainingTTL })),
  { maxLength: 3 },
);
const command: fc.Arbitrary<Command> = fc.oneof(
  record({ type: fc.constant("put" as const), request: putRequest }),
  record({ type: fc.constant("deleteRange" as const), request: deleteRangeRequest }),
  record({ type: fc.constantFrom("create" as const, "update" as const), request: keyValueRequest }),
  record({ type: fc.constant("remove" as const), request: keyRequest }),
  record({ type: fc.constant("memberAttributes" as const), attributes: memberAttributes }),
  record({ type: fc.constant("txn" as const), request: txnRequest }),
  record({ type: fc.constant("compaction" as const), revision: int }),
  fc.tuple(int64, int64).map(([ID, TTL]) => ({ type: "leaseGrant" as const, request: create(LeaseGrantRequestSchema, { ID, TTL }) })),
  int64.map((ID) => ({ type: "leaseRevoke" as const, request: create(LeaseRevokeRequestSchema, { ID }) })),
  record({ type: fc.constant("leaseExpire" as const), expiry: record({ id: int64, grantNumber: uint, term: uint }) }),
  fc
    .tuple(checkpoints, uint64)
    .map(([list, term]) => ({ type: "leaseCheckpoint" as const, request: create(LeaseCheckpointsSchema, { checkpoints: list, term }) })),
  fc
    .tuple(fc.constantFrom(0, 1, 2), uint64, fc.constantFrom(0, 1, 2))
    .map(([action, memberID, alarm]) => ({ type: "alarm" as const, request: create(AlarmRequestSchema, { action, memberID, alarm }) })),
  record({ type: fc.constant("advanceTime" as const), readingMs: uint }),
);

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
    case "txn":
      return encodeRequestCommand("txn", encodeTxnRequest(command.request));
    case "leaseExpire":
      return encodeLeaseExpireCommand(command.expiry);
    case "advanceTime":
      return encodeAdvanceTimeCommand(command.readingMs);
    case "compaction":
      return encodeRequestCommand("compaction", toBinary(CompactionRequestSchema, messageOf(CompactionRequestSchema, { ...command })));
    case "leaseGrant":
      return encodeRequestCommand("leaseGrant", toBinary(LeaseGrantRequestSchema, command.request));
    case "leaseRevoke":
      return encodeRequestCommand("leaseRevoke", toBinary(LeaseRevokeRequestSchema, command.request));
    case "leaseCheckpoint":
      return encodeRequestCommand("leaseCheckpoint", toBinary(LeaseCheckpointsSchema, command.request));
    case "alarm":
      return encodeRequestCommand("alarm", toBinary(AlarmRequestSchema, command.request));
  }
}

function commandMessage(command: Command): MessageShape<typeof CommandSchema> {
  switch (command.type) {
    case "txn":
      return create(CommandSchema, { command: { case: "txn", value: txnRequestMessage(command.request) } });
    case "memberAttributes":
      return oneofOf(CommandSchema, "command", command.type, { ...command.attributes });
    case "compaction":
      return oneofOf(CommandSchema, "command", command.type, { revision: command.revision });
    case "leaseExpire":
      return oneofOf(CommandSchema, "command", command.type, { ...command.expiry });
    case "advanceTime":
      return oneofOf(CommandSchema, "command", command.type, { readingMs: command.readingMs });
    case "put":
    case "deleteRange":
    case "create":
    case "update":
    case "remove":
      return oneofOf(CommandSchema, "command", command.type, { ...command.request });
    default:
      return create(CommandSchema, { command: { case: command.type, value: structuredClone(command.request) } as never });
  }
}

describeCodec("Command", {
  plain: command,
  schema: CommandSchema,
  toMessage: commandMessage,
  encode: encodeCommand,
  decode: decodeCommand,
  unknownFields: "refused-at-top",
});
