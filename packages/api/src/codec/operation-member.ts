import { CodecError } from "./codec-error.ts";
import { joinedBytes } from "./joined-bytes.ts";
import { emptyBytes, type ProtobufReader } from "./protobuf-reader.ts";

/** Tags of the members of `etcdserverpb.RequestOp` and `ResponseOp`, which have the same numbers. */
export const RANGE_TAG = 0x0a;
export const PUT_TAG = 0x12;
export const DELETE_RANGE_TAG = 0x1a;
export const TXN_TAG = 0x22;

/** Transactions within transactions: deeper than etcd's default limit of 128 operations lets them be. */
const TXN_DEPTH_MAX = 160;

/** The chosen member of an operation, still encoded; tag 0 if it holds none that is known. */
export interface OperationMember {
  readonly tag: number;
  readonly body: Uint8Array;
}

/**
 * Reads an embedded RequestOp or ResponseOp. Of several members the last counts; one that comes several times in a row is merged.
 */
export function readOperationMember(reader: ProtobufReader): OperationMember {
  let chosen = 0;
  let body = emptyBytes;
  const outer = reader.enter();
  while (reader.more()) {
    const tag = reader.tag();
    switch (tag) {
      case RANGE_TAG:
      case PUT_TAG:
      case DELETE_RANGE_TAG:
      case TXN_TAG:
        body = tag === chosen ? joinedBytes(body, reader.bytes()) : reader.bytes();
        chosen = tag;
        break;
      default:
        reader.skip(tag);
    }
  }
  reader.leave(outer);
  return { tag: chosen, body };
}

/** `depth` counts the transactions around this one. Throws CodecError. */
export function checkTxnDepth(depth: number): void {
  if (depth > TXN_DEPTH_MAX) throw new CodecError(`Transactions are nested deeper than ${TXN_DEPTH_MAX}`);
}
