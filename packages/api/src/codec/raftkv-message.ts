import { CodecError } from "./codec-error.ts";
import { emptyBytes, ProtobufReader } from "./protobuf-reader.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";

/** `raftkv.v1.GetRequest` and `RemoveRequest`. */
export interface KeyRequest {
  readonly key: Uint8Array;
  /** uint64. With `sequence` it identifies the request; 0: not identified. */
  readonly clientId: bigint;
  readonly sequence: number;
  /** Lowest sequence that the client still awaits an answer of; 0: it does not say. */
  readonly lowestAwaited: number;
}

/** `raftkv.v1.PutRequest` and `UpdateRequest`. */
export interface KeyValueRequest extends KeyRequest {
  readonly value: Uint8Array;
}

/** What happened; the sentences stand at `raftkv.v1.Status` in raftkv.proto. */
export type RaftKvStatus =
  | "success"
  | "created"
  | "redirect"
  | "bad-request"
  | "not-found"
  | "already-exists"
  | "internal-error"
  | "session-lost"
  | "overloaded";

/** Where the leader answers clients. */
export interface LeaderAddress {
  /** uint64. */
  readonly id: bigint;
  readonly name: string;
  readonly clientUrls: readonly string[];
}

/** `raftkv.v1.Response`. */
export interface RaftKvResponse {
  readonly status: RaftKvStatus;
  /** Of a get that succeeded, else empty. */
  readonly value: Uint8Array;
  /** With `redirect`, if the leader is known. */
  readonly leader: LeaderAddress | null;
  /** A sentence for people, empty on success. */
  readonly message: string;
  /** Of the store after the operation. */
  readonly revision: number;
}

/** The wire's number of a status is its place here + 1. */
const statuses: readonly RaftKvStatus[] = [
  "success",
  "created",
  "redirect",
  "bad-request",
  "not-found",
  "already-exists",
  "internal-error",
  "session-lost",
  "overloaded",
];

const RESPONSE_FIXED_BYTES_MAX = 64;
const REQUEST_FIXED_BYTES_MAX = 64;

const reader = new ProtobufReader();
const writer = new ProtobufWriter();

/** Throws CodecError. `key` and `value` are views into `bytes`. */
export function decodeKeyValueRequest(bytes: Uint8Array): KeyValueRequest {
  let key = emptyBytes;
  let value = emptyBytes;
  let clientId = 0n;
  let sequence = 0;
  let lowestAwaited = 0;
  reader.reset(bytes);
  while (reader.more()) {
    const tag = reader.tag();
    switch (tag) {
      case 0x0a:
        key = reader.bytes();
        break;
      case 0x12:
        value = reader.bytes();
        break;
      case 0x18:
        clientId = reader.uint64();
        break;
      case 0x20:
        sequence = reader.safeUint();
        break;
      case 0x28:
        lowestAwaited = reader.safeUint();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.release();
  return { key, value, clientId, sequence, lowestAwaited };
}

export function encodeKeyValueRequest(request: KeyValueRequest): Uint8Array {
  writer.begin(request.key.length + request.value.length + REQUEST_FIXED_BYTES_MAX);
  writer.bytesField(0x0a, request.key);
  writer.bytesField(0x12, request.value);
  writer.bigintField(0x18, request.clientId);
  writer.uintField(0x20, request.sequence);
  writer.uintField(0x28, request.lowestAwaited);
  return writer.finish();
}

/** Throws CodecError. `key` is a view into `bytes`. */
export function decodeKeyRequest(bytes: Uint8Array): KeyRequest {
  let key = emptyBytes;
  let clientId = 0n;
  let sequence = 0;
  let lowestAwaited = 0;
  reader.reset(bytes);
  while (reader.more()) {
    const tag = reader.tag();
    switch (tag) {
      case 0x0a:
        key = reader.bytes();
        break;
      case 0x18:
        clientId = reader.uint64();
        break;
      case 0x20:
        sequence = reader.safeUint();
        break;
      case 0x28:
        lowestAwaited = reader.safeUint();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.release();
  return { key, clientId, sequence, lowestAwaited };
}

export function encodeKeyRequest(request: KeyRequest): Uint8Array {
  writer.begin(request.key.length + REQUEST_FIXED_BYTES_MAX);
  writer.bytesField(0x0a, request.key);
  writer.bigintField(0x18, request.clientId);
  writer.uintField(0x20, request.sequence);
  writer.uintField(0x28, request.lowestAwaited);
  return writer.finish();
}

/** Throws CodecError, also if the status is missing or unknown. `value` is a view into `bytes`. */
export function decodeRaftKvResponse(bytes: Uint8Array): RaftKvResponse {
  let statusNumber = 0;
  let value = emptyBytes;
  let leader: { id: bigint; name: string; clientUrls: string[] } | null = null;
  let message = "";
  let revision = 0;
  reader.reset(bytes);
  while (reader.more()) {
    const tag = reader.tag();
    switch (tag) {
      case 0x08:
        statusNumber = reader.int32();
        break;
      case 0x12:
        value = reader.bytes();
        break;
      case 0x1a:
        leader ??= { id: 0n, name: "", clientUrls: [] };
        readLeader(leader);
        break;
      case 0x22:
        message = reader.string();
        break;
      case 0x28:
        revision = reader.safeInt();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.release();
  const status = statuses[statusNumber - 1];
  if (status === undefined) throw new CodecError(`Response has status ${statusNumber}, which is not known`);
  return { status, value, leader, message, revision };
}

export function encodeRaftKvResponse(response: RaftKvResponse): Uint8Array {
  writer.begin(response.value.length + RESPONSE_FIXED_BYTES_MAX);
  writer.uintField(0x08, statuses.indexOf(response.status) + 1);
  writer.bytesField(0x12, response.value);
  if (response.leader !== null) {
    writer.open(0x1a, 1);
    writer.bigintField(0x08, response.leader.id);
    writer.stringField(0x12, response.leader.name);
    for (const url of response.leader.clientUrls) writer.stringElement(0x1a, url);
    writer.close();
  }
  writer.stringField(0x22, response.message);
  writer.intField(0x28, response.revision);
  return writer.finish();
}

function readLeader(leader: { id: bigint; name: string; readonly clientUrls: string[] }): void {
  const outer = reader.enter();
  while (reader.more()) {
    const tag = reader.tag();
    switch (tag) {
      case 0x08:
        leader.id = reader.uint64();
        break;
      case 0x12:
        leader.name = reader.string();
        break;
      case 0x1a:
        leader.clientUrls.push(reader.string());
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.leave(outer);
}
