import type { Compressor } from "../grpc/compressor.ts";
import { trailersOnlyBlock } from "../grpc/response-blocks.ts";
import { StatusCode } from "../grpc/status.ts";
import { HeaderBlockCache } from "../hpack/block-cache.ts";
import { HeaderList } from "../hpack/header-list.ts";
import { Http2Connection } from "../http2/connection.ts";
import type { ConnectionOptions } from "../http2/connection-lifetime.ts";
import { FloodError } from "../http2/flood-error.ts";
import { ConnectionError, ErrorCode, Flag, protocolError, SettingId } from "../http2/frame.ts";
import type { PeerIdentity } from "../peer-identity.ts";
import { ConnectionRetirement, type RetirementReason } from "./connection-retirement.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { GracefulGoaway } from "./graceful-goaway.ts";
import type { HeldMemory, MemoryHolder } from "./held-memory.ts";
import { HttpAnswer } from "./http-answer.ts";
import type { LimitName } from "./limit-counters.ts";
import { PingPolicy } from "./ping-policy.ts";
import { type Rejection, type RequestHead, readRequestHead, trailerFault } from "./request-head.ts";
import { RequestWatch, type WatchedRequest } from "./request-watch.ts";
import type { ServerCounters } from "./server-counters.ts";
import type { ServerInterceptor } from "./server-interceptor.ts";
import { type ServerCallConnection, ServerStream } from "./server-stream.ts";
import { SlicedInput } from "./sliced-input.ts";
import { StreamsEnding } from "./streams-ending.ts";
import type { TurnLine } from "./turn-line.ts";

export interface ServerConnectionOptions extends ConnectionOptions {
  readonly dispatcher: Dispatcher;
  readonly memory: HeldMemory;
  readonly turns: TurnLine;
  /** `originOf` the client. */
  readonly origin: string;
  readonly counters: ServerCounters;
  readonly compressor: Compressor | null;
  readonly interceptors: readonly ServerInterceptor[];
  /** Until the connection is told to go; Infinity for never. */
  readonly idleMs: number;
  readonly ageMs: number;
  readonly onHandlerError: (path: string, error: unknown) => void;
  readonly onLimit: (limit: LimitName, remoteAddress: string) => void;
  /** The client broke a rule or a limit, or left without a call: once. */
  readonly onFault: () => void;
  readonly onClosed: (connection: ServerConnection, error: Error | null) => void;
}

/** Output that waits for a socket that takes nothing: above this no more requests are read. */
const congestedBytes = 256 * 1024;
/** Answers that wait are added to what the server holds in steps of this. */
const countedStepBytes = 64 * 1024;

/** The server's end of a connection: requests out of header blocks, calls for them, and what a server refuses. */
export class ServerConnection extends Http2Connection<ServerStream | HttpAnswer> implements ServerCallConnection, MemoryHolder {
  readonly streamQueueBytesMax: number;
  readonly peer: PeerIdentity | null;
  readonly compressor: Compressor | null;
  readonly interceptors: readonly ServerInterceptor[];
  protected override readonly counters: ServerCounters;
  readonly #options: ServerConnectionOptions;
  readonly #heads = new HeaderBlockCache<RequestHead>();
  readonly #trailerList = new HeaderList();
  /** The highest stream that the client opened, and the highest that was accepted: none is after the last GOAWAY. */
  #lastStreamId = 0;
  #lastAcceptedId = 0;
  #runningHandlers = 0;
  #isAtFault = false;
  /** The byte stream has closed, and streams are left that are about to end. */
  #closedBeforeStreams: (() => void) | null = null;
  countedBytes = 0;
  #countScheduled = false;
  readonly #input: SlicedInput;
  readonly #pings: PingPolicy;
  readonly #requestWatch: RequestWatch;
  readonly #goaway: GracefulGoaway;
  readonly #retirement: ConnectionRetirement | null;

