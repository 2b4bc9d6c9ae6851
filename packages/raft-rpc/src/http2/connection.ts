import type { InputOwner } from "../grpc/message-input.ts";
import { PartialBudget } from "../grpc/partial-budget.ts";
import { HpackDecoder } from "../hpack/decoder.ts";
import { HeaderList } from "../hpack/header-list.ts";
import { streamsPerUnit } from "../limits.ts";
import { ConnectionLifetime, type ConnectionOptions } from "./connection-lifetime.ts";
import { ConnectionWindow } from "./connection-window.ts";
import { type ControlFrameSink, checkDependency, paddingLength, priorityBytes, readControlFrame } from "./control-frames.ts";
import { FloodError } from "./flood-error.ts";
import { FloodGuard } from "./flood-guard.ts";
import { ConnectionError, ErrorCode, Flag, FrameType, frameSizeError, protocolError } from "./frame.ts";
import { FrameReader, type FrameSink } from "./frame-reader.ts";
import { frameUnits } from "./frame-units.ts";
import { HeaderAssembler } from "./header-assembler.ts";
import { IdRing } from "./id-ring.ts";
import { SettingsExchange } from "./settings-exchange.ts";
import type { AbortReason, Http2Stream } from "./stream.ts";
import { StreamTable } from "./stream-table.ts";

/** Streams that a connection remembers after their end: those that it reset, of which frames may still be on their way, and all. */
const resetIdsMax = 1024;
const closedIdsMax = 256;

/**
 * What both ends of an HTTP/2 connection do alike while it lives (RFC 9113): frames in, states of streams, both directions of flow control,
 * SETTINGS, PING and the errors of streams. Works on a ByteStream and a clock only.
 *
 *   ByteStream.onData --> FrameReader --> frame() --> streams, header blocks (server or client) --> calls
 *   calls --> SendSide --(end of turn)--> ByteStream.write
 */
export abstract class Http2Connection<S extends Http2Stream> extends ConnectionLifetime implements FrameSink, ControlFrameSink, InputOwner {
  readonly messageBytesMax: number;
  readonly streamWindowBytes: number;
  readonly partialBudget: PartialBudget;
  readonly streams = new StreamTable<S>();

  protected readonly decoder: HpackDecoder;
  protected readonly list = new HeaderList();
  protected readonly guard: FloodGuard;
  /** Streams that we reset lately, and streams that ended lately in any way. */
  protected readonly resetIds = new IdRing(resetIdsMax);
  protected readonly closedIds = new IdRing(closedIdsMax);
  protected readonly settings: SettingsExchange;

  readonly #reader: FrameReader;
  readonly #assembler: HeaderAssembler;
  readonly #window: ConnectionWindow;
  /** Memory of messages that are not complete. */
  #partialBytes = 0;

