import type { KeyValue, ResponseHeader } from "./etcd-message.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";

/** Room for everything but keys and values. */
export const RESPONSE_FIXED_BYTES_MAX = 128;
/** Upper bound of what the numbers and tags of one pair take. */
export const KEY_VALUE_FIXED_BYTES_MAX = 64;

export function writeHeader(writer: ProtobufWriter, header: ResponseHeader): void {
  writer.open(0x0a, 1);
  writer.bigintField(0x08, header.clusterId);
  writer.bigintField(0x10, header.memberId);
  writer.intField(0x18, header.revision);
  writer.uintField(0x20, header.raftTerm);
  writer.close();
}

export function writeKeyValue(writer: ProtobufWriter, tag: number, pair: KeyValue): void {
  writer.open(tag, pair.key.length + pair.value.length);
  writer.bytesField(0x0a, pair.key);
  writer.intField(0x10, pair.createRevision);
  writer.intField(0x18, pair.modRevision);
  writer.intField(0x20, pair.version);
  writer.bytesField(0x2a, pair.value);
  writer.bigintField(0x30, pair.lease);
  writer.close();
}

/**
 * Writes an `etcdserverpb.RangeResponse` while the store is walked, without an object per pair: `begin`, any number of `keyValue`,
 * `finish`. The header comes last on the wire, which protobuf allows. One response at a time.
 */
export class RangeResponseWriter {
  private readonly writer = new ProtobufWriter();

  /** A response that was begun and not finished is dropped. */
  begin(): void {
    this.writer.begin(RESPONSE_FIXED_BYTES_MAX);
  }

  /** `key` and `value` are copied. The lease is an int64 in two halves of 32 bits. */
  keyValue(
    key: Uint8Array,
    value: Uint8Array,
    createRevision: number,
    modRevision: number,
    version: number,
    leaseHigh: number,
    leaseLow: number,
  ): void {
    const { writer } = this;
    writer.open(0x12, key.length + value.length);
    writer.bytesField(0x0a, key);
    writer.intField(0x10, createRevision);
    writer.intField(0x18, modRevision);
    writer.intField(0x20, version);
    writer.bytesField(0x2a, value);
    writer.halvesField(0x30, leaseHigh, leaseLow);
    writer.close();
  }

  finish(header: ResponseHeader, more: boolean, count: number): Uint8Array {
    const { writer } = this;
    writer.boolField(0x18, more);
    writer.intField(0x20, count);
    writeHeader(writer, header);
    return writer.finish();
  }
}
