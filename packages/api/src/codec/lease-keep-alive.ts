import type { ResponseHeader } from "./etcd-message.ts";
import { emptyHeader, readHeader } from "./etcd-response.ts";
import { ProtobufReader } from "./protobuf-reader.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";
import { RESPONSE_FIXED_BYTES_MAX, writeHeader } from "./range-response-writer.ts";

/** `etcdserverpb.LeaseKeepAliveRequest`. */
export interface LeaseKeepAliveRequest {
  /** int64. */
  readonly id: bigint;
}

/** `etcdserverpb.LeaseKeepAliveResponse`. */
export interface LeaseKeepAliveResponse {
  readonly header: ResponseHeader;
  /** int64. */
  readonly id: bigint;
  /** Seconds from now on; 0 if there is no such lease. */
  readonly ttl: number;
}

const reader = new ProtobufReader();
const writer = new ProtobufWriter();

export function encodeLeaseKeepAliveRequest(request: LeaseKeepAliveRequest): Uint8Array {
  writer.begin(RESPONSE_FIXED_BYTES_MAX);
  writer.bigintField(0x08, request.id);
  return writer.finish();
}

/** Throws CodecError. */
export function decodeLeaseKeepAliveRequest(bytes: Uint8Array): LeaseKeepAliveRequest {
  let id = 0n;
  reader.reset(bytes);
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) id = reader.int64();
    else reader.skip(tag);
  }
  reader.release();
  return { id };
}

export function encodeLeaseKeepAliveResponse(response: LeaseKeepAliveResponse): Uint8Array {
  writer.begin(RESPONSE_FIXED_BYTES_MAX);
  writeHeader(writer, response.header);
  writer.bigintField(0x10, response.id);
  writer.intField(0x18, response.ttl);
  return writer.finish();
}

/** A header that is missing reads as zeros. Throws CodecError. */
export function decodeLeaseKeepAliveResponse(bytes: Uint8Array): LeaseKeepAliveResponse {
  const header = emptyHeader();
  let id = 0n;
  let ttl = 0;
  reader.reset(bytes);
  while (reader.more()) {
    const tag = reader.tag();
    switch (tag) {
      case 0x0a:
        readHeader(reader, header);
        break;
      case 0x10:
        id = reader.int64();
        break;
      case 0x18:
        ttl = reader.safeInt();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.release();
  return { header, id, ttl };
}
