import {
  CodecError,
  decodeKeyRequest,
  decodeKeyValueRequest,
  encodeRaftKvResponse,
  encodeRequestCommand,
  type KeyRequest,
  type LeaderAddress,
  type RaftKvResponse,
  type RaftKvStatus,
  type RequestCommandType,
} from "@raftkv/api";
import type { Completion, NodeError } from "@raftkv/raft-node";
import type { Dispatcher, UnaryCall } from "@raftkv/raft-rpc";
import { putCostBytes } from "../../space/request-cost.ts";
import type { ApplyResult } from "../../state/apply-result.ts";
import { answering } from "../answering.ts";
import type { ServiceContext } from "../service-context.ts";
import { refusalSentence, refusalStatus } from "./refusal-sentence.ts";

const noBytes = new Uint8Array(0);

/**
 * `raftkv.v1.RaftKV`: put, update, get and remove. Only the leader serves them; the others answer where it is, and the client
 * remembers. A write that its client sends again is executed once, and answered as the first time.
 */
export class RaftKVService {
  private readonly context: ServiceContext;

  constructor(context: ServiceContext) {
    this.context = context;
  }

  register(dispatcher: Dispatcher): void {
    dispatcher.addUnary("/raftkv.v1.RaftKV/Put", (message, call) => this.write("create", message, call));
    dispatcher.addUnary("/raftkv.v1.RaftKV/Update", (message, call) => this.write("update", message, call));
    dispatcher.addUnary("/raftkv.v1.RaftKV/Remove", (message, call) => this.remove(message, call));
    dispatcher.addUnary("/raftkv.v1.RaftKV/Get", (message, call) => this.get(message, call));
  }

  respond(call: UnaryCall, status: RaftKvStatus, more: Partial<RaftKvResponse> = {}): void {
    const { revision } = this.context.state.store;
    call.respond(encodeRaftKvResponse({ status, value: noBytes, leader: null, message: "", revision, ...more }));
  }

  /** The operation was certainly not done here, and the leader can do it. */
  redirect(call: UnaryCall): void {
    this.respond(call, "redirect", { leader: this.leaderAddress(), message: "This member is not the leader" });
  }

  answerGet(key: Uint8Array, call: UnaryCall): void {
    const found = this.context.state.store.get(key);
    if (found.outcome === "found") this.respond(call, "success", { value: found.record.value });
    else this.respond(call, "not-found", { message: "There is no such key" });
  }

  answerFailure(error: NodeError, call: UnaryCall): void {
    if (error.retryable === "safe" && !this.context.node.isLeader) this.redirect(call);
    else this.respond(call, "internal-error", { message: error.message });
  }

  private write(type: "create" | "update", message: Uint8Array, call: UnaryCall): void {
    const request = this.accept(message, call, decodeKeyValueRequest);
    if (request === null) return;
    if (this.context.quota.admits(putCostBytes(request))) this.propose(type, message, call);
    else this.respond(call, "bad-request", { message: refusalSentence("no-space") });
  }

  private remove(message: Uint8Array, call: UnaryCall): void {
    if (this.accept(message, call, decodeKeyRequest) !== null) this.propose("remove", message, call);
  }

  /** The request carries its identity into the log, where a session tells whether it was executed before. */
  private propose(type: RequestCommandType, message: Uint8Array, call: UnaryCall): void {
    this.context.node.submit(encodeRequestCommand(type, message), new PendingOperation(this, call));
  }

  private get(message: Uint8Array, call: UnaryCall): void {
    const request = this.accept(message, call, decodeKeyRequest);
    if (request === null) return;
    this.context.node.read(new PendingGet(this, request.key, call));
  }

  /** Null if the request can't be served here, in which case the call has been answered. */
  private accept<Request extends KeyRequest>(message: Uint8Array, call: UnaryCall, decode: (bytes: Uint8Array) => Request): Request | null {
    const { maxRequestBytes, node } = this.context;
    const refuse = (sentence: string): null => {
      this.respond(call, "bad-request", { message: sentence });
      return null;
    };
    let request: Request;
    try {
      request = decode(message);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      return refuse(error.message);
    }
    if (request.key.length === 0) return refuse("The key is empty");
    const misidentified = identityError(request);
    if (misidentified !== null) return refuse(misidentified);
    if (message.length > maxRequestBytes) return refuse(`The request of ${message.length} bytes is above the limit of ${maxRequestBytes}`);
    if (!node.isLeader) {
      this.redirect(call);
      return null;
    }
    return request;
  }

  private leaderAddress(): LeaderAddress | null {
    const leader = this.context.state.directory.byNodeId(this.context.node.leader);
    return leader === undefined ? null : { id: leader.id, name: leader.name, clientUrls: leader.clientUrls };
  }
}

/** What is wrong with how a request is identified, for people; null if nothing is, or if it is not identified at all. */
function identityError({ clientId, sequence, lowestAwaited }: KeyRequest): string | null {
  if (clientId === 0n) return null;
  if (sequence === 0) return "The request has a client id but no sequence: requests are counted from 1";
  return lowestAwaited > sequence ? `The client can't await request ${lowestAwaited} first: this is request ${sequence}` : null;
}

class PendingOperation implements Completion<ApplyResult> {
  private readonly service: RaftKVService;
  private readonly call: UnaryCall;

  constructor(service: RaftKVService, call: UnaryCall) {
    this.service = service;
    this.call = call;
  }

  succeed(result: ApplyResult): void {
    answering(this.call, () => this.answer(result));
  }

  fail(error: NodeError): void {
    this.service.answerFailure(error, this.call);
  }

  private answer(result: ApplyResult): void {
    switch (result.outcome) {
      case "created":
        return this.service.respond(this.call, "created", { revision: result.revision });
      case "updated":
      case "removed":
        return this.service.respond(this.call, "success", { revision: result.revision });
      case "already-exists":
        return this.service.respond(this.call, "already-exists", { revision: result.revision, message: "The key exists already" });
      case "not-found":
        return this.service.respond(this.call, "not-found", { revision: result.revision, message: "There is no such key" });
      case "refused":
        return this.service.respond(this.call, refusalStatus(result.reason), { message: refusalSentence(result.reason) });
      default:
        throw new Error(`An operation of RaftKV's own service ended as ${result.outcome}`);
    }
  }
}

class PendingGet implements Completion<number> {
  private readonly service: RaftKVService;
  private readonly key: Uint8Array;
  private readonly call: UnaryCall;

  constructor(service: RaftKVService, key: Uint8Array, call: UnaryCall) {
    this.service = service;
    this.key = key;
    this.call = call;
  }

  succeed(): void {
    answering(this.call, () => this.service.answerGet(this.key, this.call));
  }

  fail(error: NodeError): void {
    this.service.answerFailure(error, this.call);
  }
}
