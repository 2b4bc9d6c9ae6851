import type { DeleteRangeResponse, KeyValue, PutResponse, RangeResponse, ResponseHeader } from "./etcd-message.ts";
import { emptyBytes, ProtobufReader } from "./protobuf-reader.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";
import { KEY_VALUE_FIXED_BYTES_MAX, RESPONSE_FIXED_BYTES_MAX, writeHeader, writeKeyValue } from "./range-response-writer.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const reader = new ProtobufReader();
const writer = new ProtobufWriter();

export function encodePutResponse(response: PutResponse): Uint8Array {
  const { prevKv } = response;
  writer.begin(RESPONSE_FIXED_BYTES_MAX + (prevKv === null ? 0 : pairBytesMax(prevKv)));
  writeHeader(writer, response.header);
  if (prevKv !== null) writeKeyValue(writer, 0x12, prevKv);
  return writer.finish();
}

export function encodeRangeResponse(response: RangeResponse): Uint8Array {
  writer.begin(RESPONSE_FIXED_BYTES_MAX);
  writeHeader(writer, response.header);
  for (const pair of response.kvs) writeKeyValue(writer, 0x12, pair);
  writer.boolField(0x18, response.more);
  writer.intField(0x20, response.count);
  return writer.finish();
}

export function encodeDeleteRangeResponse(response: DeleteRangeResponse): Uint8Array {
  writer.begin(RESPONSE_FIXED_BYTES_MAX);
  writeHeader(writer, response.header);
  writer.intField(0x10, response.deleted);
  for (const pair of response.prevKvs) writeKeyValue(writer, 0x1a, pair);
  return writer.finish();
}

/** `bytes` is one `etcdserverpb.PutResponse`. A header that is missing reads as zeros. Throws CodecError. */
export function decodePutResponse(bytes: Uint8Array): PutResponse {
  const header = emptyHeader();
  let prevKv: Writable<KeyValue> | null = null;
  reader.reset(bytes);
  while (reader.more()) {
    const tag = reader.tag();
    switch (tag) {
      case 0x0a:
        readHeader(reader, header);
        break;
      case 0x12:
        // An embedded message that comes twice is merged, as protobuf asks.
        prevKv ??= emptyKeyValue();
        readKeyValue(prevKv);
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.release();
  return { header, prevKv };
}

/** `bytes` is one `etcdserverpb.RangeResponse`. Throws CodecError. */
export function decodeRangeResponse(bytes: Uint8Array): RangeResponse {
  const header = emptyHeader();
  const kvs: KeyValue[] = [];
  let more = false;
  let count = 0;
  reader.reset(bytes);
  while (reader.more()) {
    const tag = reader.tag();
    switch (tag) {
      case 0x0a:
        readHeader(reader, header);
        break;
      case 0x12:
        kvs.push(readKeyValue(emptyKeyValue()));
        break;
      case 0x18:
        more = reader.bool();
        break;
      case 0x20:
        count = reader.safeInt();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.release();
  return { header, kvs, more, count };
}

/** `bytes` is one `etcdserverpb.DeleteRangeResponse`. Throws CodecError. */
export function decodeDeleteRangeResponse(bytes: Uint8Array): DeleteRangeResponse {
  const header = emptyHeader();
  const prevKvs: KeyValue[] = [];
  let deleted = 0;
  reader.reset(bytes);
  while (reader.more()) {
    const tag = reader.tag();
    switch (tag) {
      case 0x0a:
        readHeader(reader, header);
        break;
      case 0x10:
        deleted = reader.safeInt();
        break;
      case 0x1a:
        prevKvs.push(readKeyValue(emptyKeyValue()));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.release();
  return { header, deleted, prevKvs };
}

/** What a header that is missing reads as. */
export function emptyHeader(): Writable<ResponseHeader> {
  return { clusterId: 0n, memberId: 0n, revision: 0, raftTerm: 0 };
}

function emptyKeyValue(): Writable<KeyValue> {
  return { key: emptyBytes, value: emptyBytes, createRevision: 0, modRevision: 0, version: 0, lease: 0n };
}

function pairBytesMax(pair: KeyValue): number {
  return pair.key.length + pair.value.length + KEY_VALUE_FIXED_BYTES_MAX;
}

/** Reads an embedded header into one that was begun: one that comes twice is merged. */
export function readHeader(reader: ProtobufReader, header: Writable<ResponseHeader>): void {
  const outer = reader.enter();
  while (reader.more()) {
    const tag = reader.tag();
    switch (tag) {
      case 0x08:
        header.clusterId = reader.uint64();
        break;
      case 0x10:
        header.memberId = reader.uint64();
        break;
      case 0x18:
        header.revision = reader.safeInt();
        break;
      case 0x20:
        header.raftTerm = reader.safeUint();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.leave(outer);
}

function readKeyValue(pair: Writable<KeyValue>): KeyValue {
  const outer = reader.enter();
  while (reader.more()) {
    const tag = reader.tag();
    switch (tag) {
      case 0x0a:
        pair.key = reader.bytes();
        break;
      case 0x10:
        pair.createRevision = reader.safeInt();
        break;
      case 0x18:
        pair.modRevision = reader.safeInt();
        break;
      case 0x20:
        pair.version = reader.safeInt();
        break;
      case 0x2a:
        pair.value = reader.bytes();
        break;
      case 0x30:
        pair.lease = reader.int64();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.leave(outer);
  return pair;
}
