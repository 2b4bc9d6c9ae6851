import type { DeleteRangeRequest, PutRequest, RangeRequest } from "./etcd-message.ts";
import { emptyBytes, ProtobufReader } from "./protobuf-reader.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";

const reader = new ProtobufReader();
const writer = new ProtobufWriter();

/** Room for everything but keys and values. */
const FIXED_BYTES_MAX = 128;

/** `bytes` is one `etcdserverpb.PutRequest`. Throws CodecError. */
export function decodePutRequest(bytes: Uint8Array): PutRequest {
  let key = emptyBytes;
  let value = emptyBytes;
  let lease = 0n;
  let prevKv = false;
  let ignoreValue = false;
  let ignoreLease = false;
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
        lease = reader.int64();
        break;
      case 0x20:
        prevKv = reader.bool();
        break;
      case 0x28:
        ignoreValue = reader.bool();
        break;
      case 0x30:
        ignoreLease = reader.bool();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.release();
  return { key, value, lease, prevKv, ignoreValue, ignoreLease };
}

export function encodePutRequest(request: PutRequest): Uint8Array {
  writer.begin(request.key.length + request.value.length + FIXED_BYTES_MAX);
  writer.bytesField(0x0a, request.key);
  writer.bytesField(0x12, request.value);
  writer.bigintField(0x18, request.lease);
  writer.boolField(0x20, request.prevKv);
  writer.boolField(0x28, request.ignoreValue);
  writer.boolField(0x30, request.ignoreLease);
  return writer.finish();
}

/**
 * `bytes` is one `etcdserverpb.RangeRequest`. Limits and revisions beyond the safe integers become the nearest safe integer: clients
 * send the largest int64 for "no bound", and no revision of a store comes near. Throws CodecError.
 */
export function decodeRangeRequest(bytes: Uint8Array): RangeRequest {
  let key = emptyBytes;
  let rangeEnd = emptyBytes;
  let limit = 0;
  let revision = 0;
  let sortOrder = 0;
  let sortTarget = 0;
  let serializable = false;
  let keysOnly = false;
  let countOnly = false;
  let minModRevision = 0;
  let maxModRevision = 0;
  let minCreateRevision = 0;
  let maxCreateRevision = 0;
  reader.reset(bytes);
  while (reader.more()) {
    const tag = reader.tag();
    switch (tag) {
      case 0x0a:
        key = reader.bytes();
        break;
      case 0x12:
        rangeEnd = reader.bytes();
        break;
      case 0x18:
        limit = reader.clampedInt();
        break;
      case 0x20:
        revision = reader.clampedInt();
        break;
      case 0x28:
        sortOrder = reader.int32();
        break;
      case 0x30:
        sortTarget = reader.int32();
        break;
      case 0x38:
        serializable = reader.bool();
        break;
      case 0x40:
        keysOnly = reader.bool();
        break;
      case 0x48:
        countOnly = reader.bool();
        break;
      case 0x50:
        minModRevision = reader.clampedInt();
        break;
      case 0x58:
        maxModRevision = reader.clampedInt();
        break;
      case 0x60:
        minCreateRevision = reader.clampedInt();
        break;
      case 0x68:
        maxCreateRevision = reader.clampedInt();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.release();
  return {
    key,
    rangeEnd,
    limit,
    revision,
    sortOrder,
    sortTarget,
    serializable,
    keysOnly,
    countOnly,
    minModRevision,
    maxModRevision,
    minCreateRevision,
    maxCreateRevision,
  };
}

export function encodeRangeRequest(request: RangeRequest): Uint8Array {
  writer.begin(request.key.length + request.rangeEnd.length + FIXED_BYTES_MAX);
  writer.bytesField(0x0a, request.key);
  writer.bytesField(0x12, request.rangeEnd);
  writer.intField(0x18, request.limit);
  writer.intField(0x20, request.revision);
  writer.intField(0x28, request.sortOrder);
  writer.intField(0x30, request.sortTarget);
  writer.boolField(0x38, request.serializable);
  writer.boolField(0x40, request.keysOnly);
  writer.boolField(0x48, request.countOnly);
  writer.intField(0x50, request.minModRevision);
  writer.intField(0x58, request.maxModRevision);
  writer.intField(0x60, request.minCreateRevision);
  writer.intField(0x68, request.maxCreateRevision);
  return writer.finish();
}

/** `bytes` is one `etcdserverpb.DeleteRangeRequest`. Throws CodecError. */
export function decodeDeleteRangeRequest(bytes: Uint8Array): DeleteRangeRequest {
  let key = emptyBytes;
  let rangeEnd = emptyBytes;
  let prevKv = false;
  reader.reset(bytes);
  while (reader.more()) {
    const tag = reader.tag();
    switch (tag) {
      case 0x0a:
        key = reader.bytes();
        break;
      case 0x12:
        rangeEnd = reader.bytes();
        break;
      case 0x18:
        prevKv = reader.bool();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.release();
  return { key, rangeEnd, prevKv };
}

export function encodeDeleteRangeRequest(request: DeleteRangeRequest): Uint8Array {
  writer.begin(request.key.length + request.rangeEnd.length + FIXED_BYTES_MAX);
  writer.bytesField(0x0a, request.key);
  writer.bytesField(0x12, request.rangeEnd);
  writer.boolField(0x18, request.prevKv);
  return writer.finish();
}
