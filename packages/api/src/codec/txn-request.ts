import type { Compare, RequestOp, TxnRequest } from "./etcd-message.ts";
import {
  decodeDeleteRangeRequest,
  decodePutRequest,
  decodeRangeRequest,
  encodeDeleteRangeRequest,
  encodePutRequest,
  encodeRangeRequest,
} from "./etcd-request.ts";
import { checkTxnDepth, DELETE_RANGE_TAG, PUT_TAG, RANGE_TAG, readOperationMember, TXN_TAG } from "./operation-member.ts";
import { emptyBytes, ProtobufReader } from "./protobuf-reader.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** One per level: a reader is busy with its transaction while those within are read. */
const readers: ProtobufReader[] = [];
const writer = new ProtobufWriter();

/** `bytes` is one `etcdserverpb.TxnRequest`. Keys and values are views into it. Throws CodecError, also if it is nested too deep. */
export function decodeTxnRequest(bytes: Uint8Array): TxnRequest {
  return decodeLevel(bytes, 0);
}

/** Throws CodecError if it is nested too deep. */
export function encodeTxnRequest(request: TxnRequest): Uint8Array {
  writer.begin(0);
  writeTxn(request, 0);
  return writer.finish();
}

function decodeLevel(bytes: Uint8Array, depth: number): TxnRequest {
  checkTxnDepth(depth);
  const reader = (readers[depth] ??= new ProtobufReader());
  const compares: Compare[] = [];
  const success: RequestOp[] = [];
  const failure: RequestOp[] = [];
  reader.reset(bytes);
  while (reader.more()) {
    const tag = reader.tag();
    switch (tag) {
      case 0x0a:
        compares.push(readCompare(reader));
        break;
      case 0x12:
        success.push(readOperation(reader, depth));
        break;
      case 0x1a:
        failure.push(readOperation(reader, depth));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.release();
  return { compares, success, failure };
}

function readCompare(reader: ProtobufReader): Compare {
  const compare = emptyCompare();
  const outer = reader.enter();
  while (reader.more()) readCompareField(reader, reader.tag(), compare);
  reader.leave(outer);
  return compare;
}

function readCompareField(reader: ProtobufReader, tag: number, compare: Writable<Compare>): void {
  switch (tag) {
    case 0x08:
      compare.result = reader.int32();
      break;
    case 0x10:
      compare.target = reader.int32();
      break;
    case 0x1a:
      compare.key = reader.bytes();
      break;
    case 0x20:
      clearOperand(compare);
      compare.version = reader.clampedInt();
      break;
    case 0x28:
      clearOperand(compare);
      compare.createRevision = reader.clampedInt();
      break;
    case 0x30:
      clearOperand(compare);
      compare.modRevision = reader.clampedInt();
      break;
    case 0x3a:
      clearOperand(compare);
      compare.value = reader.bytes();
      break;
    case 0x40:
      clearOperand(compare);
      compare.lease = reader.int64();
      break;
    case 0x202:
      compare.rangeEnd = reader.bytes();
      break;
    default:
      reader.skip(tag);
  }
}

function emptyCompare(): Writable<Compare> {
  return {
    key: emptyBytes,
    rangeEnd: emptyBytes,
    result: 0,
    target: 0,
    version: 0,
    createRevision: 0,
    modRevision: 0,
    value: emptyBytes,
    lease: 0n,
  };
}

/** Of a oneof the member that came last counts. */
function clearOperand(compare: Writable<Compare>): void {
  compare.version = 0;
  compare.createRevision = 0;
  compare.modRevision = 0;
  compare.value = emptyBytes;
  compare.lease = 0n;
}

function readOperation(reader: ProtobufReader, depth: number): RequestOp {
  const { tag, body } = readOperationMember(reader);
  switch (tag) {
    case RANGE_TAG:
      return { type: "range", request: decodeRangeRequest(body) };
    case PUT_TAG:
      return { type: "put", request: decodePutRequest(body) };
    case DELETE_RANGE_TAG:
      return { type: "deleteRange", request: decodeDeleteRangeRequest(body) };
    case TXN_TAG:
      return { type: "txn", request: decodeLevel(body, depth + 1) };
    default:
      return { type: "none" };
  }
}

function writeTxn({ compares, success, failure }: TxnRequest, depth: number): void {
  checkTxnDepth(depth);
  for (const compare of compares) writeCompare(compare);
  for (const operation of success) writeOperation(0x12, operation, depth);
  for (const operation of failure) writeOperation(0x1a, operation, depth);
}

/** An operand of 0 is left out, which reads the same. */
function writeCompare(compare: Compare): void {
  writer.open(0x0a, compare.key.length + compare.rangeEnd.length + compare.value.length);
  writer.intField(0x08, compare.result);
  writer.intField(0x10, compare.target);
  writer.bytesField(0x1a, compare.key);
  writer.intField(0x20, compare.version);
  writer.intField(0x28, compare.createRevision);
  writer.intField(0x30, compare.modRevision);
  writer.bytesField(0x3a, compare.value);
  writer.bigintField(0x40, compare.lease);
  writer.bytesField(0x202, compare.rangeEnd);
  writer.close();
}

function writeOperation(tag: number, operation: RequestOp, depth: number): void {
  writer.open(tag, 64);
  switch (operation.type) {
    case "range":
      writer.bytesElement(RANGE_TAG, encodeRangeRequest(operation.request));
      break;
    case "put":
      writer.bytesElement(PUT_TAG, encodePutRequest(operation.request));
      break;
    case "deleteRange":
      writer.bytesElement(DELETE_RANGE_TAG, encodeDeleteRangeRequest(operation.request));
      break;
    case "txn":
      writer.open(TXN_TAG, 64);
      writeTxn(operation.request, depth + 1);
      writer.close();
      break;
    case "none":
      break;
    default:
      operation satisfies never;
  }
  writer.close();
}
