import type { ByteStream, ByteStreamHandlers } from "../byte-stream.ts";
import { type DeadlineWheel, WheelTimer } from "../grpc/deadline-wheel.ts";
import { lingerBytesMax, lingerMs, type RpcLimits, sendHighWaterBytes, stallBytesMin } from "../limits.ts";
import type { RpcClock } from "../rpc-clock.ts";
import type { Http2Counters } from "./counters.ts";
import { FloodError } from "./flood-error.ts";
import { ConnectionError, ErrorCode, FrameType } from "./frame.ts";
import { Liveness } from "./liveness.ts";
import { SendSide } from "./send-side.ts";
import type { Http2Stream } from "./stream.ts";

export interface ConnectionOptions {
  readonly stream: ByteStream;
  readonly clock: RpcClock;
  readonly wheel: DeadlineWheel;
  readonly limits: RpcLimits;
  readonly counters: Http2Counters;
}

const keepalivePayload = Uint8Array.of(0x72, 0x61, 0x66, 0x74, 0x6b, 0x76, 0, 1);

/**
 * How an HTTP/2 connection lives and ends (RFC 9113 5.4.1, 6.8): bytes in, the send side, keepalive, GOAWAY, and closing without losing what
 * was sent last.
 *
 *   open --finish, failWith--> ending (GOAWAY is out, what comes is ignored) --> closed        (the byte stream breaks: closed at once)
 */
export abstract class ConnectionLifetime implements ByteStreamHandlers {
  readonly send: SendSide;
  readonly wheel: DeadlineWheel;
  readonly clock: RpcClock;
  readonly remoteAddress: string;
  /** The clock when the last bytes came. */
  nowMs: number;
  phase: "open" | "ending" | "closed" = "open";

  protected readonly stream: ByteStream;
  protected readonly limits: RpcLimits;
  protected readonly counters: Http2Counters;

  /** What came after the end. */
  #bytesReadOver = 0;
  readonly #liveness: Liveness;
  readonly #lingerTimer = new WheelTimer(() => this.stream.destroy());

  constructor(options: ConnectionOptions) {
    this.stream = options.stream;
    this.clock = options.clock;
    this.wheel = options.wheel;
    this.limits = options.limits;
    this.counters = options.counters;
    this.remoteAddress = options.stream.remoteAddress;
    this.nowMs = options.clock.monotonicMs();
    this.send = new SendSide({
      stream: options.stream,
      clock: options.clock,
      counters: options.counters,
      unreadAnswersMax: options.limits.unreadAnswersMax,
      onLocalEnd: (stream) => this.endStreamSent(stream),
      onWaiting: () => this.outputWaits(),
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
      progressBytes: () => this.send.progressBytes,
      progressBytesMin: () => (this.send.queuedBytes > sendHighWaterBytes ? stallBytesMin : 1),
      waits: () => this.send.queuedBytes > 0 || !this.send.writable,
      onStall: () => this.failWith(new FloodError("stalls", `No data, or too little, was taken for ${this.limits.stallMs} ms`)),
    });
  }

  /** Returns the offset behind what was read. Throws ConnectionError. */
  protected abstract readFrames(bytes: Uint8Array, from: number): number;
  protected abstract stopTimers(): void;
  /** All streams end with the connection. */
  protected abstract abortAll(error: Error | null): void;
  /** Our END_STREAM was written. */
  protected abstract endStreamSent(stream: Http2Stream): void;
  /** Is it time for a ping if nothing comes? */
  protected abstract keepaliveWanted(): boolean;
  /** The peer left a keepalive ping unanswered. */
  protected abstract keepaliveFailed(): void;
  /** The connection is over. All streams were aborted. */
  protected abstract closed(error: Error | null): void;
  /** For GOAWAY: the highest stream of the peer that was or may be processed. */
  protected abstract lastPeerStreamId(): number;

  // ---- ByteStreamHandlers

  onData(bytes: Uint8Array): void {
    this.counters.bytesReceived += bytes.length;
    if (this.phase === "open") this.received(bytes, 0);
    else this.#readOver(bytes.length);
  }

  onDrain(): void {
    if (this.phase !== "open") return;
    this.send.drain();
  }

  onClose(error: Error | null): void {
    this.lost(error);
  }

  /** Bytes came, of which those from `from` on are to be handled. */
  protected received(bytes: Uint8Array, from: number): void {
    this.read(bytes, from);
  }

  /** Handles frames from `from` on; returns where it stopped. When the connection has ended, nothing is left to handle. */
  protected read(bytes: Uint8Array, from: number): number {
    if (this.phase !== "open") return bytes.length;
    this.nowMs = this.clock.monotonicMs();
    try {
      return this.readFrames(bytes, from);
    } catch (error) {
      if (error instanceof ConnectionError) {
        this.failWith(error);
        return bytes.length;
      }
      // A fault of ours, or of a callback: the rest of the chunk is not read, so the connection cannot go on.
      this.failWith(new ConnectionError(ErrorCode.INTERNAL_ERROR, "internal error"));
      throw error;
    }
  }

  // ---- The end

  /** A connection error: GOAWAY, close. All streams are aborted. */
  failWith(error: ConnectionError): void {
    if (this.phase !== "open") return;
    this.counters.connectionErrors[error.code] = (this.counters.connectionErrors[error.code] ?? 0) + 1;
    this.goaway(this.lastPeerStreamId(), error.code, error.message);
    this.finish(error);
  }

  /** Sends what waits, then closes; destroys if the peer does not close within a second. */
  finish(error: Error | null): void {
    if (this.phase !== "open") return;
    this.phase = "ending";
    this.send.close();
    this.stream.end();
    this.stream.resume();
    this.abortAll(error);
    if (!this.#isClosed()) this.wheel.set(this.#lingerTimer, this.clock.monotonicMs() + lingerMs);
  }

  /** A peer that finds our GOAWAY sends no more; one that goes on and on need not find it. */
  #readOver(byteCount: number): void {
    this.#bytesReadOver += byteCount;
    if (this.#bytesReadOver > lingerBytesMax) this.stream.destroy();
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
    this.stopTimers();
    this.wheel.clear(this.#lingerTimer);
    if (wasOpen) this.abortAll(error);
    this.closed(error);
  }

  /** A byte stream may call back from within `end`. */
  #isClosed(): boolean {
    return this.phase === "closed";
  }

  // ---- Liveness

  protected startLiveness(): void {
    this.#liveness.start();
  }

  /** Output has to wait for the peer. */
  protected outputWaits(): void {
    if (this.phase === "open") this.#liveness.watchStall();
  }

  #silent(): void {
    this.keepaliveFailed();
    // Nothing at all came since the ping: a GOAWAY would not arrive either.
    this.lost(new Error(`Peer did not answer a keepalive ping within ${this.limits.keepaliveTimeoutMs} ms`));
    this.stream.destroy();
  }
}