  constructor(options: ConnectionOptions, role: "client" | "server") {
    super(options);
    this.messageBytesMax = options.limits.messageBytesMax;
    this.streamWindowBytes = options.limits.streamWindowBytes;
    this.partialBudget = new PartialBudget(options.limits.partialMessageBytesMax);
    this.decoder = new HpackDecoder(options.limits);
    this.guard = new FloodGuard(options.limits, this.nowMs);
    this.#window = new ConnectionWindow(options.limits.connectionWindowBytes);
    this.#reader = new FrameReader(this, options.limits.frameBytesMax);
    this.#assembler = new HeaderAssembler({
      wheel: options.wheel,
      limits: options.limits,
      onTimeout: () => this.failWith(new FloodError("headerBlockTimeouts", "Header block is not complete in time")),
    });
    this.settings = new SettingsExchange({
      send: this.send,
      streams: this.streams,
      guard: this.guard,
      wheel: options.wheel,
      limits: options.limits,
      // A server may not say that it would take pushes.
      enablePushMax: role === "server" ? 1 : 0,
      onTimeout: () => this.failWith(new ConnectionError(ErrorCode.SETTINGS_TIMEOUT, "SETTINGS are not acknowledged in time")),
    });
  }

  /** Is this id of a stream that nobody opened yet? */
  protected abstract isIdle(streamId: number): boolean;
  /** Was what comes for this closed stream on its way when this side ended it? Then it is no fault of the peer (RFC 9113 5.1). */
  protected abstract isIgnored(streamId: number): boolean;
  /** A complete header block: must be decoded in any case, since it changes the table. */
  protected abstract headerBlock(streamId: number, bytes: Uint8Array, start: number, end: number, endStream: boolean): void;
  protected abstract pingReceived(): void;
  /** Counts what was handled, in units of `turnUnitsMax`. False: the rest has to wait. */
  protected abstract spend(units: number): boolean;
  abstract pingAckFrame(payload: Uint8Array): void;
  abstract goawayFrame(lastStreamId: number, code: number, debug: Uint8Array): void;
  protected abstract settingsApplied(): void;
  /** A stream left the map. */
  protected abstract streamClosed(stream: S): void;

  /** Our SETTINGS and the connection window; called once. */
  protected open(settings: readonly (readonly [number, number])[]): void {
    this.settings.start(settings, this.nowMs);
    if (this.#window.openingIncrement > 0) this.grantStream(0, this.#window.openingIncrement);
    this.send.schedule();
    this.startLiveness();
  }

  // ---- ConnectionLifetime

  protected override readFrames(bytes: Uint8Array, from: number): number {
    return this.#reader.read(bytes, from);
  }

  protected override stopTimers(): void {
    this.settings.stop();
    this.#assembler.stop();
  }

  protected override abortAll(error: Error | null): void {
    this.partialBudget.close();
    for (const stream of [...this.streams.values()]) this.abort(stream, { kind: "connectionLost", error });
  }

  protected override endStreamSent(stream: Http2Stream): void {
    const own = this.streams.get(stream.id);
    if (own !== undefined && own === stream) this.localEnded(own);
  }

  // ---- Streams

  /** Registers a stream; its window begins at the advertised size. */
  protected add(stream: S, endStream: boolean): void {
    stream.state = endStream ? "halfClosedRemote" : "open";
    this.streams.add(stream);
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

  /** RST_STREAM that a frame of the peer provoked: one of the answers that it has to read (CVE-2019-9514). */
  protected answerReset(streamId: number, code: ErrorCode): void {
    this.resetId(streamId, code);
    this.send.controlFrame();
  }

  /** A stream error of the peer: reset, tell the call. */
  protected streamError(stream: S, code: ErrorCode, message: string): void {
    this.guard.reset(this.nowMs);
    this.answerReset(stream.id, code);
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
    this.#window.hold(byteCount);
    if (byteCount < 0 && this.phase === "open") this.#creditConnection();
  }

  holdPartial(byteCount: number): void {
    this.#partialBytes += byteCount;
  }

  messagesRead(count: number): void {
    this.spend(count);
  }

  /** Frames and messages that are begun, messages that nobody took, and that the peer does not read. */
  get heldBytes(): number {
    return this.#reader.retainedBytes + this.#partialBytes + this.#window.heldBytes + this.send.queuedBytes;
  }

  grantStream(streamId: number, byteCount: number): void {
    this.send.output.uint32Frame(FrameType.WINDOW_UPDATE, streamId, byteCount);
    this.send.schedule();
  }

  #creditConnection(): void {
    const byteCount = this.#window.takeCredit();
    if (byteCount > 0) this.grantStream(0, byteCount);
  }

  // ---- DATA and header blocks

  frame(type: number, flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): boolean {
    this.counters.framesReceived++;
    if (!this.settings.received && (type !== FrameType.SETTINGS || (flags & Flag.ACK) !== 0)) {
      throw protocolError("First frame is not SETTINGS");
    }
    const openBlock = this.#assembler.streamId;
    if (openBlock !== 0 && (type !== FrameType.CONTINUATION || streamId !== openBlock)) {
      throw protocolError(`Frame type ${type} stands inside a header block`);
    }
    if (this.send.answersUnread) throw new FloodError("unreadAnswers", "Too many answers wait to be read");
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
        readControlFrame(this, type, flags, streamId, bytes, start, end);
    }
    return this.spend(frameUnits(type, end - start)) && this.phase === "open";
  }

  #data(flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    if (streamId === 0) throw protocolError("DATA stands on stream 0");
    const payloadBytes = end - start;
    this.#window.receive(payloadBytes);
    let dataStart = start;
    let dataEnd = end;
    if ((flags & Flag.PADDED) !== 0) {
      dataStart = start + 1;
      dataEnd = end - paddingLength("DATA", bytes, start, end);
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
    if (!this.dataAllowed(stream) || !this.contentFits(stream, end - start, endStream)) return;
    // Padding alone must be given back too. With END_STREAM on it the stream needs no more window: the state changes first.
    if (payloadBytes > 0) stream.receiveData(bytes, start, end, endStream);
    if (endStream && stream.state !== "closed") this.remoteEnded(stream);
  }

  /** May DATA come on the stream now? If not, the implementation has ended it. */
  protected abstract dataAllowed(stream: S): boolean;

  /** DATA has to add up to the content-length, if there was one (RFC 9113 8.1.1). If it does not, the stream was reset. */
  protected contentFits(stream: S, dataBytes: number, endStream: boolean): boolean {
    const expected = stream.contentLength;
    if (expected < 0) return true;
    stream.dataBytes += dataBytes;
    if (stream.dataBytes <= expected && (!endStream || stream.dataBytes === expected)) return true;
    this.streamError(stream, ErrorCode.PROTOCOL_ERROR, `DATA of ${stream.dataBytes} bytes differs from content-length ${expected}`);
    return false;
  }

  /** DATA whose stream is not open. */
  #strayData(streamId: number): void {
    if (this.isIdle(streamId)) throw protocolError(`DATA stands on idle stream ${streamId}`);
    if (this.isIgnored(streamId)) return;
    this.guard.reset(this.nowMs);
    this.answerReset(streamId, ErrorCode.STREAM_CLOSED);
  }

  /** DATA without bytes that ends nothing. */
  protected abstract emptyData(): void;

  /** Padding beyond the data is limited on the server. */
  protected abstract padded(paddingBytes: number, dataBytes: number): void;

  #headers(flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    if (streamId === 0) throw protocolError("HEADERS stands on stream 0");
    let at = start;
    let until = end;
    if ((flags & Flag.PADDED) !== 0) {
      until = end - paddingLength("HEADERS", bytes, start, end);
      at++;
      this.padded(end - until, until - at);
    }
    if ((flags & Flag.PRIORITY) !== 0) {
      at += priorityBytes;
      if (at > end) throw frameSizeError("HEADERS with priority", end - start);
      if (at > until) throw protocolError("Padding of HEADERS reaches into its priority");
      checkDependency(streamId, bytes, at - priorityBytes);
    }
    const endStream = (flags & Flag.END_STREAM) !== 0;
    if ((flags & Flag.END_HEADERS) !== 0) {
      this.guard.usefulFrame();
      this.headerBlock(streamId, bytes, at, until, endStream);
    } else {
      this.#assembler.begin(streamId, endStream, bytes.subarray(at, until), this.nowMs);
    }
  }

  #continuation(flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    const assembler = this.#assembler;
    if (assembler.streamId === 0) throw protocolError(`CONTINUATION on stream ${streamId} has no header block`);
    assembler.append(bytes.subarray(start, end));
    if ((flags & Flag.END_HEADERS) === 0) return;
    const block = assembler.complete();
    this.headerBlock(streamId, block, 0, block.length, assembler.endStream);
  }

  // ---- ControlFrameSink

  priorityFrame(streamId: number, payloadBytes: number): void {
    this.guard.priority(this.nowMs);
    if (payloadBytes === priorityBytes) return;
    const stream = this.streams.get(streamId);
    // A stream that is not open cannot be reset alone when it is idle.
    if (stream === undefined) throw frameSizeError("PRIORITY", payloadBytes);
    this.streamError(stream, ErrorCode.FRAME_SIZE_ERROR, `PRIORITY has ${payloadBytes} bytes`);
  }

  rstStreamFrame(streamId: number, code: number): void {
    if (this.isIdle(streamId)) throw protocolError(`RST_STREAM stands on idle stream ${streamId}`);
    this.counters.resetsReceived++;
    // It has closed the stream, too: what comes behind was not on its way when we did.
    this.resetIds.delete(streamId);
    const stream = this.streams.get(streamId);
    if (stream === undefined) return;
    this.guard.reset(this.nowMs);
    this.abort(stream, { kind: "resetByPeer", code });
  }

  settingsFrame(bytes: Uint8Array, start: number, end: number): void {
    this.settings.receive(bytes, start, end, this.nowMs);
    // A fraction would make the count of units a floating-point number for good.
    this.spend(Math.floor(this.streams.size / streamsPerUnit));
    this.settingsApplied();
  }

  settingsAckFrame(): void {
    this.settings.acknowledged();
  }

  pingFrame(payload: Uint8Array): void {
    this.counters.pingsReceived++;
    this.send.output.bytesFrame(FrameType.PING, Flag.ACK, 0, payload);
    this.send.controlFrame();
    this.pingReceived();
  }

  windowUpdateFrame(streamId: number, increment: number): void {
    if (streamId === 0) {
      if (increment === 0) throw protocolError("WINDOW_UPDATE on stream 0 has increment 0");
      return this.send.creditConnection(increment);
    }
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      if (this.isIdle(streamId)) throw protocolError(`WINDOW_UPDATE stands on idle stream ${streamId}`);
      return;
    }
    if (increment === 0) return this.streamError(stream, ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE has increment 0");
    if (!this.send.creditStream(stream, increment)) this.streamError(stream, ErrorCode.FLOW_CONTROL_ERROR, "Stream window is above 2^31-1");
  }

  unknownFrame(): void {
    this.guard.priority(this.nowMs);
  }
}
