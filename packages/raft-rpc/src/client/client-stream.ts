import type { CallTally } from "../grpc/call-tally.ts";
import { type CompressedFlag, CompressedOutput, type MessageSink } from "../grpc/compressed-output.ts";
import type { Compressor } from "../grpc/compressor.ts";
import type { InputOwner } from "../grpc/message-input.ts";
import { Metadata, type ReadonlyMetadata } from "../grpc/metadata.ts";
import { type Retryable, RpcError } from "../grpc/rpc-error.ts";
import { StatusCode, statusFromHttp, statusFromNumber } from "../grpc/status.ts";
import { decodeStatusDetails } from "../grpc/status-details.ts";
import { ErrorCode, errorName, Flag } from "../http2/frame.ts";
import { messagePrefix, type SendSide } from "../http2/send-side.ts";
import { type AbortReason, Http2Stream } from "../http2/stream.ts";
import { sendHighWaterBytes } from "../limits.ts";
import type { CallOptions, ClientStreamCall, ClientStreamHandlers, UnaryDone } from "./client-call.ts";
import type { RequestFields } from "./request-blocks.ts";
import type { ResponseHead } from "./response-head.ts";

/** Where the result goes: a unary call has one message each way. */
export type CallTarget =
  | { readonly kind: "unary"; readonly request: Uint8Array; readonly done: UnaryDone }
  | { readonly kind: "stream"; readonly handlers: ClientStreamHandlers };

/** What a call needs of its channel. */
export interface CallOwner {
  /** Inflates responses, and compresses requests. */
  readonly compressor: Compressor | null;
  /** The call ended before it got a connection, or its deadline may be forgotten. */
  callEnded(stream: ClientStream): void;
  /** A handler of the user threw. */
  handlerFailed(path: string, error: unknown): void;
}

/** What a call needs of its connection. */
export interface ClientCallConnection extends InputOwner {
  readonly send: SendSide;
  reset(stream: ClientStream, code: ErrorCode): void;
  /** The stream's END_STREAM was put out past the send queue. */
  localEnded(stream: ClientStream): void;
}

const noMetadata: ReadonlyMetadata = new Metadata();

/**
 *   waiting (for a connection, in the channel) --> running (on its stream) --> over
 */
type CallPhase = "waiting" | "running" | "over";

/** A call on the client, and its stream once it has a connection. */
export class ClientStream extends Http2Stream implements ClientStreamCall, MessageSink, RequestFields {
  readonly path: string;
  readonly metadata: Metadata | null;
  readonly failFast: boolean;
  /** Of the call; `deadlineMs` is what the wheel waits for, which is nearer while the call waits for a connection. */
  readonly callDeadlineMs: number;
  /** Of a call that somebody observes; set before it begins. */
  tally: CallTally | null = null;
  readonly #output: CompressedOutput | null;
  readonly #owner: CallOwner;
  readonly #target: CallTarget;
  #phase: CallPhase = "waiting";
  #connection: ClientCallConnection | null = null;
  /** "ending": `end` was called, but what was sent before it is still with the compressor. */
  #requests: "open" | "ending" | "ended" = "open";
  #head: ResponseHead | null = null;
  #trailers: ResponseHead | null = null;
  #response: Uint8Array | null = null;

  constructor(owner: CallOwner, path: string, target: CallTarget, options: CallOptions, callDeadlineMs: number) {
    super();
    this.callDeadlineMs = callDeadlineMs;
    this.path = path;
    this.metadata = options.metadata ?? null;
    this.failFast = options.failFast ?? false;
    this.#owner = owner;
    this.#target = target;
    const isCompressed = owner.compressor !== null && options.uncompressed !== true;
    this.#output = isCompressed ? new CompressedOutput(owner.compressor, this) : null;
  }

  get isCompressed(): boolean {
    return this.#output !== null;
  }

  get isWaiting(): boolean {
    return this.#phase === "waiting";
  }

  // ---- ClientStreamCall

