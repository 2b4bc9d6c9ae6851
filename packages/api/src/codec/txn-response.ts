import type { ResponseOp, TxnResponse } from "./etcd-message.ts";
import { decodeDeleteRangeResponse, decodePutResponse, decodeRangeResponse, emptyHeader, readHeader } from "./etcd-response.ts";
import { checkTxnDepth, DELETE_RANGE_TAG, PUT_TAG, RANGE_TAG, readOperationMember, TXN_TAG } from "./operation-member.ts";
import { ProtobufReader } from "./protobuf-reader.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";
import { RESPONSE_FIXED_BYTES_MAX, writeHeader, writeKeyValue } from "./range-response-writer.ts";

/** One per level: a reader is busy with its transaction while those within are read. */
const readers: ProtobufReader[] = [];
const writer = new ProtobufWriter();

/** Throws CodecError if it is nested too deep. */
export function encodeTxnResponse(response: TxnResponse): Uint8Array {
  writer.begin(RESPONSE_FIXED_BYTES_MAX);
  writeTxn(response, 0);
  return writer.finish();
}

/** `bytes` is one `etcdserverpb.TxnResponse`. Headers that are missing read as zeros. Throws CodecError, also if it is nested too deep. */
export function decodeTxnResponse(bytes: Uint8Array): TxnResponse {
  return decodeLevel(bytes, 0);
}

function writeTxn({ header, succeeded, responses }: TxnResponse, depth: number): void {
  checkTxnDepth(depth);
  writeHeader(writer, header);
  writer.boolField(0x10, succeeded);
  for (const response of responses) {
    writer.open(0x1a, 64);
    writeOperation(response, depth);
    writer.close();
  }
}

function writeOperation(operation: ResponseOp, depth: number): void {
  switch (operation.type) {
    case "range": {
      const { header, kvs, more, count } = operation.response;
      writer.open(RANGE_TAG, 64);
      writeHeader(writer, header);
      for (const pair of kvs) writeKeyValue(writer, 0x12, pair);
      writer.boolField(0x18, more);
      writer.intField(0x20, count);
      return writer.close();
    }
    case "put": {
      const { header, prevKv } = operation.response;
      writer.open(PUT_TAG, 64);
      writeHeader(writer, header);
      if (prevKv !== null) writeKeyValue(writer, 0x12, prevKv);
      return writer.close();
    }
    case "deleteRange": {
      const { header, deleted, prevKvs } = operation.response;
      writer.open(DELETE_RANGE_TAG, 64);
      writeHeader(writer, header);
      writer.intField(0x10, deleted);
      for (const pair of prevKvs) writeKeyValue(writer, 0x1a, pair);
      return writer.close();
    }
    case "txn":
      writer.open(TXN_TAG, 64);
      writeTxn(operation.response, depth + 1);
      return writer.close();
    case "none":
      return;
    default:
      operation satisfies never;
  }
}

function decodeLevel(bytes: Uint8Array, depth: number): TxnResponse {
  checkTxnDepth(depth);
  const reader = (readers[depth] ??= new ProtobufReader());
  const header = emptyHeader();
  const responses: ResponseOp[] = [];
  let succeeded = false;
  reader.reset(bytes);
  while (reader.more()) {
    const tag = reader.tag();
    switch (tag) {
      case 0x0a:
        readHeader(reader, header);
        break;
      case 0x10:
        succeeded = reader.bool();
        break;
      case 0x1a:
        responses.push(readOperation(reader, depth));
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.release();
  return { header, succeeded, responses };
}

function readOperation(reader: ProtobufReader, depth: number): ResponseOp {
  const { tag, body } = readOperationMember(reader);
  switch (tag) {
    case RANGE_TAG:
      return { type: "range", response: decodeRangeResponse(body) };
    case PUT_TAG:
      return { type: "put", response: decodePutResponse(body) };
    case DELETE_RANGE_TAG:
      return { type: "deleteRange", response: decodeDeleteRangeResponse(body) };
    case TXN_TAG:
      return { type: "txn", response: decodeLevel(body, depth + 1) };
    default:
      return { type: "none" };
  }
}
