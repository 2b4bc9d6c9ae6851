import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { CompactionRequestSchema } from "../generated/etcdserverpb/kv_pb.ts";
import {
  type LeaseGrantRequest,
  LeaseGrantRequestSchema,
  type LeaseRevokeRequest,
  LeaseRevokeRequestSchema,
} from "../generated/etcdserverpb/lease_pb.ts";
import { type AlarmRequest, AlarmRequestSchema } from "../generated/etcdserverpb/maintenance_pb.ts";
import {
  type LeaseCheckpoints,
  LeaseCheckpointsSchema,
  LeaseExpirySchema,
  TimeAdvanceSchema,
} from "../generated/raftkv/command/v1/command_pb.ts";
import { CodecError } from "./codec-error.ts";
import type { DeleteRangeRequest, PutRequest, TxnRequest } from "./etcd-message.ts";
import { decodeDeleteRangeRequest, decodePutRequest } from "./etcd-request.ts";
import { emptyBytes, ProtobufReader } from "./protobuf-reader.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";
import { decodeKeyRequest, decodeKeyValueRequest, type KeyRequest, type KeyValueRequest } from "./raftkv-message.ts";
import { decodeTxnRequest } from "./txn-request.ts";

/** `raftkv.command.v1.MemberAttributes`: what a member tells about itself when it has started. */
export interface MemberAttributes {
  /** uint64. */
  readonly memberId: bigint;
  readonly name: string;
  readonly clientUrls: readonly string[];
  /** uint64: drawn at random when the member's data directory was made. */
  readonly storeId: bigint;
}

/** `raftkv.command.v1.LeaseExpiry`: a leader saw a lease run out. */
export interface LeaseExpiry {
  /** int64. */
  readonly id: bigint;
  /** Number of the command that granted the lease. */
  readonly grantNumber: number;
  /** The leader's term. */
  readonly term: number;
}

/** `raftkv.command.v1.Command`: what a log entry of kind `command` holds. Requests that are rare are the generated messages. */
export type Command =
  | { readonly type: "put"; readonly request: PutRequest }
  | { readonly type: "deleteRange"; readonly request: DeleteRangeRequest }
  | { readonly type: "create"; readonly request: KeyValueRequest }
  | { readonly type: "update"; readonly request: KeyValueRequest }
  | { readonly type: "remove"; readonly request: KeyRequest }
  | { readonly type: "memberAttributes"; readonly attributes: MemberAttributes }
  | { readonly type: "txn"; readonly request: TxnRequest }
  | { readonly type: "compaction"; readonly revision: number }
  | { readonly type: "leaseGrant"; readonly request: LeaseGrantRequest }
  | { readonly type: "leaseRevoke"; readonly request: LeaseRevokeRequest }
  | { readonly type: "leaseExpire"; readonly expiry: LeaseExpiry }
  | { readonly type: "leaseCheckpoint"; readonly request: LeaseCheckpoints }
  | { readonly type: "alarm"; readonly request: AlarmRequest }
  | { readonly type: "advanceTime"; readonly readingMs: number };

/** A command that this version does not know: a newer member has proposed it, and skipping it would split the members. */
export class UnknownCommandError extends Error {
  override readonly name = "UnknownCommandError";
}

/** The commands that carry a request of the API. */
export type RequestCommandType = Exclude<Command["type"], "memberAttributes" | "leaseExpire" | "advanceTime">;

export const PUT_TAG = 0x0a;
export const DELETE_RANGE_TAG = 0x12;
export const CREATE_TAG = 0x1a;
export const UPDATE_TAG = 0x22;
export const REMOVE_TAG = 0x2a;
const MEMBER_ATTRIBUTES_TAG = 0x32;
const TXN_TAG = 0x3a;
const COMPACTION_TAG = 0x42;
const LEASE_GRANT_TAG = 0x4a;
const LEASE_REVOKE_TAG = 0x52;
const LEASE_EXPIRE_TAG = 0x5a;
const LEASE_CHECKPOINT_TAG = 0x62;
const ALARM_TAG = 0x6a;
const ADVANCE_TIME_TAG = 0x72;

const requestTags: Readonly<Record<RequestCommandType, number>> = {
  put: PUT_TAG,
  deleteRange: DELETE_RANGE_TAG,
  create: CREATE_TAG,
  update: UPDATE_TAG,
  remove: REMOVE_TAG,
  txn: TXN_TAG,
  compaction: COMPACTION_TAG,
  leaseGrant: LEASE_GRANT_TAG,
  leaseRevoke: LEASE_REVOKE_TAG,
  leaseCheckpoint: LEASE_CHECKPOINT_TAG,
  alarm: ALARM_TAG,
};

const COMMAND_HEAD_BYTES_MAX = 16;

const reader = new ProtobufReader();
const writer = new ProtobufWriter();

/**
 * Makes a command of an encoded request: a tag and a length in front of the same bytes. One that came from a client must have been
 * decoded once without an error. Commands share chunks with commands only: they live about as long as their neighbours in the log.
 *
 * ```
 *   │ tag 1 B │ length 1-5 B │ request, copied unchanged │
 * ```
 */
export function encodeRequestCommand(type: RequestCommandType, request: Uint8Array): Uint8Array {
  writer.begin(request.length + COMMAND_HEAD_BYTES_MAX);
  writer.bytesElement(requestTags[type], request);
  return writer.finish();
}

