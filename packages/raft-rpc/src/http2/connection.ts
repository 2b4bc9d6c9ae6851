import type { ByteStream, ByteStreamHandlers } from "../byte-stream.ts";
import { type DeadlineWheel, WheelTimer } from "../grpc/deadline-wheel.ts";
import type { InputOwner } from "../grpc/message-input.ts";
import { PartialBudget } from "../grpc/partial-budget.ts";
import { HpackDecoder } from "../hpack/decoder.ts";
import { HeaderList } from "../hpack/header-list.ts";
import { headerBlockTimeoutMs, headerListLimits, lingerMs, type RpcLimits } from "../limits.ts";
import type { RpcClock } from "../rpc-clock.ts";
import type { Http2Counters } from "./counters.ts";
import { FloodGuard } from "./flood-guard.ts";
import { ConnectionError, ErrorCode, Flag, FrameType, frameSizeError, initialWindowBytes, readUint32 } from "./frame.ts";
import { FrameReader, type FrameSink } from "./frame-reader.ts";
import { HeaderFragments } from "./header-fragments.ts";
import { IdRing } from "./id-ring.ts";
import { Liveness } from "./liveness.ts";
import { SendSide } from "./send-side.ts";
import { SettingsExchange } from "./settings-exchange.ts";
import type { AbortReason, Http2Stream } from "./stream.ts";

export interface ConnectionOptions {
  readonly stream: ByteStream;
  readonly clock: RpcClock;
  readonly wheel: DeadlineWheel;
  readonly limits: RpcLimits;
  readonly counters: Http2Counters;
}

const keepalivePayload = Uint8Array.of(0x72, 0x61, 0x66, 0x74, 0x6b, 0x76, 0, 1);

/**
 * What both ends of an HTTP/2 connection do alike (RFC 9113): frames in, states of streams, both directions of flow control, SETTINGS, PING,
 * errors and the end. Works on a ByteStream and a clock only.
 *
 *   ByteStream.onData --> FrameReader --> frame() --> streams, header blocks (server or client) --> calls
 *   calls --> SendSide --(end of turn)--> ByteStream.write
 */
export abstract class Http2Connection<S extends Http2Stream> implements FrameSink, ByteStreamHandlers, InputOwner {
  readonly messageBytesMax: number;
  readonly streamWindowBytes: number;
  readonly partialBudget: PartialBudget;
  readonly streams = new Map<number, S>();
  readonly send: SendSide;
  readonly wheel: DeadlineWheel;
  readonly clock: RpcClock;
  readonly remoteAddress: string;
  /** The clock when the last bytes came. */
  nowMs: number;
  /** "ending": a GOAWAY with an error went out, or `end` was called; what still comes is read and ignored. */
  phase: "open" | "ending" | "closed" = "open";

  protected readonly stream: ByteStream;
  protected readonly limits: RpcLimits;
  protected readonly counters: Http2Counters;
  protected readonly decoder = new HpackDecoder(headerListLimits);
  protected readonly list = new HeaderList();
  protected readonly guard: FloodGuard;
  /** Streams that we reset lately, and streams that ended otherwise. */
  protected readonly resetIds = new IdRing();
  protected readonly closedIds = new IdRing();
  protected readonly settings: SettingsExchange;

  readonly #reader: FrameReader;
  readonly #liveness: Liveness;
  #fragments: HeaderFragments | null = null;
  #receiveWindow: number;
  #queuedBytes = 0;
  readonly #fragmentsTimer = new WheelTimer(() => this.fail(ErrorCode.ENHANCE_YOUR_CALM, "Header block is not complete in time"));
  readonly #lingerTimer = new WheelTimer(() => this.stream.destroy());

