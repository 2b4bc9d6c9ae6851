import { HeaderBlockCache } from "../hpack/block-cache.ts";
import { Http2Connection } from "../http2/connection.ts";
import type { ConnectionOptions } from "../http2/connection-lifetime.ts";
import { ConnectionError, clientPreface, ErrorCode, Flag, FrameType, protocolError, SettingId } from "../http2/frame.ts";
import type { ClientCallConnection, ClientStream } from "./client-stream.ts";
import { type ResponseHead, readResponseHead } from "./response-head.ts";

/** What the connection tells its channel. */
export interface ConnectionOwner {
  /** The server spoke HTTP/2: the connection is good. */
  connectionReady(connection: ClientConnection): void;
  /** A stream ended or the limit rose: waiting calls may begin. */
  connectionHasRoom(connection: ClientConnection): void;
  /** No new streams here; the ones it has go on. */
  connectionDrains(connection: ClientConnection, tooManyPings: boolean): void;
  connectionClosed(connection: ClientConnection, error: Error | null): void;
}

export interface ClientConnectionOptions extends ConnectionOptions {
  readonly owner: ConnectionOwner;
  readonly keepaliveWithoutCalls: boolean;
}

/** Streams that are opened before the server's SETTINGS say how many it allows. */
const streamsBeforeSettingsMax = 100;
/** Ids run out at 2^31: a new connection is made well before (grpc-go does the same). */
const lastUsedStreamId = 0x60000000;

/** The client's end of a connection. */
export class ClientConnection extends Http2Connection<ClientStream> implements ClientCallConnection {
  readonly #owner: ConnectionOwner;
  readonly #keepaliveWithoutCalls: boolean;
  readonly #heads = new HeaderBlockCache<ResponseHead>();
  #nextStreamId = 1;
  #draining = false;

  constructor(options: ClientConnectionOptions) {
    super(options, "client");
    this.#owner = options.owner;
    this.#keepaliveWithoutCalls = options.keepaliveWithoutCalls;
  }

  start(): void {
    this.send.output.raw(clientPreface);
    this.open([
      [SettingId.ENABLE_PUSH, 0],
      [SettingId.INITIAL_WINDOW_SIZE, this.limits.streamWindowBytes],
      [SettingId.MAX_FRAME_SIZE, this.limits.frameBytesMax],
      [SettingId.MAX_HEADER_LIST_SIZE, this.limits.headerListBytesMax],
    ]);
  }

  get ready(): boolean {
    return this.settings.received;
  }

  get hasRoom(): boolean {
    const streamsMax = this.settings.received ? this.settings.peerConcurrentStreamsMax : streamsBeforeSettingsMax;
    return (
      this.phase === "open" &&
      !this.#draining &&
      this.streams.size < streamsMax &&
      this.send.queuedBytes <= this.limits.connectionQueueBytesMax
    );
  }

  /** Opens a stream for the call; `hasRoom` was true. */
  begin(call: ClientStream, block: Uint8Array): void {
    const streamId = this.#nextStreamId;
    this.#nextStreamId += 2;
    call.id = streamId;
    this.add(call, false);
    call.start(this, streamId, block);
    if (streamId >= lastUsedStreamId) this.#drain(false);
  }

  /** GOAWAY, and the end: calls that run are lost. */
  shutDown(): void {
    if (this.phase !== "open") return;
    this.goaway(0, ErrorCode.NO_ERROR, "");
    this.finish(null);
  }

  protected override isIdle(streamId: number): boolean {
    return streamId >= this.#nextStreamId || streamId % 2 === 0;
  }

  /** Only a stream that the server ended is none of ours to forget. */
  protected override isIgnored(streamId: number): boolean {
    return this.resetIds.has(streamId) || !this.closedIds.has(streamId);
  }

  protected override lastPeerStreamId(): number {
    return 0;
  }