export function encodeMemberAttributesCommand(attributes: MemberAttributes): Uint8Array {
  writer.begin(0);
  writer.open(MEMBER_ATTRIBUTES_TAG, 1);
  writer.fixed64Field(0x09, attributes.memberId);
  writer.stringField(0x12, attributes.name);
  for (const url of attributes.clientUrls) writer.stringElement(0x1a, url);
  writer.fixed64Field(0x21, attributes.storeId);
  writer.close();
  return writer.finish();
}

export function encodeLeaseExpireCommand(expiry: LeaseExpiry): Uint8Array {
  writer.begin(0);
  writer.open(LEASE_EXPIRE_TAG, 1);
  writer.bigintField(0x08, expiry.id);
  writer.uintField(0x10, expiry.grantNumber);
  writer.uintField(0x18, expiry.term);
  writer.close();
  return writer.finish();
}

export function encodeAdvanceTimeCommand(readingMs: number): Uint8Array {
  writer.begin(0);
  writer.open(ADVANCE_TIME_TAG, 1);
  writer.uintField(0x08, readingMs);
  writer.close();
  return writer.finish();
}

/** Whether `decodeCommand` gives a `memberAttributes` or throws: the first byte tells, so that a long log is searched fast. */
export function isMemberAttributesCommand(bytes: Uint8Array): boolean {
  return bytes[0] === MEMBER_ATTRIBUTES_TAG;
}

/** Keys and values are views into `bytes`. Throws CodecError if they are malformed, UnknownCommandError for a command of a newer version. */
export function decodeCommand(bytes: Uint8Array): Command {
  let commandTag = 0;
  let body = emptyBytes;
  reader.reset(bytes);
  while (reader.more()) {
    const tag = reader.tag();
    if (commandTag !== 0) throw new CodecError(`Command holds field ${tag >>> 3} after field ${commandTag >>> 3}, one is allowed`);
    if ((tag & 7) !== 2) throw new CodecError(`Command of field ${tag >>> 3} has wire type ${tag & 7}, 2 is expected`);
    commandTag = tag;
    body = reader.bytes();
  }
  reader.release();
  if (commandTag === 0) throw new CodecError(`Command of ${bytes.length} bytes is empty`);
  return commandOf(commandTag, body);
}

function commandOf(tag: number, body: Uint8Array): Command {
  switch (tag) {
    case PUT_TAG:
      return { type: "put", request: decodePutRequest(body) };
    case DELETE_RANGE_TAG:
      return { type: "deleteRange", request: decodeDeleteRangeRequest(body) };
    case CREATE_TAG:
      return { type: "create", request: decodeKeyValueRequest(body) };
    case UPDATE_TAG:
      return { type: "update", request: decodeKeyValueRequest(body) };
    case REMOVE_TAG:
      return { type: "remove", request: decodeKeyRequest(body) };
    case MEMBER_ATTRIBUTES_TAG:
      return { type: "memberAttributes", attributes: readMemberAttributes(body) };
    case TXN_TAG:
      return { type: "txn", request: decodeTxnRequest(body) };
    case COMPACTION_TAG:
      return { type: "compaction", revision: nearestSafeInteger(generated(CompactionRequestSchema, body).revision) };
    case LEASE_GRANT_TAG:
      return { type: "leaseGrant", request: generated(LeaseGrantRequestSchema, body) };
    case LEASE_REVOKE_TAG:
      return { type: "leaseRevoke", request: generated(LeaseRevokeRequestSchema, body) };
    case LEASE_EXPIRE_TAG: {
      const { id, grantNumber, term } = generated(LeaseExpirySchema, body);
      return { type: "leaseExpire", expiry: { id, grantNumber: nearestSafeInteger(grantNumber), term: nearestSafeInteger(term) } };
    }
    case LEASE_CHECKPOINT_TAG:
      return { type: "leaseCheckpoint", request: generated(LeaseCheckpointsSchema, body) };
    case ALARM_TAG:
      return { type: "alarm", request: generated(AlarmRequestSchema, body) };
    case ADVANCE_TIME_TAG:
      return { type: "advanceTime", readingMs: nearestSafeInteger(generated(TimeAdvanceSchema, body).readingMs) };
    default:
      throw new UnknownCommandError(`Command of field ${tag >>> 3} is not known, it needs a newer version`);
  }
}

function generated<Schema extends DescMessage>(schema: Schema, body: Uint8Array): MessageShape<Schema> {
  try {
    return fromBinary(schema, body, { readUnknownFields: false });
  } catch (error) {
    throw new CodecError(`${schema.typeName} is malformed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function nearestSafeInteger(value: bigint): number {
  if (value > Number.MAX_SAFE_INTEGER) return Number.MAX_SAFE_INTEGER;
  return value < Number.MIN_SAFE_INTEGER ? Number.MIN_SAFE_INTEGER : Number(value);
}

function readMemberAttributes(bytes: Uint8Array): MemberAttributes {
  let memberId = 0n;
  let name = "";
  const clientUrls: string[] = [];
  let storeId = 0n;
  reader.reset(bytes);
  while (reader.more()) {
    const tag = reader.tag();
    switch (tag) {
      case 0x09:
        memberId = reader.fixed64();
        break;
      case 0x12:
        name = reader.string();
        break;
      case 0x1a:
        clientUrls.push(reader.string());
        break;
      case 0x21:
        storeId = reader.fixed64();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.release();
  return { memberId, name, clientUrls, storeId };
}
