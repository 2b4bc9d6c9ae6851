import type { RangeResponse, ResponseHeader } from "./etcd-message.ts";
import { decodeRangeResponse } from "./etcd-response.ts";
import { joinedBytes } from "./joined-bytes.ts";
import { emptyBytes, ProtobufReader } from "./protobuf-reader.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";
import { RESPONSE_FIXED_BYTES_MAX, writeHeader, writeKeyValue } from "./range-response-writer.ts";

const reader = new ProtobufReader();
const writer = new ProtobufWriter();

/** One `etcdserverpb.RangeStreamResponse`: a part of a RangeResponse. A header of zeros is left out. */
export function encodeRangeStreamResponse({ header, kvs, more, count }: RangeResponse): Uint8Array {
  writer.begin(RESPONSE_FIXED_BYTES_MAX);
  writer.open(0x0a, CHUNK_BYTES_USUAL);
  if (!isEmpty(header)) writeHeader(writer, header);
  for (const pair of kvs) writeKeyValue(writer, 0x12, pair);
  writer.boolField(0x18, more);
  writer.intField(0x20, count);
  writer.close();
  return writer.finish();
}

/** What is missing in the part reads as zeros. Throws CodecError. */
export function decodeRangeStreamResponse(bytes: Uint8Array): RangeResponse {
  let part = emptyBytes;
  reader.reset(bytes);
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x0a) part = part.length === 0 ? reader.bytes() : joinedBytes(part, reader.bytes());
    else reader.skip(tag);
  }
  reader.release();
  return decodeRangeResponse(part);
}

/** Spares moving the bytes of most parts once their length is known. */
const CHUNK_BYTES_USUAL = 65_536;

function isEmpty({ clusterId, memberId, revision, raftTerm }: ResponseHeader): boolean {
  return clusterId === 0n && memberId === 0n && revision === 0 && raftTerm === 0;
}
