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

/** The members of `Compare.target_union`. */
const VERSION_TAG = 0x20;
const CREATE_TAG = 0x28;
const MOD_TAG = 0x30;
const VALUE_TAG = 0x3a;
const LEASE_TAG = 0x40;
/** A target that no version has. */
const UNKNOWN_TARGET = 0x7fff_ffff;

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
  const compare: Compare[] = [];
  const success: RequestOp[] = [];
  const failure: RequestOp[] = [];
  reader.reset(bytes);
  while (reader.more()) {
    const tag = reader.tag();
    switch (tag) {
      case 0x0a:
        compare.push(readCompare(reader));
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
  return { compare, success, failure };
}

/** Of a oneof the member that came last counts. */
function readCompare(reader: ProtobufReader): Compare {
  let key = emptyBytes;
  let rangeEnd = emptyBytes;
  let result = 0;
  let target = 0;
  let operandTag = 0;
  let number = 0;
  let value = emptyBytes;
  let lease = 0n;
  const outer = reader.enter();
  while (reader.more()) {
    const tag = reader.tag();
    switch (tag) {
      case 0x08:
        result = reader.int32();
        break;
      case 0x10:
        target = reader.int32();
        break;
      case 0x1a:
        key = reader.bytes();
        break;
      case VERSION_TAG:
      case CREATE_TAG:
      case MOD_TAG:
        number = reader.clampedInt();
        operandTag = tag;
        break;
      case VALUE_TAG:
        value = reader.bytes();
        operandTag = tag;
        break;
      case LEASE_TAG:
        lease = reader.int64();
        operandTag = tag;
        break;
      case 0x202:
        rangeEnd = reader.bytes();
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.leave(outer);
  switch (target) {
    case 0:
      return { key, rangeEnd, result, target: "version", operand: operandTag === VERSION_TAG ? number : 0 };
    case 1:
      return { key, rangeEnd, result, target: "create", operand: operandTag === CREATE_TAG ? number : 0 };
    case 2:
      return { key, rangeEnd, result, target: "mod", operand: operandTag === MOD_TAG ? number : 0 };
    case 3:
      return { key, rangeEnd, result, target: "value", operand: operandTag === VALUE_TAG ? value : emptyBytes };
    case 4:
      return { key, rangeEnd, result, target: "lease", operand: operandTag === LEASE_TAG ? lease : 0n };
    default:
      return { key, rangeEnd, result, target: "unknown" };
  }
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

function writeTxn({ compare, success, failure }: TxnRequest, depth: number): void {
  checkTxnDepth(depth);
  for (const condition of compare) writeCompare(condition);
  for (const operation of success) writeOperation(0x12, operation, depth);
  for (const operation of failure) writeOperation(0x1a, operation, depth);
}

function writeCompare(compare: Compare): void {
  writer.open(0x0a, compare.key.length + compare.rangeEnd.length);
  writer.intField(0x08, compare.result);
  writeTarget(compare);
  writer.bytesField(0x1a, compare.key);
  writer.bytesField(0x202, compare.rangeEnd);
  writer.close();
}

/** An operand of 0 is left out, which reads the same. */
function writeTarget(compare: Compare): void {
  switch (compare.target) {
    case "version":
      return writer.intField(VERSION_TAG, compare.operand);
    case "create":
      writer.uintField(0x10, 1);
      return writer.intField(CREATE_TAG, compare.operand);
    case "mod":
      writer.uintField(0x10, 2);
      return writer.intField(MOD_TAG, compare.operand);
    case "value":
      writer.uintField(0x10, 3);
      return writer.bytesField(VALUE_TAG, compare.operand);
    case "lease":
      writer.uintField(0x10, 4);
      return writer.bigintField(LEASE_TAG, compare.operand);
    case "unknown":
      return writer.uintField(0x10, UNKNOWN_TARGET);
    default:
      compare satisfies never;
  }
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