  constructor(options: ConnectionOptions) {
    this.stream = options.stream;
    this.clock = options.clock;
    this.wheel = options.wheel;
    this.limits = options.limits;
    this.counters = options.counters;
    this.messageBytesMax = options.limits.messageBytesMax;
    this.streamWindowBytes = options.limits.streamWindowBytes;
    this.partialBudget = new PartialBudget(options.limits.partialMessageBytesMax);
    this.remoteAddress = options.stream.remoteAddress;
    this.nowMs = options.clock.monotonicMs();
    this.guard = new FloodGuard(this.nowMs);
    this.#receiveWindow = Math.max(initialWindowBytes, options.limits.connectionWindowBytes);
    this.#reader = new FrameReader(this, options.limits.frameBytesMax);
    this.send = new SendSide({
      stream: options.stream,
      clock: options.clock,
      counters: options.counters,
      onLocalEnd: (stream) => this.#localEnd(stream),
      onWaiting: () => this.outputWaits(),
    });
    this.settings = new SettingsExchange({
      send: this.send,
      streams: this.streams,
      guard: this.guard,
      wheel: options.wheel,
      streamWindowBytes: this.streamWindowBytes,
      onTimeout: () => this.fail(ErrorCode.SETTINGS_TIMEOUT, "SETTINGS are not acknowledged in time"),
    });
    this.#liveness = new Liveness({
      clock: this.clock,
      wheel: this.wheel,
      keepaliveMs: this.limits.keepaliveMs,
      keepaliveTimeoutMs: this.limits.keepaliveTimeoutMs,
      stallMs: this.limits.stallMs,
      lastReadMs: () => this.nowMs,
      wantsPing: () => this.phase === "open" && this.keepaliveWanted(),
      ping: () => this.ping(keepalivePayload),
      onSilence: () => this.#silent(),
      progress: () => this.send.progressCount,
      waits: () => this.send.queuedBytes > 0 || !this.send.writable,
      onStall: () => this.fail(ErrorCode.ENHANCE_YOUR_CALM, `No data was taken for ${this.limits.stallMs} ms`),
    });
  }

  /** Is this id of a stream that nobody opened yet? */
  protected abstract isIdle(streamId: number): boolean;
  /** A complete header block: must be decoded in any case, since it changes the table. */
  protected abstract headerBlock(streamId: number, bytes: Uint8Array, start: number, end: number, endStream: boolean): void;
  protected abstract pingReceived(): void;
  protected abstract pingAcknowledged(payload: Uint8Array): void;
  protected abstract goawayReceived(lastStreamId: number, code: number, debug: Uint8Array): void;
  protected abstract settingsApplied(): void;
  /** A stream left the map. */
  protected abstract streamClosed(stream: S): void;
  /** The connection is over. All streams were aborted. */
  protected abstract closed(error: Error | null): void;
  /** For GOAWAY: the highest stream of the peer that was or may be processed. */
  protected abstract lastPeerStreamId(): number;

  /** Our SETTINGS and the connection window; called once. */
  protected open(settings: readonly (readonly [number, number])[]): void {
    this.settings.start(settings, this.nowMs);
    const extra = this.#receiveWindow - initialWindowBytes;
    if (extra > 0) this.send.output.uint32Frame(FrameType.WINDOW_UPDATE, 0, extra);
    this.send.schedule();
    this.#liveness.start();
  }

  // ---- ByteStreamHandlers

  onData(bytes: Uint8Array): void {
    this.receive(bytes, 0);
  }

  onDrain(): void {
    if (this.phase !== "open") return;
    this.send.drain();
  }

  onClose(error: Error | null): void {
    this.lost(error);
  }

  /** Reads frames from `from` on. */
  protected receive(bytes: Uint8Array, from: number): void {
    if (this.phase !== "open") return;
    this.nowMs = this.clock.monotonicMs();
    this.counters.bytesReceived += bytes.length - from;
    try {
      this.#reader.read(bytes, from);
    } catch (error) {
      if (error instanceof ConnectionError) return this.fail(error.code, error.message);
      // A fault of ours, or of a callback: the rest of the chunk is not read, so the connection cannot go on.
      this.fail(ErrorCode.INTERNAL_ERROR, "internal error");
      throw error;
    }
  }

  // ---- The end

  /** A connection error: GOAWAY, close. All streams are aborted. */
  fail(code: ErrorCode, message: string): void {
    if (this.phase !== "open") return;
    this.counters.connectionErrors[code] = (this.counters.connectionErrors[code] ?? 0) + 1;
    this.goaway(this.lastPeerStreamId(), code, message);
    this.finish(new ConnectionError(code, message));
  }

  /** Sends what waits, then closes; destroys if the peer does not close within a second. */
  finish(error: Error | null): void {
    if (this.phase !== "open") return;
    this.phase = "ending";
    this.send.close();
    this.stream.end();
    this.stream.resume();
    this.#abortAll(error);
    if (!this.#isClosed()) this.wheel.set(this.#lingerTimer, this.clock.monotonicMs() + lingerMs);
  }

  goaway(lastStreamId: number, code: ErrorCode, message: string): void {
    const debug = Uint8Array.from(message.slice(0, 128), (letter) => letter.charCodeAt(0) & 0x7f);
    this.send.output.beginFrame(8 + debug.length, FrameType.GOAWAY, 0, 0);
    this.send.output.appendUint32(lastStreamId);
    this.send.output.appendUint32(code);
    this.send.output.append(debug, 0, debug.length);
    this.send.schedule();
  }

  protected ping(payload: Uint8Array): void {
    this.send.output.bytesFrame(FrameType.PING, 0, 0, payload);
    this.send.schedule();
  }

  /** The byte stream is gone, or is given up. */
  protected lost(error: Error | null): void {
    if (this.phase === "closed") return;
    const wasOpen = this.phase === "open";
    this.phase = "closed";
    this.send.close();
    this.#liveness.stop();
    this.settings.stop();
    this.wheel.clear(this.#fragmentsTimer);
    this.wheel.clear(this.#lingerTimer);
    if (wasOpen) this.#abortAll(error);
    this.closed(error);
  }

  /** A byte stream may call back from within `end`. */
  #isClosed(): boolean {
    return this.phase === "closed";
  }

  #abortAll(error: Error | null): void {
    this.partialBudget.close();
    for (const stream of [...this.streams.values()]) this.abort(stream, { kind: "connectionLost", error });
  }

  // ---- Streams

  /** Registers a stream; its window begins at the advertised size. */
  protected add(stream: S, endStream: boolean): void {
    stream.state = endStream ? "halfClosedRemote" : "open";
    this.streams.set(stream.id, stream);
    this.counters.streamsOpened++;
    this.counters.streamsOpen++;
  }

  /** Resets one stream. A fault of the peer counts for the flood limits; what is only no longer wanted does not. */
  reset(stream: S, code: ErrorCode): void {
    if (stream.state === "closed") return;
    this.resetId(stream.id, code);
    this.discard(stream);
    stream.stopInput();
  }

  /** RST_STREAM for a stream that may not be in the map. */
  protected resetId(streamId: number, code: ErrorCode): void {
    this.counters.resetsSent++;
    this.resetIds.add(streamId);
    this.send.resetFrame(streamId, code);
  }

  /** A stream error of the peer: reset, tell the call. */
  protected streamError(stream: S, code: ErrorCode, message: string): void {
    this.guard.reset(this.nowMs);
    this.resetId(stream.id, code);
    this.abort(stream, { kind: "resetByUs", code, message });
  }

  protected abort(stream: S, reason: AbortReason): void {
    if (stream.state === "closed") return;
    this.discard(stream);
    stream.stopInput();
    stream.aborted(reason);
  }

  /** Takes a stream out. Messages that wait for a paused reader stay: a regular end does not take them away. */
  protected discard(stream: S): void {
    stream.state = "closed";
    this.streams.delete(stream.id);
    this.counters.streamsOpen--;
    this.closedIds.add(stream.id);
    this.wheel.clear(stream);
    this.send.forget(stream);
    this.streamClosed(stream);
  }

  /** Our END_STREAM was written. */
  #localEnd(stream: Http2Stream): void {
    const own = this.streams.get(stream.id);
    if (own === undefined || own !== stream) return;
    this.localEnded(own);
  }

  /** Our side of the stream ended. The server resets a stream whose request it no longer needs. */
  localEnded(stream: S): void {
    if (stream.state === "halfClosedRemote") this.discard(stream);
    else if (stream.state === "open") stream.state = "halfClosedLocal";
  }

  protected remoteEnded(stream: S): void {
    if (stream.state === "open") {
      stream.state = "halfClosedRemote";
      stream.receiveEnd();
    } else if (stream.state === "halfClosedLocal") {
      stream.receiveEnd();
      if (stream.state === "halfClosedLocal") this.discard(stream);
    }
  }

  // ---- InputOwner

  openingWindowBytes(): number {
    return this.settings.openingWindowBytes;
  }

  holdQueued(byteCount: number): void {
    this.#queuedBytes += byteCount;
    if (byteCount < 0 && this.phase === "open") this.#creditConnection();
  }

  grantStream(streamId: number, byteCount: number): void {
    this.send.output.uint32Frame(FrameType.WINDOW_UPDATE, streamId, byteCount);
    this.send.schedule();
  }

  /** Window of the connection: back on receipt, except for complete messages that nobody takes, which would fill the memory. */
  #creditConnection(): void {
    const free = this.limits.connectionWindowBytes - this.#receiveWindow - this.#queuedBytes;
    if (free * 2 < this.limits.connectionWindowBytes) return;
    this.#receiveWindow += free;
    this.send.output.uint32Frame(FrameType.WINDOW_UPDATE, 0, free);
    this.send.schedule();
  }

  // ---- Frames

  frame(type: number, flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): boolean {
    this.counters.framesReceived++;
    if (!this.settings.received && (type !== FrameType.SETTINGS || (flags & Flag.ACK) !== 0)) {
      throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, "First frame is not SETTINGS");
    }
    if (this.#fragments !== null && (type !== FrameType.CONTINUATION || streamId !== this.#fragments.streamId)) {
      throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, `Frame type ${type} stands inside a header block`);
    }
    switch (type) {
      case FrameType.DATA:
        this.#data(flags, streamId, bytes, start, end);
        break;
      case FrameType.HEADERS:
        this.#headers(flags, streamId, bytes, start, end);
        break;
      case FrameType.CONTINUATION:
        this.#continuation(flags, streamId, bytes, start, end);
        break;
      default:
        this.guard.idleFrame(this.nowMs);
        this.#controlFrame(type, flags, streamId, bytes, start, end);
    }
    return this.phase === "open";
  }

  #controlFrame(type: number, flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    switch (type) {
      case FrameType.PRIORITY:
        return this.#priority(streamId, end - start);
      case FrameType.RST_STREAM:
        return this.#rstStream(streamId, bytes, start, end);
      case FrameType.SETTINGS:
        return this.#settings(flags, streamId, bytes, start, end);
      case FrameType.PUSH_PROMISE:
        throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, "PUSH_PROMISE is not allowed");
      case FrameType.PING:
        return this.#ping(flags, streamId, bytes, start, end);
      case FrameType.GOAWAY:
        if (streamId !== 0) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, `GOAWAY stands on stream ${streamId}`);
        if (end - start < 8) throw frameSizeError("GOAWAY", end - start);
        return this.goawayReceived(readUint32(bytes, start) & 0x7fffffff, readUint32(bytes, start + 4), bytes.subarray(start + 8, end));
      case FrameType.WINDOW_UPDATE:
        return this.#windowUpdate(streamId, bytes, start, end);
      default:
        this.guard.priority(this.nowMs);
    }
  }

  #data(flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    if (streamId === 0) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, "DATA stands on stream 0");
    const payloadBytes = end - start;
    this.#receiveWindow -= payloadBytes;
    if (this.#receiveWindow < 0) throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, "Connection window is overrun");
    let dataStart = start;
    let dataEnd = end;
    if ((flags & Flag.PADDED) !== 0) {
      dataStart = start + 1;
      dataEnd = end - this.#paddingLength(bytes, start, end);
      this.padded(payloadBytes - (dataEnd - dataStart), dataEnd - dataStart);
    }
    const endStream = (flags & Flag.END_STREAM) !== 0;
    if (dataEnd > dataStart) this.guard.usefulFrame();
    else if (!endStream) this.emptyData();
    const stream = this.streams.get(streamId);
    if (stream === undefined) this.#strayData(streamId);
    else if (stream.remoteEnded) this.streamError(stream, ErrorCode.STREAM_CLOSED, "DATA came after the end of the stream");
    else this.#streamData(stream, payloadBytes, bytes, dataStart, dataEnd, endStream);
    this.#creditConnection();
  }

  #streamData(stream: S, payloadBytes: number, bytes: Uint8Array, start: number, end: number, endStream: boolean): void {
    stream.receiveWindow -= payloadBytes;
    if (stream.receiveWindow < 0) return this.streamError(stream, ErrorCode.FLOW_CONTROL_ERROR, "Stream window is overrun");
    if (!this.dataAllowed(stream, end - start, endStream)) return;
    // With END_STREAM on it the stream needs no more window: the state changes first.
    if (end > start) stream.receiveData(bytes, start, end, endStream);
    if (endStream && stream.state !== "closed") this.remoteEnded(stream);
  }

  /** May the stream take this much DATA in its HTTP message? If not, the implementation has ended it. */
  protected abstract dataAllowed(stream: S, dataBytes: number, endStream: boolean): boolean;

  /** DATA whose stream is not open. */
  #strayData(streamId: number): void {
    if (this.isIdle(streamId)) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, `DATA stands on idle stream ${streamId}`);
    if (this.resetIds.has(streamId)) return;
    this.guard.reset(this.nowMs);
    this.resetId(streamId, ErrorCode.STREAM_CLOSED);
  }

  /** Checked: padding that does not fit is a connection error. */
  #paddingLength(bytes: Uint8Array, start: number, end: number): number {
    const length = start < end ? (bytes[start] as number) : 0;
    if (length >= end - start) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, `Padding of ${length} is not below the payload`);
    return length;
  }

  /** DATA without bytes that ends nothing. */
  protected abstract emptyData(): void;

  /** Padding beyond the data is limited on the server. */
  protected abstract padded(paddingBytes: number, dataBytes: number): void;

  #headers(flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    if (streamId === 0) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, "HEADERS stands on stream 0");
    let at = start;
    let until = end;
    if ((flags & Flag.PADDED) !== 0) {
      until = end - this.#paddingLength(bytes, start, end);
      at++;
      this.padded(end - until, until - at);
    }
    if ((flags & Flag.PRIORITY) !== 0) at += 5;
    if (at > until) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, "HEADERS is shorter than its padding and priority");
    const endStream = (flags & Flag.END_STREAM) !== 0;
    if ((flags & Flag.END_HEADERS) !== 0) {
      this.guard.usefulFrame();
      this.headerBlock(streamId, bytes, at, until, endStream);
      return;
    }
    this.#fragments = new HeaderFragments(streamId, endStream, bytes.subarray(at, until));
    this.wheel.set(this.#fragmentsTimer, this.nowMs + headerBlockTimeoutMs);
  }

  #continuation(flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    const fragments = this.#fragments;
    if (fragments === null) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, `CONTINUATION on stream ${streamId} has no header block`);
    fragments.append(bytes.subarray(start, end));
    if ((flags & Flag.END_HEADERS) === 0) return;
    this.#fragments = null;
    this.wheel.clear(this.#fragmentsTimer);
    const block = fragments.join();
    this.headerBlock(streamId, block, 0, block.length, fragments.endStream);
  }

  #priority(streamId: number, length: number): void {
    if (streamId === 0) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, "PRIORITY stands on stream 0");
    this.guard.priority(this.nowMs);
    if (length === 5) return;
    const stream = this.streams.get(streamId);
    if (stream !== undefined) return this.streamError(stream, ErrorCode.FRAME_SIZE_ERROR, `PRIORITY has ${length} bytes`);
    // A stream that is not open cannot be reset alone when it is idle.
    throw frameSizeError("PRIORITY", length);
  }

  #rstStream(streamId: number, bytes: Uint8Array, start: number, end: number): void {
    if (end - start !== 4) throw frameSizeError("RST_STREAM", end - start);
    if (streamId === 0 || this.isIdle(streamId)) {
      throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, `RST_STREAM stands on stream ${streamId}, which is not open`);
    }
    this.counters.resetsReceived++;
    const stream = this.streams.get(streamId);
    if (stream === undefined) return;
    this.guard.reset(this.nowMs);
    this.abort(stream, { kind: "resetByPeer", code: readUint32(bytes, start) });
  }

  #settings(flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    if (streamId !== 0) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, `SETTINGS stands on stream ${streamId}`);
    if ((flags & Flag.ACK) !== 0) return this.settings.acknowledged(end - start);
    this.settings.receive(bytes, start, end, this.nowMs);
    this.settingsApplied();
  }

  #ping(flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    if (streamId !== 0) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, `PING stands on stream ${streamId}`);
    if (end - start !== 8) throw frameSizeError("PING", end - start);
    if ((flags & Flag.ACK) !== 0) return this.pingAcknowledged(bytes.subarray(start, end));
    this.counters.pingsReceived++;
    this.send.output.bytesFrame(FrameType.PING, Flag.ACK, 0, bytes.subarray(start, end));
    this.send.controlFrame();
    this.pingReceived();
  }

  #windowUpdate(streamId: number, bytes: Uint8Array, start: number, end: number): void {
    if (end - start !== 4) throw frameSizeError("WINDOW_UPDATE", end - start);
    const increment = readUint32(bytes, start) & 0x7fffffff;
    if (streamId === 0) {
      if (increment === 0) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE on stream 0 has increment 0");
      return this.send.creditConnection(increment);
    }
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      if (this.isIdle(streamId)) throw new ConnectionError(ErrorCode.PROTOCOL_ERROR, `WINDOW_UPDATE stands on idle stream ${streamId}`);
      return;
    }
    if (increment === 0) return this.streamError(stream, ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE has increment 0");
    if (!this.send.creditStream(stream, increment)) this.streamError(stream, ErrorCode.FLOW_CONTROL_ERROR, "Stream window is above 2^31-1");
  }

  // ---- Liveness

  /** Is it time for a ping if nothing comes? */
  protected abstract keepaliveWanted(): boolean;

  /** Output has to wait for the peer. */
  protected outputWaits(): void {
    if (this.phase === "open") this.#liveness.watchStall();
  }

  #silent(): void {
    // Nothing at all came since the ping: a GOAWAY would not arrive either.
    this.lost(new Error(`Peer did not answer a keepalive ping within ${this.limits.keepaliveTimeoutMs} ms`));
    this.stream.destroy();
  }
}