  send(message: Uint8Array): boolean {
    if (this.#phase === "over") return false;
    if (this.#requests !== "open") throw new Error(`Call ${this.path} sends after its end`);
    this.tally?.request(message.length);
    return this.#output === null ? this.writeMessage(message, 0) : this.#output.send(message);
  }

  end(): void {
    if (this.#phase === "over" || this.#requests !== "open") return;
    this.#requests = "ending";
    if (this.#output === null) this.#endOutput();
    else this.#output.afterAll(() => this.#endOutput());
  }

  cancel(): void {
    this.#giveUp(new RpcError(StatusCode.CANCELLED, "Call was cancelled", this.#phase === "waiting" ? { retryable: "safe" } : {}));
  }

  pause(): void {
    this.pauseInput();
  }

  resume(): void {
    if (this.#phase !== "over") this.resumeInput();
  }

  // ---- MessageSink

  writeMessage(message: Uint8Array, compressed: CompressedFlag): boolean {
    if (this.#phase === "over" || (this.#connection !== null && this.state === "closed")) return true;
    if (this.#connection !== null) return this.#connection.send.message(this, message, compressed);
    this.enqueue(messagePrefix(message.length, compressed), message);
    if (this.sendQueueBytes <= sendHighWaterBytes) return true;
    this.waitsForDrain = true;
    return false;
  }

  outputDrained(): void {
    if (this.#phase !== "running" || this.#target.kind !== "stream") return;
    try {
      this.#target.handlers.onDrain();
    } catch (error) {
      this.#handlerFailed("onDrain", error);
    }
  }

  // ---- From the channel

  /** The connection has room: the call begins. */
  start(connection: ClientCallConnection, streamId: number, block: Uint8Array): void {
    this.#phase = "running";
    this.#connection = connection;
    this.id = streamId;
    this.openInput(connection);
    const send = connection.send;
    send.headers(streamId, block, 0);
    const target = this.#target;
    if (target.kind === "unary") {
      this.#requests = "ending";
      this.tally?.request(target.request.length);
      if (this.#output !== null) return this.#sendCompressed(this.#output, target.request);
      this.#requests = "ended";
      if (send.fits(this, target.request.length)) {
        send.messageFrame(this, target.request, Flag.END_STREAM);
        connection.localEnded(this);
        return;
      }
      send.message(this, target.request);
    } else {
      send.adopt(this);
    }
    if (this.#requests === "ended") send.end(this, null);
  }

  /** Ends a call that never got a connection. */
  refuse(error: RpcError): void {
    this.#finish(error);
  }

  // ---- From the connection

  headersReceived(head: ResponseHead, endStream: boolean): void {
    if (head.malformed !== null) return this.#fault(head.malformed);
    if (this.#head === null) {
      if (head.httpStatus < 0) return this.#fault("Response begins without :status");
      if (head.httpStatus < 200) return endStream ? this.#fault("Informational response ends the stream") : undefined;
      this.#head = head;
      this.contentLength = head.contentLength;
      if (endStream) {
        this.#trailers = head;
        return;
      }
      if (head.httpStatus !== 200 || !head.isGrpc) {
        return this.#giveUp(new RpcError(httpCode(head), `Server answered with HTTP status ${head.httpStatus}, not gRPC`));
      }
      if (this.#owner.compressor !== null && head.encoding === this.#owner.compressor.encoding) {
        this.inflation = { compressor: this.#owner.compressor, atEnd: false, job: null };
      } else if (head.encoding !== "identity") {
        return this.#giveUp(new RpcError(StatusCode.INTERNAL, `Server compresses with ${head.encoding}, which was not offered`));
      }
      if (this.#target.kind === "stream") this.#tellMetadata(this.#target.handlers, head.metadata);
      return;
    }
    if (head.httpStatus >= 0 || !endStream) return this.#fault("Trailers have :status or do not end the stream");
    this.#trailers = head;
  }

  /** DATA may come once the response's headers have. */
  get acceptsData(): boolean {
    return this.#head !== null;
  }

  /** GOAWAY said that the server never saw this stream. */
  notProcessed(message: string): void {
    this.#finish(new RpcError(StatusCode.UNAVAILABLE, message, { retryable: "safe" }));
  }

  override deadlinePassed(): void {
    if (this.#phase === "waiting" && this.callDeadlineMs > this.deadlineMs) {
      return this.#finish(new RpcError(StatusCode.UNAVAILABLE, "Call without a deadline found no connection", { retryable: "safe" }));
    }
    const retryable: Retryable = this.#phase === "waiting" ? "safe" : "maybe-applied";
    this.#giveUp(new RpcError(StatusCode.DEADLINE_EXCEEDED, "context deadline exceeded", { retryable }));
  }

  override sendDrained(): void {
    if (this.#output === null) this.outputDrained();
    else this.#output.drained();
  }

  override aborted(reason: AbortReason): void {
    this.#finish(abortError(reason));
  }

  protected override messageReceived(message: Uint8Array): void {
    this.tally?.response(message.length);
    if (this.#target.kind === "stream") {
      try {
        this.#target.handlers.onMessage(message);
      } catch (error) {
        this.#handlerFailed("onMessage", error);
      }
    } else if (this.#response === null) {
      this.#response = message;
    } else {
      this.inputFailed(StatusCode.INTERNAL, "Unary call was answered with more than one message");
    }
  }

  protected override inputEnded(): void {
    const trailers = this.#trailers;
    if (trailers === null) return this.#finish(new RpcError(StatusCode.UNKNOWN, "Stream ended without a status"));
    if (trailers.grpcStatus === -1) {
      return this.#finish(
        new RpcError(httpCode(this.#head ?? trailers), `Stream ended without a status, HTTP status ${this.#head?.httpStatus}`),
      );
    }
    const code = statusFromNumber(trailers.grpcStatus);
    if (code !== StatusCode.OK) {
      const details = trailers.statusDetails === null ? [] : decodeStatusDetails(trailers.statusDetails, code);
      return this.#finish(new RpcError(code, trailers.grpcMessage, { metadata: trailers.metadata, details }));
    }
    if (this.#target.kind === "unary" && this.#response === null) {
      return this.#finish(new RpcError(StatusCode.INTERNAL, "Unary call was answered without a message"));
    }
    this.#finish(null);
  }

  protected override inputFailed(code: StatusCode, message: string): void {
    this.#giveUp(new RpcError(code, message));
  }

  // ---- Details

  /** The request of a unary call. */
  #sendCompressed(output: CompressedOutput, request: Uint8Array): void {
    output.send(request);
    output.afterAll(() => this.#endOutput());
  }

  #endOutput(): void {
    this.#requests = "ended";
    if (this.#phase === "running" && this.state !== "closed") this.#connection?.send.end(this, null);
  }

  #tellMetadata(handlers: ClientStreamHandlers, metadata: ReadonlyMetadata): void {
    try {
      handlers.onMetadata(metadata);
    } catch (error) {
      this.#handlerFailed("onMetadata", error);
    }
  }

  /** What the user's code throws ends this call, and never reaches the connection, which carries others. */
  #handlerFailed(handler: string, cause: unknown): void {
    this.#owner.handlerFailed(this.path, cause);
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.#giveUp(new RpcError(StatusCode.INTERNAL, `Handler ${handler} of call ${this.path} failed: ${reason}`, { cause }));
  }

  /** The server broke a rule of HTTP. */
  #fault(message: string): void {
    this.#connection?.reset(this, ErrorCode.PROTOCOL_ERROR);
    this.#finish(new RpcError(StatusCode.INTERNAL, message));
  }

  /** Ends the call from our side. */
  #giveUp(error: RpcError): void {
    if (this.#phase === "over") return;
    this.#connection?.reset(this, ErrorCode.CANCEL);
    this.stopInput();
    this.#finish(error);
  }

  #finish(error: RpcError | null): void {
    if (this.#phase === "over") return;
    this.#phase = "over";
    this.#output?.cancel();
    this.#owner.callEnded(this);
    this.tally?.end(error?.code ?? StatusCode.OK, (failure) => this.#owner.handlerFailed(this.path, failure));
    try {
      if (this.#target.kind === "unary") this.#target.done(error, error === null ? this.#response : null);
      else this.#target.handlers.onClose(error, error?.metadata ?? this.#trailers?.metadata ?? noMetadata);
    } catch (failure) {
      this.#owner.handlerFailed(this.path, failure);
    }
  }
}

function httpCode(head: ResponseHead): StatusCode {
  return statusFromHttp(head.httpStatus);
}

/** http2-to-status table of PROTOCOL-HTTP2, with what it says about a retry. */
function abortError(reason: AbortReason): RpcError {
  switch (reason.kind) {
    case "resetByPeer":
      return resetError(reason.code);
    case "resetByUs":
      return new RpcError(StatusCode.INTERNAL, reason.message);
    case "connectionLost":
      return new RpcError(StatusCode.UNAVAILABLE, `Connection was lost: ${reason.error?.message ?? "closed by the peer"}`, {
        cause: reason.error,
      });
  }
}

function resetError(code: number): RpcError {
  const message = `Stream was reset by the server: ${errorName(code)}`;
  switch (code) {
    case ErrorCode.REFUSED_STREAM:
      return new RpcError(StatusCode.UNAVAILABLE, message, { retryable: "safe" });
    case ErrorCode.CANCEL:
      return new RpcError(StatusCode.CANCELLED, message);
    case ErrorCode.ENHANCE_YOUR_CALM:
      return new RpcError(StatusCode.RESOURCE_EXHAUSTED, message);
    case ErrorCode.INADEQUATE_SECURITY:
      return new RpcError(StatusCode.PERMISSION_DENIED, message);
    default:
      return new RpcError(StatusCode.INTERNAL, message);
  }
}
