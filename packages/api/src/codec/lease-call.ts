import { CodecError } from "./codec-error.ts";
import { type Hello, readHello, writeHello } from "./hello.ts";
import { ProtobufReader } from "./protobuf-reader.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";

/** Leases in one call. */
export const LEASE_CALL_IDS_MAX = 10_000;

/** `raftkv.peer.v1.LeaseKeepAliveCall`. */
export interface LeaseKeepAliveCall {
  readonly hello: Hello;
  /** int64. */
  readonly ids: readonly bigint[];
}

/** `raftkv.peer.v1.LeaseKeepAliveAnswer`. */
export interface LeaseKeepAliveAnswer {
  /** In the order of the ids: the seconds that each lease has from now on, 0 if there is no such lease, -1 if that is not known yet. */
  readonly ttls: readonly number[];
}

/** `raftkv.peer.v1.LeaseTimeToLiveCall`. */
export interface LeaseTimeToLiveCall {
  readonly hello: Hello;
  /** int64. */
  readonly id: bigint;
}

/** `raftkv.peer.v1.LeaseTimeToLiveAnswer`. */
export interface LeaseTimeToLiveAnswer {
  /** Seconds that are left, rounded down; -1 if there is no such lease or its time is over. */
  readonly ttl: number;
  readonly grantedTtl: number;
}

const HELLO_BYTES_MAX = 256;
const INTEGER_BYTES_MAX = 10;

const reader = new ProtobufReader();
const writer = new ProtobufWriter();

/** Throws CodecError if the call can't be written. */
export function encodeLeaseKeepAliveCall({ hello, ids }: LeaseKeepAliveCall): Uint8Array {
  checkCount(ids.length);
  beginCall(hello, ids.length);
  if (ids.length > 0) {
    writer.open(0x12, ids.length);
    for (const id of ids) writer.packedBigint(id);
    writer.close();
  }
  return writer.finish();
}

/** Throws CodecError. */
export function decodeLeaseKeepAliveCall(bytes: Uint8Array): LeaseKeepAliveCall {
  const ids: bigint[] = [];
  const hello = readCall(bytes, (tag) => readRepeated(tag, 0x10, () => ids.push(reader.int64())));
  return { hello, ids };
}

export function encodeLeaseKeepAliveAnswer({ ttls }: LeaseKeepAliveAnswer): Uint8Array {
  checkCount(ttls.length);
  writer.begin(INTEGER_BYTES_MAX * (1 + ttls.length));
  if (ttls.length > 0) {
    writer.open(0x0a, ttls.length);
    for (const ttl of ttls) writer.packedInt(ttl);
    writer.close();
  }
  return writer.finish();
}

/** Throws CodecError. */
export function decodeLeaseKeepAliveAnswer(bytes: Uint8Array): LeaseKeepAliveAnswer {
  const ttls: number[] = [];
  reader.reset(bytes);
  while (reader.more()) {
    const tag = reader.tag();
    if (!readRepeated(tag, 0x08, () => ttls.push(reader.safeInt()))) reader.skip(tag);
  }
  reader.release();
  return { ttls };
}

/** Throws CodecError if the call can't be written. */
export function encodeLeaseTimeToLiveCall({ hello, id }: LeaseTimeToLiveCall): Uint8Array {
  beginCall(hello, 1);
  writer.bigintField(0x10, id);
  return writer.finish();
}

/** Throws CodecError. */
export function decodeLeaseTimeToLiveCall(bytes: Uint8Array): LeaseTimeToLiveCall {
  let id = 0n;
  const hello = readCall(bytes, (tag) => {
    if (tag !== 0x10) return false;
    id = reader.int64();
    return true;
  });
  return { hello, id };
}

export function encodeLeaseTimeToLiveAnswer({ ttl, grantedTtl }: LeaseTimeToLiveAnswer): Uint8Array {
  writer.begin(4 * INTEGER_BYTES_MAX);
  writer.intField(0x08, ttl);
  writer.intField(0x10, grantedTtl);
  return writer.finish();
}

/** Throws CodecError. */
export function decodeLeaseTimeToLiveAnswer(bytes: Uint8Array): LeaseTimeToLiveAnswer {
  let ttl = 0;
  let grantedTtl = 0;
  reader.reset(bytes);
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) ttl = reader.safeInt();
    else if (tag === 0x10) grantedTtl = reader.safeInt();
    else reader.skip(tag);
  }
  reader.release();
  return { ttl, grantedTtl };
}

function beginCall(hello: Hello, idCount: number): void {
  writer.begin(HELLO_BYTES_MAX + INTEGER_BYTES_MAX * idCount);
  writer.open(0x0a, 1);
  writeHello(writer, hello);
  writer.close();
}

/** `readField` gives false for a field that it does not know. */
function readCall(bytes: Uint8Array, readField: (tag: number) => boolean): Hello {
  let hello: Hello | null = null;
  reader.reset(bytes);
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x0a) {
      if (hello !== null) throw new CodecError("Lease call has two Hellos, one is allowed");
      const outer = reader.enter();
      hello = readHello(reader);
      reader.leave(outer);
    } else if (!readField(tag)) {
      reader.skip(tag);
    }
  }
  reader.release();
  if (hello === null) throw new CodecError("Lease call has no Hello");
  return hello;
}

/** Repeated integers come packed, or each with a tag of its own. `read` gives how many there are then. False for another field. */
function readRepeated(tag: number, elementTag: number, read: () => number): boolean {
  if (tag === elementTag) {
    checkCount(read());
    return true;
  }
  if (tag !== elementTag + 2) return false;
  const outer = reader.enter();
  while (reader.more()) checkCount(read());
  reader.leave(outer);
  return true;
}

function checkCount(count: number): void {
  if (count > LEASE_CALL_IDS_MAX) throw new CodecError(`Lease call is about more than ${LEASE_CALL_IDS_MAX} leases`);
}