  constructor(options: ServerConnectionOptions) {
    super(options, "server");
    this.#options = options;
    this.counters = options.counters;
    this.streamQueueBytesMax = options.limits.streamQueueBytesMax;
    this.peer = options.stream.peer ?? null;
    this.compressor = options.compressor;
    this.interceptors = options.interceptors;
    options.memory.enter(this);
    this.#pings = new PingPolicy(options.limits.pingIntervalMinMs);
    this.#input = new SlicedInput({
      origin: options.origin,
      line: options.turns,
      stream: options.stream,
      read: (bytes, from) => this.read(bytes, from),
      onTurnTaken: () => this.#updateMemory(),
    });
    this.#requestWatch = new RequestWatch({
      ...options,
      streams: this.streams,
      requestMs: options.limits.requestMs,
      onOverdue: (stream) => this.#requestOverdue(stream),
    });
    this.#goaway = new GracefulGoaway({
      ...options,
      isOpen: () => this.phase === "open",
      goaway: (lastStreamId, code, reason) => this.goaway(lastStreamId, code, reason),
      ping: (payload) => this.ping(payload),
      lastAcceptedId: () => this.#lastAcceptedId,
      onLast: () => this.#finishIfDrained(),
    });
    const mayRetire = Math.min(options.idleMs, options.ageMs) < Number.POSITIVE_INFINITY;
    this.#retirement = mayRetire ? new ConnectionRetirement({ ...options, onRetire: (reason) => this.#retire(reason) }) : null;
  }

  /** `received` holds the preface and what came with it. */
  start(received: Uint8Array, prefaceBytes: number): void {
    this.open([
      [SettingId.MAX_CONCURRENT_STREAMS, this.limits.concurrentStreamsMax],
      [SettingId.INITIAL_WINDOW_SIZE, this.limits.streamWindowBytes],
      [SettingId.MAX_FRAME_SIZE, this.limits.frameBytesMax],
      [SettingId.MAX_HEADER_LIST_SIZE, this.limits.headerListBytesMax],
    ]);
    this.counters.bytesReceived += received.length;
    this.received(received, prefaceBytes);
  }

  // ---- For the server

  /** Lets running calls end, takes no new ones, then closes (RFC 9113 6.8). */
  drain(reason = "graceful_stop"): void {
    if (this.phase === "open") this.#goaway.begin(reason);
  }

  /** Ends what still runs with UNAVAILABLE, and closes. */
  shutDown(): void {
    if (this.phase !== "open") return;
    this.goaway(this.#lastAcceptedId, ErrorCode.NO_ERROR, "graceful_stop");
    for (const stream of [...this.streams.values()]) stream.shutDown();
    this.finish(null);
  }

  // ---- ServerCallConnection

  handlerStarted(): void {
    this.#runningHandlers++;
    this.counters.handlersRunning++;
  }

  handlerEnded(): void {
    this.#runningHandlers--;
    this.counters.handlersRunning--;
  }

  handlerFailed(path: string, error: unknown): void {
    this.counters.handlerFailures++;
    this.#options.onHandlerError(path, error);
  }

  countStatus(code: StatusCode): void {
    this.counters.callsByStatus[code] = (this.counters.callsByStatus[code] ?? 0) + 1;
  }

  limitTripped(limit: LimitName): void {
    this.counters.limits[limit]++;
    this.#options.onLimit(limit, this.remoteAddress);
  }

  // ---- Http2Connection

  override failWith(error: ConnectionError): void {
    if (this.phase !== "open") return;
    if (error instanceof FloodError) this.limitTripped(error.flood);
    else if (error.code === ErrorCode.SETTINGS_TIMEOUT) this.limitTripped("settingsTimeouts");
    if (error.code !== ErrorCode.INTERNAL_ERROR) this.#blame();
    super.failWith(error);
  }

  #blame(): void {
    if (this.#isAtFault) return;
    this.#isAtFault = true;
    this.#options.onFault();
  }

  protected override received(bytes: Uint8Array, from: number): void {
    const { streamFramesSent } = this.send;
    this.#input.receive(bytes, from);
    this.#updateMemory();
    // What was answered at once leaves at once, in one write: its client goes on while the others of this turn are served.
    if (this.send.streamFramesSent !== streamFramesSent) this.send.flush();
  }

  protected override spend(units: number): boolean {
    return this.#input.spend(units);
  }

  override get heldBytes(): number {
    return super.heldBytes + this.#input.waitingBytes;
  }

  giveUp(): void {
    if (this.phase !== "open") return;
    this.limitTripped("heldBytes");
    this.failWith(new ConnectionError(ErrorCode.ENHANCE_YOUR_CALM, "This connection holds most of too many bytes"));
  }

  #updateMemory(): void {
    if (this.phase === "open") this.#options.memory.update(this);
  }

  /** Not at once: whoever sends is in the midst of it. */
  #countMemory(): void {
    if (this.#countScheduled || this.send.queuedBytes < this.countedBytes + countedStepBytes) return;
    this.#countScheduled = true;
    this.clock.atEndOfTurn(() => {
      this.#countScheduled = false;
      this.#updateMemory();
    });
  }

  override onDrain(): void {
    super.onDrain();
    if (this.send.output.pendingBytes <= congestedBytes) this.#input.unblock();
  }

  /** A client that does not read its answers gives no more requests: they wait in its own socket. */
  protected override outputWaits(): void {
    super.outputWaits();
    this.#countMemory();
    if (!this.send.writable && this.send.output.pendingBytes > congestedBytes) this.#input.block();
  }

  protected override isIdle(streamId: number): boolean {
    return streamId > this.#lastStreamId || streamId % 2 === 0;
  }

  protected override isIgnored(streamId: number): boolean {
    return this.resetIds.has(streamId) || streamId > this.#lastAcceptedId;
  }

  protected override lastPeerStreamId(): number {
    return this.#lastAcceptedId;
  }

  protected override padded(paddingBytes: number, dataBytes: number): void {
    this.guard.padding(paddingBytes, dataBytes);
  }

  protected override emptyData(): void {
    this.guard.emptyData(this.nowMs);
  }

  protected override pingReceived(): void {
    this.#pings.ping({ nowMs: this.nowMs, hasCalls: this.streams.size > 0, streamFramesSent: this.send.streamFramesSent });
  }

  protected override settingsApplied(): void {
    // Nothing waits for it.
  }

  override goawayFrame(): void {
    // The client opens no more streams; the ones it has go on until it closes.
  }

  override pingAckFrame(payload: Uint8Array): void {
    this.#goaway.pingAnswered(payload);
  }

  protected override keepaliveWanted(): boolean {
    return true;
  }

  protected override keepaliveFailed(): void {
    this.limitTripped("keepaliveTimeouts");
  }

  protected override streamClosed(): void {
    if (this.streams.size === 0) this.#retirement?.idle();
    this.#finishIfDrained();
  }

  protected override abortAll(error: Error | null): void {
    this.partialBudget.close();
    const ending = new StreamsEnding({
      origin: this.#options.origin,
      line: this.#options.turns,
      streams: this.streams,
      end: (stream) => this.abort(stream, { kind: "connectionLost", error }),
      onEnded: () => this.#closedBeforeStreams?.(),
    });
    ending.takeTurn();
  }

  protected override closed(error: Error | null): void {
    if (this.streams.size > 0) this.#closedBeforeStreams = () => this.#leave(error);
    else this.#leave(error);
  }

  #leave(error: Error | null): void {
    this.#goaway.stop();
    this.#options.memory.leave(this);
    this.#input.stop();
    this.#requestWatch.stop();
    this.#retirement?.stop();
    if (this.#lastAcceptedId === 0 && this.#goaway.phase === "no") this.#blame();
    this.#options.onClosed(this, error);
  }

  /** An answer before the end of the request: the rest is not wanted (RFC 9113 8.1). */
  override localEnded(stream: ServerStream | HttpAnswer): void {
    super.localEnded(stream);
    if (stream.state === "halfClosedLocal") this.reset(stream, ErrorCode.NO_ERROR);
  }

  protected override dataAllowed(): boolean {
    return true;
  }

  protected override headerBlock(streamId: number, bytes: Uint8Array, start: number, end: number, endStream: boolean): void {
    const stream = this.streams.get(streamId);
    if (stream !== undefined) return this.#trailers(stream, bytes, start, end, endStream);
    if (streamId % 2 === 0) throw protocolError(`HEADERS opens even stream ${streamId}`);
    const head = this.#readHead(bytes, start, end);
    if (streamId <= this.#lastStreamId) return this.#lateHeaders(streamId);
    this.#lastStreamId = streamId;
    if (this.#goaway.phase === "last") return;
    this.#lastAcceptedId = streamId;
    this.#request(streamId, head, endStream);
  }

  // ---- Requests

  #readHead(bytes: Uint8Array, start: number, end: number): RequestHead {
    const version = this.decoder.tableVersion;
    const known = this.#heads.get(bytes, start, end, version);
    if (known !== null) {
      this.counters.headerBlockHits++;
      return known;
    }
    this.counters.headerBlockMisses++;
    this.decoder.decode(bytes, start, end, this.list);
    const head = readRequestHead(this.list, this.limits, this.compressor?.encoding ?? null);
    // A block that changes the table means something else the next time.
    if (this.decoder.tableVersion === version) this.#heads.put(bytes, start, end, version, this.list, head);
    return head;
  }

  #lateHeaders(streamId: number): void {
    if (this.isIgnored(streamId)) return;
    if (this.closedIds.has(streamId)) throw new ConnectionError(ErrorCode.STREAM_CLOSED, `HEADERS stands on closed stream ${streamId}`);
    throw protocolError(`HEADERS opens stream ${streamId} below the last, ${this.#lastStreamId}`);
  }

  #request(streamId: number, head: RequestHead, endStream: boolean): void {
    const { rejection } = head;
    if (endStream && head.contentLength > 0 && (rejection === null || rejection.kind === "http")) {
      return this.#reject(streamId, { kind: "malformed", reason: "Request without DATA has a content-length" }, endStream);
    }
    if (rejection !== null && rejection.kind !== "http") return this.#reject(streamId, rejection, endStream);
    if (rejection !== null) return this.#open(new HttpAnswer(this, streamId, rejection), head, endStream);
    const route = this.#options.dispatcher.find(head.path);
    if (route === undefined) {
      const message = this.#options.dispatcher.unknown(head.path);
      return this.#reject(streamId, { kind: "status", code: StatusCode.UNIMPLEMENTED, message }, endStream);
    }
    if (head.timeoutMs <= 0) {
      const message = "context deadline exceeded";
      return this.#reject(streamId, { kind: "status", code: StatusCode.DEADLINE_EXCEEDED, message }, endStream);
    }
    this.#open(new ServerStream(this, streamId, head, route), head, endStream);
  }

  #open(stream: ServerStream | HttpAnswer, head: RequestHead, endStream: boolean): void {
    const limit = this.#brokenLimit();
    if (limit !== null) return this.#refuse(stream.id, limit);
    this.#retirement?.busy();
    stream.contentLength = head.contentLength;
    this.add(stream, endStream);
    if (head.timeoutMs !== Number.POSITIVE_INFINITY) this.wheel.set(stream, this.nowMs + head.timeoutMs);
    if (stream instanceof ServerStream) stream.begin();
    if (!endStream) this.#requestWatch.began(stream, this.nowMs);
    else if (stream.state !== "closed") stream.receiveEnd();
  }

  #requestOverdue(stream: WatchedRequest): void {
    this.limitTripped("requestTimeouts");
    stream.requestOverdue(this.limits.requestMs);
  }

  /** Handlers of streams that were reset count until they end, or a client could start any number of them (CVE-2023-44487). */
  #brokenLimit(): LimitName | null {
    const { concurrentStreamsMax, connectionQueueBytesMax } = this.limits;
    if (this.streams.size >= concurrentStreamsMax) return "concurrentStreams";
    if (this.#runningHandlers >= concurrentStreamsMax) return "runningHandlers";
    return this.send.queuedBytes > connectionQueueBytesMax ? "connectionQueueBytes" : null;
  }

  #refuse(streamId: number, limit: LimitName): void {
    this.counters.refusals++;
    this.limitTripped(limit);
    this.guard.refusal(this.nowMs);
    this.closedIds.add(streamId);
    this.answerReset(streamId, ErrorCode.REFUSED_STREAM);
  }

  #reject(streamId: number, rejection: Exclude<Rejection, { kind: "http" }>, endStream: boolean): void {
    this.closedIds.add(streamId);
    if (rejection.kind === "malformed") {
      this.guard.reset(this.nowMs);
      this.answerReset(streamId, ErrorCode.PROTOCOL_ERROR);
      return;
    }
    const { code, message, extra = null } = rejection;
    if (code === StatusCode.RESOURCE_EXHAUSTED) this.limitTripped("requestHeadBytes");
    this.countStatus(code);
    this.send.headers(streamId, trailersOnlyBlock({ code, message, metadata: null, details: [] }, extra), Flag.END_STREAM);
    if (!endStream) this.answerReset(streamId, ErrorCode.NO_ERROR);
  }

  /** A second header block of a request: must end it, and holds no pseudo headers. What it says is of no use in gRPC. */
  #trailers(stream: ServerStream | HttpAnswer, bytes: Uint8Array, start: number, end: number, endStream: boolean): void {
    const list = this.#trailerList;
    this.decoder.decode(bytes, start, end, list);
    if (stream.remoteEnded) return this.streamError(stream, ErrorCode.STREAM_CLOSED, "HEADERS came after the end of the stream");
    if (!endStream) return this.streamError(stream, ErrorCode.PROTOCOL_ERROR, "Trailers do not end the stream");
    const fault = trailerFault(list);
    if (fault !== null) return this.streamError(stream, ErrorCode.PROTOCOL_ERROR, fault);
    if (this.contentFits(stream, 0, true)) this.remoteEnded(stream);
  }

  // ---- Draining

  #retire(reason: RetirementReason): void {
    if (this.phase !== "open" || this.#goaway.phase !== "no") return;
    this.limitTripped(reason === "max_age" ? "connectionAge" : "connectionIdle");
    this.drain(reason);
  }

  #finishIfDrained(): void {
    if (this.#goaway.phase === "last" && this.streams.size === 0) this.finish(null);
  }
}
