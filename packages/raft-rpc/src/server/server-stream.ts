import { assertNever } from "../assert.ts";
import { CallTally } from "../grpc/call-tally.ts";
import { type CompressedFlag, CompressedOutput, type MessageSink } from "../grpc/compressed-output.ts";
import type { Compressor } from "../grpc/compressor.ts";
import { type InputOwner, keptMessage } from "../grpc/message-input.ts";
import type { Metadata, ReadonlyMetadata } from "../grpc/metadata.ts";
import {
  type CallStatus,
  okTrailers,
  responseBlock,
  responseBlockWith,
  trailersBlock,
  trailersOnlyBlock,
} from "../grpc/response-blocks.ts";
import { RpcError } from "../grpc/rpc-error.ts";
import { StatusCode } from "../grpc/status.ts";
import { ErrorCode } from "../http2/frame.ts";
import type { SendSide } from "../http2/send-side.ts";
import { type AbortReason, Http2Stream } from "../http2/stream.ts";
import type { PeerIdentity } from "../peer-identity.ts";
import type { RpcClock } from "../rpc-clock.ts";
import type { StreamCall, StreamCallHandlers, UnaryCall } from "./call.ts";
import type { LimitName } from "./limit-counters.ts";
import type { RequestHead } from "./request-head.ts";
import type { Route } from "./route.ts";
import { admitCall, observersOf, type ServerInterceptor } from "./server-interceptor.ts";

/** What a call on the server needs of its connection. */
export interface ServerCallConnection extends InputOwner {
  readonly remoteAddress: string;
  readonly peer: PeerIdentity | null;
  readonly clock: RpcClock;
  readonly send: SendSide;
  readonly compressor: Compressor | null;
  readonly interceptors: readonly ServerInterceptor[];
  /** Bytes that may wait in one stream before its handler loses it. */
  readonly streamQueueBytesMax: number;
  reset(stream: ServerStream, code: ErrorCode): void;
  /** Between the two the handler counts as running. */
  handlerStarted(): void;
  handlerEnded(): void;
  /** A handler threw something that is not an RpcError. */
  handlerFailed(path: string, error: unknown): void;
  countStatus(code: StatusCode): void;
  limitTripped(limit: LimitName): void;
}

/** While interceptors think about a call: what the client and the handler said meanwhile. */
interface Admission {
  inputEnded: boolean;
  paused: boolean;
}

/** Of calls whose method takes one message. */
const kindNames = { unary: "Unary", stream: "Server-streaming" } as const;

/**
 *   waiting -- let in, the one request complete, or at once --------> running -- answer --> done
 *                                                                          |                   ^
 *                                                   cancelled, deadline    +--> cancelled -----+ answer, dropped
 */
type CallPhase = "waiting" | "running" | "cancelled" | "done";

/**
 * A call on the server, and its stream. Never reused for another call: a handler that answers late or twice must not reach a stranger.
 */
export class ServerStream extends Http2Stream implements UnaryCall, StreamCall, MessageSink {
  onCancel: (() => void) | null = null;
  /** When the request began, if more of it had to come. */
  begunMs = 0;
  readonly head: RequestHead;
  readonly #connection: ServerCallConnection;
  readonly #route: Route;
  #phase: CallPhase = "waiting";
  #request: Uint8Array | null = null;
  /** What of it is counted, because its stream has not ended. */
  #heldRequestBytes = 0;
  #handlers: StreamCallHandlers | null = null;
  #headersSent = false;
  #hasStatus = false;
  /** For answers that may be compressed. */
  #output: CompressedOutput | null = null;
  /** Of a call that somebody observes. */
  #tally: CallTally | null = null;
  #admission: Admission | null = null;

  constructor(connection: ServerCallConnection, id: number, head: RequestHead, route: Route) {
    super();
    this.id = id;
    this.head = head;
    this.#connection = connection;
    this.#route = route;
    if (connection.compressor !== null) {
      if (head.acceptsCompressed) this.#output = new CompressedOutput(connection.compressor, this);
      if (head.isCompressed) this.inflation = { compressor: connection.compressor, atEnd: route.kind === "unary", job: null };
    }
    this.openInput(connection);
  }

  // ---- CallInfo

  get path(): string {
    return this.head.path;
  }

  get metadata(): ReadonlyMetadata {
    return this.head.metadata;
  }

