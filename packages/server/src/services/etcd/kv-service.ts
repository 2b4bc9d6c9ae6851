import {
  CodecError,
  type DeleteRangeRequest,
  decodeDeleteRangeRequest,
  decodePutRequest,
  decodeRangeRequest,
  encodeDeleteRangeResponse,
  encodePutResponse,
  encodeRequestCommand,
  type PutRequest,
  type RangeRequest,
  RangeResponseWriter,
  type ResponseHeader,
} from "@raftkv/api";
import type { KeyValueView, KVStore, RangeQuery, SortOrder, SortTarget } from "@raftkv/kvstore";
import type { Completion, NodeError } from "@raftkv/raft-node";
import { type Dispatcher, StatusCode, type UnaryCall } from "@raftkv/raft-rpc";
import type { ApplyResult, Refusal } from "../../state/apply-result.ts";
import { answering } from "../answering.ts";
import type { ServiceContext } from "../service-context.ts";
import { type EtcdError, etcdErrorOf, etcdErrors, fail } from "./etcd-error.ts";

const sortOrders: readonly SortOrder[] = ["none", "ascend", "descend"];
const sortTargets: readonly SortTarget[] = ["key", "version", "create", "mod", "value"];

/**
 * `etcdserverpb.KV`: Range, Put and DeleteRange. Any member serves them: a follower's writes and read indexes travel through
 * its leader. The handlers are on the hot path: no promise, one object per waiting call.
 */
export class KvService {
  private readonly context: ServiceContext;
  private readonly store: KVStore;
  private readonly writer = new RangeResponseWriter();
  private readonly visit = (view: KeyValueView): void => this.write(view);

  constructor(context: ServiceContext) {
    this.context = context;
    this.store = context.state.store;
  }

  register(dispatcher: Dispatcher): void {
    dispatcher.addUnary("/etcdserverpb.KV/Range", (message, call) => this.range(message, call));
    dispatcher.addUnary("/etcdserverpb.KV/Put", (message, call) => this.put(message, call));
    dispatcher.addUnary("/etcdserverpb.KV/DeleteRange", (message, call) => this.deleteRange(message, call));
  }

  /** Answers a range from the store as it is now. */
  answerRange(request: RangeRequest, call: UnaryCall): void {
    const { revision } = this.store;
    if (request.revision > revision) return fail(call, etcdErrors.futureRevision);
    if (request.revision > 0 && request.revision < revision) return fail(call, etcdErrors.pastRevision);
    const query = rangeQuery(request);
    if (query === null) return fail(call, etcdErrors.invalidSort);
    this.writer.begin();
    const { count, more } = this.store.visitRange(request.key, request.rangeEnd, query, this.visit);
    call.respond(this.writer.finish(this.context.header(revision), more, count));
  }

  private range(message: Uint8Array, call: UnaryCall): void {
    const request = decoded(call, message, decodeRangeRequest);
    if (request === null) return;
    if (request.key.length === 0) return fail(call, etcdErrors.emptyKey);
    const pending = new PendingRange(this, request, call);
    if (request.serializable) this.context.node.readLocally(pending);
    else this.context.node.read(pending);
  }

  private put(message: Uint8Array, call: UnaryCall): void {
    const request = decoded(call, message, decodePutRequest);
    if (request === null) return;
    const error = putError(request) ?? this.sizeError(message);
    if (error !== null) return fail(call, error);
    this.context.node.submit(encodeRequestCommand("put", message), new PendingWrite(this.context, call));
  }

  private deleteRange(message: Uint8Array, call: UnaryCall): void {
    const request: DeleteRangeRequest | null = decoded(call, message, decodeDeleteRangeRequest);
    if (request === null) return;
    const error = request.key.length === 0 ? etcdErrors.emptyKey : this.sizeError(message);
    if (error !== null) return fail(call, error);
    this.context.node.submit(encodeRequestCommand("deleteRange", message), new PendingWrite(this.context, call));
  }

  private sizeError(message: Uint8Array): EtcdError | null {
    return message.length > this.context.maxRequestBytes ? etcdErrors.requestTooLarge : null;
  }

  private write(view: KeyValueView): void {
    this.writer.keyValue(
      view.keyView(),
      view.valueView(),
      view.createRevision,
      view.modRevision,
      view.version,
      view.leaseHigh,
      view.leaseLow,
    );
  }
}

class PendingRange implements Completion<number> {
  private readonly service: KvService;
  private readonly request: RangeRequest;
  private readonly call: UnaryCall;

  constructor(service: KvService, request: RangeRequest, call: UnaryCall) {
    this.service = service;
    this.request = request;
    this.call = call;
  }

  succeed(): void {
    answering(this.call, () => this.service.answerRange(this.request, this.call));
  }

  fail(error: NodeError): void {
    fail(this.call, etcdErrorOf(error));
  }
}

class PendingWrite implements Completion<ApplyResult> {
  private readonly context: ServiceContext;
  private readonly call: UnaryCall;

  constructor(context: ServiceContext, call: UnaryCall) {
    this.context = context;
    this.call = call;
  }

  succeed(result: ApplyResult): void {
    answering(this.call, () => this.answer(result));
  }

  fail(error: NodeError): void {
    fail(this.call, etcdErrorOf(error));
  }

  private answer(result: ApplyResult): void {
    if (result.outcome === "put") {
      this.call.respond(encodePutResponse({ header: this.header(result.revision), prevKv: result.previous }));
    } else if (result.outcome === "range-deleted") {
      const { deleted, previous } = result;
      this.call.respond(encodeDeleteRangeResponse({ header: this.header(result.revision), deleted, prevKvs: previous }));
    } else if (result.outcome === "refused") {
      fail(this.call, refusalError(result.reason));
    } else {
      throw new Error(`A write through etcd's API ended as ${result.outcome}`);
    }
  }

  private header(revision: number): ResponseHeader {
    return this.context.header(revision);
  }
}

/** Null if the sort is not one that etcd knows. */
function rangeQuery(request: RangeRequest): RangeQuery | null {
  const sortOrder = sortOrders[request.sortOrder];
  const sortTarget = sortTargets[request.sortTarget];
  if (sortOrder === undefined || sortTarget === undefined) return null;
  const { limit, keysOnly, countOnly, minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  return { limit, keysOnly, countOnly, minModRevision, maxModRevision, minCreateRevision, maxCreateRevision, sortTarget, sortOrder };
}

/** Rules that can be checked before the log (etcd checks them there too). */
function putError(request: PutRequest): EtcdError | null {
  if (request.key.length === 0) return etcdErrors.emptyKey;
  if (request.ignoreValue && request.value.length > 0) return etcdErrors.valueProvided;
  if (request.ignoreLease && request.lease !== 0n) return etcdErrors.leaseProvided;
  return null;
}

function refusalError(reason: Refusal): EtcdError {
  switch (reason) {
    case "lease-not-found":
      return etcdErrors.leaseNotFound;
    case "key-not-found":
      return etcdErrors.keyNotFound;
    case "compacted":
      return etcdErrors.compacted;
    case "future-revision":
      return etcdErrors.futureRevision;
    case "lease-exists":
      return etcdErrors.leaseExists;
    case "malformed":
    case "stale-expiry":
    case "store-replaced":
    case "too-many-leases":
    case "unknown-member":
      return { code: StatusCode.INTERNAL, message: `raftkv: the request was refused as ${reason}` };
    default:
      return reason satisfies never;
  }
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
