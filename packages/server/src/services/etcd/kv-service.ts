import {
  CodecError,
  decodeDeleteRangeRequest,
  decodePutRequest,
  decodeRangeRequest,
  decodeTxnRequest,
  encodeRequestCommand,
  etcdserverpb,
  type PutRequest,
  type RequestCommandType,
} from "@raftkv/api";
import { checkTxn, isReadOnlyTxn, isSerializableTxn } from "@raftkv/kvstore";
import type { Completion } from "@raftkv/raft-node";
import { type Dispatcher, StatusCode, type UnaryCall } from "@raftkv/raft-rpc";
import type { StoreReclaimer } from "../../compaction/store-reclaimer.ts";
import { putCostBytes, txnCostBytes } from "../../space/request-cost.ts";
import type { ServiceContext } from "../service-context.ts";
import { type EtcdError, etcdErrors, fail } from "./etcd-error.ts";
import { compactHandler } from "./kv-compaction.ts";
import { KvReader, PendingRange, PendingReadTxn } from "./kv-read.ts";
import { PendingWrite } from "./kv-write.ts";
import { rangeStreamHandler } from "./range-stream.ts";
import { txnError } from "./txn-error.ts";

/**
 * `etcdserverpb.KV`. Any member serves it: a follower's writes and read indexes travel through its leader. The handlers of Range, Put,
 * DeleteRange and Txn are on the hot path: no promise, one object per waiting call.
 */
export class KvService {
  private readonly context: ServiceContext;
  private readonly reclaimer: StoreReclaimer;
  private readonly reader: KvReader;

  constructor(context: ServiceContext, reclaimer: StoreReclaimer) {
    this.context = context;
    this.reclaimer = reclaimer;
    this.reader = new KvReader(context);
  }

  register(dispatcher: Dispatcher): void {
    const { context, reclaimer } = this;
    dispatcher.addUnary("/etcdserverpb.KV/Range", (message, call) => this.range(message, call));
    dispatcher.addUnary("/etcdserverpb.KV/Put", (message, call) => this.put(message, call));
    dispatcher.addUnary("/etcdserverpb.KV/DeleteRange", (message, call) => this.deleteRange(message, call));
    dispatcher.addUnary("/etcdserverpb.KV/Txn", (message, call) => this.txn(message, call));
    dispatcher.add(etcdserverpb.kvService, {
      compact: compactHandler(context, reclaimer),
      rangeStream: rangeStreamHandler(context),
    });
  }

  private range(message: Uint8Array, call: UnaryCall): void {
    const request = decoded(call, message, decodeRangeRequest);
    if (request === null) return;
    if (request.key.length === 0) return fail(call, etcdErrors.emptyKey);
    this.read(request.serializable, new PendingRange(this.reader, request, call));
  }

  /** As etcd: space first, then the request itself, then its size. */
  private put(message: Uint8Array, call: UnaryCall): void {
    const request = decoded(call, message, decodePutRequest);
    if (request === null) return;
    if (!this.context.quota.admits(putCostBytes(request))) return fail(call, etcdErrors.noSpace);
    const error = putError(request);
    if (error !== null) return fail(call, error);
    this.propose("put", message, call);
  }

  private deleteRange(message: Uint8Array, call: UnaryCall): void {
    const request = decoded(call, message, decodeDeleteRangeRequest);
    if (request === null) return;
    if (request.key.length === 0) return fail(call, etcdErrors.emptyKey);
    this.propose("deleteRange", message, call);
  }

  private txn(message: Uint8Array, call: UnaryCall): void {
    const request = decoded(call, message, decodeTxnRequest);
    if (request === null) return;
    if (!this.context.quota.admits(txnCostBytes(request))) return fail(call, etcdErrors.noSpace);
    const violation = checkTxn(request, this.context.maxTxnOps);
    if (violation !== null) return fail(call, txnError(violation));
    if (isReadOnlyTxn(request)) this.read(isSerializableTxn(request), new PendingReadTxn(this.reader, request, call));
    else this.propose("txn", message, call);
  }

  private read(isSerializable: boolean, pending: Completion<number>): void {
    if (isSerializable) this.context.node.readLocally(pending);
    else this.context.node.read(pending);
  }

  private propose(type: RequestCommandType, message: Uint8Array, call: UnaryCall): void {
    if (message.length > this.context.maxRequestBytes) return fail(call, etcdErrors.requestTooLarge);
    this.context.node.submit(encodeRequestCommand(type, message), new PendingWrite(this.context, call));
  }
}

/** Rules that can be checked before the log (etcd checks them there too). */
function putError(request: PutRequest): EtcdError | null {
  if (request.key.length === 0) return etcdErrors.emptyKey;
  if (request.ignoreValue && request.value.length > 0) return etcdErrors.valueProvided;
  if (request.ignoreLease && request.lease !== 0n) return etcdErrors.leaseProvided;
  return null;
}

/** Null if the message is malformed, in which case the call has been answered. */
function decoded<Request>(call: UnaryCall, message: Uint8Array, decode: (bytes: Uint8Array) => Request): Request | null {
  try {
    return decode(message);
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    call.fail(StatusCode.INTERNAL, `grpc: error unmarshalling request: ${error.message}`);
    return null;
  }
}