  get authority(): string {
    return this.head.authority;
  }

  get remoteAddress(): string {
    return this.#connection.remoteAddress;
  }

  get peer(): PeerIdentity | null {
    return this.#connection.peer;
  }

  get cancelled(): boolean {
    return this.#phase === "cancelled" || (this.#phase === "done" && this.state === "closed");
  }

  // ---- Answers

  respond(message: Uint8Array, trailers: Metadata | null = null): void {
    if (!this.#finish("respond")) return;
    this.#countResponse(message);
    this.#countEnd(StatusCode.OK);
    if (this.#output !== null) return this.#respondCompressed(this.#output, message, trailers);
    const send = this.#connection.send;
    if (!this.#headersSent) send.headers(this.id, responseBlock, 0);
    if (send.fits(this, message.length)) send.messageFrame(this, message, 0);
    else send.message(this, message);
    send.end(this, trailers === null || trailers.size === 0 ? okTrailers : trailersBlock(okStatus(trailers)));
  }

  fail(code: StatusCode, message: string, trailers: Metadata | null = null): void {
    this.#fail({ code, message, metadata: trailers, details: [] });
  }

  failWith(reason: unknown): void {
    if (!(reason instanceof RpcError)) this.#connection.handlerFailed(this.path, reason);
    if (this.#phase !== "done") this.#fail(statusOf(reason));
  }

  sendMetadata(metadata: Metadata): void {
    if (this.#phase === "cancelled") return;
    if (this.#phase !== "running" || this.#headersSent) throw new Error(`Call ${this.path} has sent its metadata already`);
    this.#sendHeaders(metadata);
  }

  setHandlers(handlers: StreamCallHandlers): void {
    this.#handlers = handlers;
  }

  send(message: Uint8Array): boolean {
    if (this.#phase === "cancelled") return false;
    if (this.#phase !== "running") throw new Error(`Call ${this.path} has ended already`);
    const queuedBytes = this.sendQueueBytes + (this.#output?.waitingBytes ?? 0);
    if (queuedBytes > this.#connection.streamQueueBytesMax) {
      this.#connection.limitTripped("streamQueueBytes");
      this.#interrupt(StatusCode.RESOURCE_EXHAUSTED, `${queuedBytes} bytes wait to be read by the client`);
      return false;
    }
    this.#countResponse(message);
    if (!this.#headersSent) this.#sendHeaders(null);
    return this.#output === null ? this.#connection.send.message(this, message) : this.#output.send(message);
  }

  pause(): void {
    if (this.#admission !== null) this.#admission.paused = true;
    this.pauseInput();
  }

  resume(): void {
    if (this.#admission !== null) this.#admission.paused = false;
    else if (this.#phase === "running") this.resumeInput();
  }

  end(code: StatusCode = StatusCode.OK, message = "", trailers: Metadata | null = null): void {
    if (!this.#finish("end")) return;
    this.stopInput();
    this.#sendStatus({ code, message, metadata: trailers, details: [] });
  }

  // ---- MessageSink

  writeMessage(message: Uint8Array, compressed: CompressedFlag): boolean {
    return this.state === "closed" || this.#connection.send.message(this, message, compressed);
  }

  outputDrained(): void {
    if (this.#phase !== "running") return;
    try {
      this.#handlers?.onDrain();
    } catch (error) {
      this.failWith(error);
    }
  }

  // ---- From the connection

  /** The request's headers are complete. The handler of a call with many requests runs from here, else when the one is complete. */
  begin(): void {
    this.#route.counters.started++;
    if (this.#connection.interceptors.length > 0) this.#ask(this.#connection.interceptors);
    else this.#runAtOnce();
  }

  /** The server shuts down and waits no longer. */
  shutDown(): void {
    this.#interrupt(StatusCode.UNAVAILABLE, "server is shutting down");
  }

  /** Is there more of the one request to come? */
  get isIncomplete(): boolean {
    return this.#route.requests === "one" && !this.remoteEnded;
  }

  /** The request did not come in time. */
  requestOverdue(requestMs: number): void {
    this.#interrupt(StatusCode.DEADLINE_EXCEEDED, `Request was not complete within ${requestMs} ms`);
  }

  override deadlinePassed(): void {
    this.#interrupt(StatusCode.DEADLINE_EXCEEDED, "context deadline exceeded");
  }

  override sendDrained(): void {
    if (this.#output === null) this.outputDrained();
    else this.#output.drained();
  }

  override aborted(_reason: AbortReason): void {
    this.#output?.cancel();
    if (this.#phase !== "done") this.#countEnd(StatusCode.CANCELLED);
    this.#cancel();
  }

  override receiveData(bytes: Uint8Array, start: number, end: number, last: boolean): void {
    super.receiveData(bytes, start, end, last);
    if (!last) this.#holdRequest();
  }

  override stopInput(): void {
    this.#dropRequest();
    super.stopInput();
  }

  protected override messageReceived(message: Uint8Array): void {
    this.#route.counters.received(message.length);
    this.#tally?.request(message.length);
    if (this.#route.requests === "many") this.#handOver(message);
    else if (this.#request === null) this.#request = message;
    else this.inputFailed(StatusCode.UNIMPLEMENTED, `${kindNames[this.#route.kind]} call has more than one message`);
  }

  #handOver(message: Uint8Array): void {
    try {
      this.#handlers?.onMessage(message);
    } catch (error) {
      this.failWith(error);
    }
  }

  protected override inputEnded(): void {
    if (this.#admission !== null) {
      this.#admission.inputEnded = true;
      return;
    }
    if (this.#route.requests === "many") return this.#tellEnd();
    const request = this.#request;
    if (request === null) return this.inputFailed(StatusCode.UNIMPLEMENTED, `${kindNames[this.#route.kind]} call has no message`);
    this.#run(request);
    if (this.#route.kind === "unary" || this.#phase !== "running") return;
    this.#handOver(request);
    if (this.#phase === "running") this.#tellEnd();
  }

  #tellEnd(): void {
    try {
      this.#handlers?.onEnd();
    } catch (error) {
      this.failWith(error);
    }
  }

  protected override inputFailed(code: StatusCode, message: string): void {
    if (code === StatusCode.RESOURCE_EXHAUSTED) this.#connection.limitTripped("messageBytes");
    this.#interrupt(code, message);
  }

  // ---- Interceptors

  #ask(interceptors: readonly ServerInterceptor[]): void {
    let admitted: Promise<void> | null = null;
    try {
      const observers = observersOf(interceptors, this);
      if (observers.length > 0) this.#tally = new CallTally(this.#connection.clock, observers);
      admitted = admitCall(interceptors, this);
    } catch (error) {
      return this.#refuse(error);
    }
    if (admitted === null) return this.#runAtOnce();
    this.#admission = { inputEnded: false, paused: false };
    this.pauseInput();
    // Counts as running, for it is work that a reset does not end (CVE-2023-44487).
    this.#connection.handlerStarted();
    admitted.then(
      () => this.#letIn(),
      (error: unknown) => this.#keepOut(error),
    );
  }

  #letIn(): void {
    const admission = this.#admission;
    this.#connection.handlerEnded();
    if (this.#phase !== "waiting" || admission === null) return;
    this.#runAtOnce();
    this.#admission = null;
    if (!admission.paused) this.resumeInput();
    if (admission.inputEnded) this.inputEnded();
    else this.#holdRequest();
  }

  #keepOut(reason: unknown): void {
    this.#connection.handlerEnded();
    if (this.#phase === "waiting") this.#refuse(reason);
  }

  #refuse(reason: unknown): void {
    if (reason instanceof RpcError) this.#connection.limitTripped("refusedByInterceptor");
    else this.#connection.handlerFailed(this.path, reason);
    this.#phase = "done";
    this.stopInput();
    this.#sendStatus(statusOf(reason));
  }

  // ---- Details

  #fail(status: CallStatus): void {
    if (!this.#finish("fail")) return;
    this.stopInput();
    this.#sendStatus(status);
  }

  /** A unary request whose message is complete, but not its stream: a client could keep a message in each of its streams. */
  #holdRequest(): void {
    if (this.#request === null || this.#heldRequestBytes > 0) return;
    this.#request = keptMessage(this.#request);
    this.#heldRequestBytes = this.#request.length;
    this.#connection.holdPartial(this.#heldRequestBytes);
  }

  #dropRequest(): void {
    this.#request = null;
    if (this.#heldRequestBytes > 0) this.#connection.holdPartial(-this.#heldRequestBytes);
    this.#heldRequestBytes = 0;
  }

  #respondCompressed(output: CompressedOutput, message: Uint8Array, trailers: Metadata | null): void {
    if (!this.#headersSent) this.#sendHeaders(null);
    output.send(message);
    output.afterAll(() => this.#sendTrailers(okStatus(trailers)));
  }

  #countResponse(message: Uint8Array): void {
    this.#route.counters.sent(message.length);
    this.#tally?.response(message.length);
  }

  /** Once: a client may also reset what has ended by its deadline. */
  #countEnd(code: StatusCode): void {
    if (this.#hasStatus) return;
    this.#hasStatus = true;
    this.#route.counters.ended(code);
    this.#connection.countStatus(code);
    this.#tally?.end(code, (error) => this.#connection.handlerFailed(this.path, error));
  }

  #runAtOnce(): void {
    if (this.#route.requests === "many") this.#run(null);
  }

  #run(request: Uint8Array | null): void {
    this.#phase = "running";
    this.#dropRequest();
    this.#connection.handlerStarted();
    try {
      if (this.#route.kind === "stream") this.#route.handler(this);
      else if (request !== null) this.#route.handler(request, this);
    } catch (error) {
      this.failWith(error);
    }
  }

  /** Ends the running of the handler. False if its answer is no longer wanted. */
  #finish(method: string): boolean {
    switch (this.#phase) {
      case "running":
        this.#phase = "done";
        this.#connection.handlerEnded();
        return true;
      case "cancelled":
        this.#phase = "done";
        if (this.#route.kind === "unary") this.#connection.handlerEnded();
        return false;
      case "waiting":
      case "done":
        throw new Error(`Call ${this.path} was answered twice, now by ${method}`);
      default:
        return assertNever(this.#phase);
    }
  }

  #sendHeaders(metadata: Metadata | null): void {
    this.#headersSent = true;
    const encoding = this.#output === null ? null : (this.#connection.compressor?.encoding ?? null);
    this.#connection.send.headers(this.id, responseBlockWith(metadata, encoding), 0);
  }

  #sendStatus(status: CallStatus): void {
    this.#countEnd(status.code);
    if (!this.#headersSent && status.code !== StatusCode.OK) {
      this.#headersSent = true;
      this.#connection.send.end(this, trailersOnlyBlock(status, null));
      return;
    }
    if (!this.#headersSent) this.#sendHeaders(null);
    if (this.#output === null) this.#sendTrailers(status);
    else this.#output.afterAll(() => this.#sendTrailers(status));
  }

  /** Behind what was sent. The client may have gone while a message was compressed. */
  #sendTrailers(status: CallStatus): void {
    if (this.state !== "closed") this.#connection.send.end(this, trailersBlock(status));
  }

  /** Ends the call from our side before its handler does. A message that is half sent cannot be followed by a status. */
  #interrupt(code: StatusCode, message: string): void {
    this.stopInput();
    this.#output?.cancel();
    if (this.#phase === "done") {
      this.#connection.reset(this, ErrorCode.CANCEL);
      return;
    }
    const isHalfSent = this.sendQueueBytes > 0;
    const phase = this.#phase;
    if (phase === "waiting") this.#phase = "done";
    if (isHalfSent) {
      this.#countEnd(code);
      this.#connection.reset(this, ErrorCode.CANCEL);
    } else {
      this.#sendStatus({ code, message, metadata: null, details: [] });
    }
    this.#cancel();
  }

  /** Tells the handler. A unary one still owes an answer, and runs until it gives it; a stream's handler has ended by this. */
  #cancel(): void {
    if (this.#phase === "waiting") this.#phase = "done";
    if (this.#phase !== "running") return;
    this.#phase = "cancelled";
    try {
      if (this.#route.kind === "unary") {
        this.onCancel?.();
      } else {
        this.#connection.handlerEnded();
        this.#handlers?.onCancel();
      }
    } catch (error) {
      this.#connection.handlerFailed(this.path, error);
    }
  }
}

function okStatus(trailers: Metadata | null): CallStatus {
  return { code: StatusCode.OK, message: "", metadata: trailers, details: [] };
}

/** What a handler or an interceptor threw, as a status. What went wrong inside is for the log, not for the client. */
function statusOf(reason: unknown): CallStatus {
  if (reason instanceof RpcError) return reason;
  return { code: StatusCode.UNKNOWN, message: "handler failed", metadata: null, details: [] };
}
