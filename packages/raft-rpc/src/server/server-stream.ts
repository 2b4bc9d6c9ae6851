import { assertNever } from "../assert.ts";
import type { InputOwner } from "../grpc/message-input.ts";
import type { Metadata, ReadonlyMetadata } from "../grpc/metadata.ts";
import { okTrailers, responseBlock, responseBlockWith, trailersBlock, trailersOnlyBlock } from "../grpc/response-blocks.ts";
import { RpcError } from "../grpc/rpc-error.ts";
import { StatusCode } from "../grpc/status.ts";
import { ErrorCode } from "../http2/frame.ts";
import type { SendSide } from "../http2/send-side.ts";
import { type AbortReason, Http2Stream } from "../http2/stream.ts";
import type { StreamCall, StreamCallHandlers, UnaryCall } from "./call.ts";
import type { RequestHead } from "./request-head.ts";
import type { Route } from "./route.ts";

/** What a call on the server needs of its connection. */
export interface ServerCallConnection extends InputOwner {
  readonly remoteAddress: string;
  readonly send: SendSide;
  /** Bytes that may wait in one stream before its handler loses it. */
  readonly streamQueueBytesMax: number;
  reset(stream: ServerStream, code: ErrorCode): void;
  /** Between the two the handler counts as running. */
  handlerStarted(): void;
  handlerEnded(): void;
  /** A handler threw something that is not an RpcError. */
  handlerFailed(path: string, error: unknown): void;
  countStatus(code: StatusCode): void;
}

/**
 *   waiting -- request complete (unary), or at once (stream) --> running -- answer --> done
 *                                                                   |                   ^
 *                                            cancelled, deadline    +--> cancelled -----+ answer, dropped
 */
type CallPhase = "waiting" | "running" | "cancelled" | "done";

/**
 * A call on the server, and its stream. Never reused for another call: a handler that answers late or twice must not reach a stranger.
 */
export class ServerStream extends Http2Stream implements UnaryCall, StreamCall {
  onCancel: (() => void) | null = null;
  readonly head: RequestHead;
  readonly #connection: ServerCallConnection;
  readonly #route: Route;
  #phase: CallPhase = "waiting";
  #request: Uint8Array | null = null;
  #handlers: StreamCallHandlers | null = null;
  #headersSent = false;