  protected override padded(): void {
    // A server may pad as it likes: flow control counts it.
  }

  /** Servers on node:http2 send one before each trailers. */
  protected override emptyData(): void {
    this.guard.idleFrame(this.nowMs);
  }

  protected override settingsApplied(): void {
    this.#owner.connectionReady(this);
    this.#owner.connectionHasRoom(this);
  }

  /** There are no others here whose turn it could be. */
  protected override spend(): boolean {
    return true;
  }

  protected override pingReceived(): void {
    // Any number of pings is answered; what waits to be read is limited.
  }

  override pingAckFrame(): void {
    // Every byte that comes shows that the server lives.
  }

  protected override keepaliveWanted(): boolean {
    return this.streams.size > 0 || this.#keepaliveWithoutCalls;
  }

  protected override keepaliveFailed(): void {
    // The calls that are lost are told.
  }

  override goawayFrame(lastStreamId: number, code: number, debug: Uint8Array): void {
    const reason = String.fromCharCode(...debug.subarray(0, 128));
    // First of all: a call that ends below may begin another, which needs a new connection.
    this.#drain(code === ErrorCode.ENHANCE_YOUR_CALM && reason === "too_many_pings");
    for (const stream of [...this.streams.values()]) {
      if (stream.id <= lastStreamId) continue;
      // The server has promised silence; if it speaks, the calls that go on do not pay for it.
      this.resetIds.add(stream.id);
      this.discard(stream);
      stream.stopInput();
      stream.notProcessed(`Server goes away before it saw the call: ${reason}`);
    }
  }

  protected override streamClosed(): void {
    if (this.#draining) {
      if (this.streams.size === 0) this.finish(null);
    } else {
      this.#owner.connectionHasRoom(this);
    }
  }

  protected override closed(error: Error | null): void {
    this.#owner.connectionClosed(this, error);
  }

  protected override dataAllowed(stream: ClientStream): boolean {
    if (stream.acceptsData) return true;
    this.streamError(stream, ErrorCode.PROTOCOL_ERROR, "DATA came before the response's headers");
    return false;
  }

  protected override headerBlock(streamId: number, bytes: Uint8Array, start: number, end: number, endStream: boolean): void {
    const head = this.#readHead(bytes, start, end);
    if (this.isIdle(streamId)) throw protocolError(`HEADERS stands on idle stream ${streamId}`);
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      if (this.isIgnored(streamId)) return;
      throw new ConnectionError(ErrorCode.STREAM_CLOSED, `HEADERS stands on closed stream ${streamId}`);
    }
    stream.headersReceived(head, endStream);
    if (endStream && stream.state !== "closed" && this.contentFits(stream, 0, true)) this.remoteEnded(stream);
  }

  #readHead(bytes: Uint8Array, start: number, end: number): ResponseHead {
    const version = this.decoder.tableVersion;
    const known = this.#heads.get(bytes, start, end, version);
    if (known !== null) {
      this.counters.headerBlockHits++;
      return known;
    }
    this.counters.headerBlockMisses++;
    this.decoder.decode(bytes, start, end, this.list);
    const head = readResponseHead(this.list);
    if (this.decoder.tableVersion === version) this.#heads.put(bytes, start, end, version, this.list, head);
    return head;
  }

  /** The server ended the call before our requests were all sent: nobody wants the rest. */
  protected override remoteEnded(stream: ClientStream): void {
    super.remoteEnded(stream);
    if (stream.state !== "halfClosedRemote") return;
    if (stream.sendQueueBytes > 0) this.resetId(stream.id, ErrorCode.CANCEL);
    else this.send.output.beginFrame(0, FrameType.DATA, Flag.END_STREAM, stream.id);
    this.send.schedule();
    this.discard(stream);
  }

  #drain(tooManyPings: boolean): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#owner.connectionDrains(this, tooManyPings);
    if (this.streams.size === 0) this.finish(null);
  }
}