  constructor(connection: ServerCallConnection, id: number, head: RequestHead, route: Route) {
    super();
    this.id = id;
    this.head = head;
    this.contentLength = head.contentLength;
    this.#connection = connection;
    this.#route = route;
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

  get cancelled(): boolean {
    return this.#phase === "cancelled" || (this.#phase === "done" && this.state === "closed");
  }

  // ---- Answers

  respond(message: Uint8Array, trailers: Metadata | null = null): void {
    if (!this.#finish("respond")) return;
    this.#connection.countStatus(StatusCode.OK);
    const send = this.#connection.send;
    if (!this.#headersSent) send.headers(this.id, responseBlock, 0);
    if (send.fits(this, message.length)) send.messageFrame(this, message, 0);
    else send.message(this, message);
    send.end(this, trailers === null || trailers.size === 0 ? okTrailers : trailersBlock(StatusCode.OK, "", trailers));
  }

  fail(code: StatusCode, message: string, trailers: Metadata | null = null): void {
    this.#fail(code, message, trailers);
  }

  failWith(reason: unknown): void {
    if (!(reason instanceof RpcError)) this.#connection.handlerFailed(this.path, reason);
    if (this.#phase === "done") return;
    if (reason instanceof RpcError) this.#fail(reason.code, reason.message, reason.metadata);
    // What went wrong inside is for the log, not for the client.
    else this.#fail(StatusCode.UNKNOWN, "handler failed", null);
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
    if (this.sendQueueBytes > this.#connection.streamQueueBytesMax) {
      this.#interrupt(StatusCode.RESOURCE_EXHAUSTED, `${this.sendQueueBytes} bytes wait to be read by the client`);
      return false;
    }
    if (!this.#headersSent) this.#sendHeaders(null);
    return this.#connection.send.message(this, message);
  }

  pause(): void {
    this.pauseInput();
  }

  resume(): void {
    if (this.#phase === "running") this.resumeInput();
  }

  end(code: StatusCode = StatusCode.OK, message = "", trailers: Metadata | null = null): void {
    if (!this.#finish("end")) return;
    this.stopInput();
    this.#sendStatus(code, message, trailers);
  }

  // ---- From the connection

  /** The request's headers are complete. A stream's handler runs from here, a unary one when the request is complete. */
  begin(): void {
    if (this.#route.kind === "stream") this.#run(null);
  }

  /** The server shuts down and waits no longer. */
  shutDown(): void {
    this.#interrupt(StatusCode.UNAVAILABLE, "server is shutting down");
  }

  override deadlinePassed(): void {
    this.#interrupt(StatusCode.DEADLINE_EXCEEDED, "context deadline exceeded");
  }

  override sendDrained(): void {
    if (this.#phase !== "running") return;
    try {
      this.#handlers?.onDrain();
    } catch (error) {
      this.failWith(error);
    }
  }

  override aborted(_reason: AbortReason): void {
    if (this.#phase !== "done") this.#connection.countStatus(StatusCode.CANCELLED);
    this.#cancel();
  }

  protected override messageReceived(message: Uint8Array): void {
    if (this.#route.kind === "stream") {
      try {
        this.#handlers?.onMessage(message);
      } catch (error) {
        this.failWith(error);
      }
    } else if (this.#request === null) {
      this.#request = message;
    } else {
      this.inputFailed(StatusCode.UNIMPLEMENTED, "Unary call has more than one message");
    }
  }

  protected override inputEnded(): void {
    if (this.#route.kind === "unary") {
      if (this.#request === null) this.inputFailed(StatusCode.UNIMPLEMENTED, "Unary call has no message");
      else this.#run(this.#request);
      return;
    }
    try {
      this.#handlers?.onEnd();
    } catch (error) {
      this.failWith(error);
    }
  }

  protected override inputFailed(code: StatusCode, message: string): void {
    this.#interrupt(code, message);
  }

  // ---- Details

  #fail(code: StatusCode, message: string, trailers: Metadata | null): void {
    if (!this.#finish("fail")) return;
    this.stopInput();
    this.#sendStatus(code, message, trailers);
  }

  #run(request: Uint8Array | null): void {
    this.#phase = "running";
    this.#request = null;
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
    this.#connection.send.headers(this.id, metadata === null ? responseBlock : responseBlockWith(metadata), 0);
  }

  #sendStatus(code: StatusCode, message: string, trailers: Metadata | null): void {
    this.#connection.countStatus(code);
    const isEmpty = trailers === null || trailers.size === 0;
    if (!this.#headersSent && code !== StatusCode.OK) {
      this.#headersSent = true;
      this.#connection.send.end(this, trailersOnlyBlock(code, message, isEmpty ? null : trailers, null));
      return;
    }
    if (!this.#headersSent) this.#sendHeaders(null);
    this.#connection.send.end(this, trailersBlock(code, message, isEmpty ? null : trailers));
  }

  /** Ends the call from our side before its handler does. A message that is half sent cannot be followed by a status. */
  #interrupt(code: StatusCode, message: string): void {
    this.stopInput();
    if (this.#phase === "done") {
      this.#connection.reset(this, ErrorCode.CANCEL);
      return;
    }
    const isHalfSent = this.sendQueueBytes > 0;
    const phase = this.#phase;
    if (phase === "waiting") this.#phase = "done";
    if (isHalfSent) {
      this.#connection.countStatus(code);
      this.#connection.reset(this, ErrorCode.CANCEL);
    } else {
      this.#sendStatus(code, message, null);
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
