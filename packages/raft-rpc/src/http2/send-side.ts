import { assert } from "../assert.ts";
import type { ByteStream } from "../byte-stream.ts";
import type { CompressedFlag } from "../grpc/compressed-output.ts";
import { messagePrefixBytes } from "../grpc/message-input.ts";
import { emptyTableUpdate } from "../hpack/encoder.ts";
import { flushBytes, sendHighWaterBytes, stallBytesMin } from "../limits.ts";
import type { RpcClock } from "../rpc-clock.ts";
import type { Http2Counters } from "./counters.ts";
import { Fifo } from "./fifo.ts";
import { ConnectionError, ErrorCode, Flag, FrameType, initialWindowBytes, windowBytesMax } from "./frame.ts";
import { FrameOutput } from "./frame-output.ts";
import type { Http2Stream } from "./stream.ts";

/** Larger frames than this gain nothing and keep other streams waiting, whatever the peer allows. */
const sentFrameBytesMax = 64 * 1024;

export interface SendSideOptions {
  readonly stream: ByteStream;
  readonly clock: RpcClock;
  readonly counters: Http2Counters;
  /** Answers that may wait for a peer that does not read. */
  readonly unreadAnswersMax: number;
  /** END_STREAM of this stream has been written. */
  readonly onLocalEnd: (stream: Http2Stream) => void;
  /** Something has to wait for the peer: its windows, or its reading. */
  readonly onWaiting: () => void;
}

/**
 * Everything that leaves a connection: frames of one turn in one write, DATA within the peer's windows, and fairness between streams.
 *
 *   send() --> [stream queue] --> ready ring --> output --(end of turn)--> ByteStream
 *                   |                ^
 *                   +-- window 0 ----+  WINDOW_UPDATE
 *
 * While the byte stream asks to stop, no DATA is produced; control frames are, up to a limit.
 */
export class SendSide {
  readonly output = new FrameOutput(() => this.#options.stream.holdsWritten === false);
  /** The byte stream takes more. */
  writable = true;
  window = initialWindowBytes;
  peerInitialWindow = initialWindowBytes;
  peerFrameBytesMax = 16_384;
  /** Bytes in the queues of all streams. */
  queuedBytes = 0;
  /** Grows with every byte of DATA that leaves, and by `stallBytesMin` when nothing waits any more: whoever watches for a stall compares. */
  progressBytes = 0;
  /** HEADERS and DATA frames: peers may ping as often as they get some (gRPC A8). */
  streamFramesSent = 0;
  readonly #options: SendSideOptions;
  readonly #ready = new Fifo<Http2Stream>();
  readonly #waitingForDrain = new Set<Http2Stream>();
  readonly #drained = new Fifo<Http2Stream>();
  #controlFrames = 0;
  #flushScheduled = false;
  #firstBlockSent = false;
  #pumping = false;
  #telling = false;
  #closed = false;

  constructor(options: SendSideOptions) {
    this.#options = options;
  }

  /** Sends what was produced when the turn ends; at once if it is much. */
  schedule(): void {
    if (this.output.pendingBytes >= flushBytes) this.flush();
    if (this.#flushScheduled || this.#closed) return;
    this.#flushScheduled = true;
    this.#options.clock.atEndOfTurn(this.#flushTurn);
  }

  readonly #flushTurn = (): void => {
    this.#flushScheduled = false;
    this.flush();
  };

  flush(): void {
    const byteCount = this.output.pendingBytes;
    if (byteCount === 0 || this.#closed) return;
    if (!this.writable) return this.#options.onWaiting();
    this.#options.counters.bytesSent += byteCount;
    this.#controlFrames = 0;
    this.writable = this.#options.stream.write(this.output.take());
  }

  /** Sends the last bytes, whatever the byte stream says, and nothing afterwards. */
  close(): void {
    if (this.#closed) return;
    this.writable = true;
    this.flush();
    this.#closed = true;
    this.#waitingForDrain.clear();
    this.#ready.clear();
  }

  /** Sends a frame that answers the peer, and counts it. */
  controlFrame(): void {
    this.#controlFrames++;
    this.schedule();
  }

  /** The peer does not read its answers: it gets no more of them (CVE-2019-9512). */
  get answersUnread(): boolean {
    return this.#controlFrames > this.#options.unreadAnswersMax && !this.writable;
  }

  resetFrame(streamId: number, code: ErrorCode): void {
    this.output.uint32Frame(FrameType.RST_STREAM, streamId, code);
    this.schedule();
  }

  /** HEADERS, and CONTINUATION frames if the block is longer than a frame. */
  headers(streamId: number, block: Uint8Array, flags: number): void {
    this.streamFramesSent++;
    const output = this.output;
    const update = this.#firstBlockSent ? 0 : 1;
    const firstBytes = Math.min(block.length, this.peerFrameBytesMax - update);
    output.beginFrame(firstBytes + update, FrameType.HEADERS, firstBytes === block.length ? flags | Flag.END_HEADERS : flags, streamId);
    if (update === 1) {
      // Told once: then whatever table size the peer announces, nothing is owed (RFC 7541 4.2).
      this.#firstBlockSent = true;
      output.appendByte(emptyTableUpdate);
    }
    output.append(block, 0, firstBytes);
    for (let at = firstBytes; at < block.length; ) {
      const count = Math.min(block.length - at, this.peerFrameBytesMax);
      output.beginFrame(count, FrameType.CONTINUATION, at + count === block.length ? Flag.END_HEADERS : 0, streamId);
      output.append(block, at, at + count);
      at += count;
    }
    this.schedule();
  }

  /** Can a message of this length leave right now, in one frame? */
  fits(stream: Http2Stream, messageBytes: number): boolean {
    const byteCount = messageBytes + messagePrefixBytes;
    return (
      this.writable &&
      stream.sendQueueBytes === 0 &&
      byteCount <= this.window &&
      byteCount <= stream.sendCredit + this.peerInitialWindow &&
      byteCount <= this.peerFrameBytesMax
    );
  }

  /** A message that `fits`, as one DATA frame. */
  messageFrame(stream: Http2Stream, message: Uint8Array, flags: number, compressed: CompressedFlag = 0): void {
    const byteCount = message.length + messagePrefixBytes;
    const output = this.output;
    output.beginFrame(byteCount, FrameType.DATA, flags, stream.id);
    output.appendByte(compressed);
    output.appendUint32(message.length);
    output.append(message, 0, message.length);
    this.window -= byteCount;
    stream.sendCredit -= byteCount;
    this.progressBytes += byteCount;
    this.streamFramesSent++;
  }

  /** Sends a message of the stream, or as much as the windows allow; the rest waits. False asks to stop until `sendDrained`. */
  message(stream: Http2Stream, message: Uint8Array, compressed: CompressedFlag = 0): boolean {
    if (this.fits(stream, message.length)) {
      this.messageFrame(stream, message, 0, compressed);
      this.schedule();
    } else {
      stream.enqueue(messagePrefix(message.length, compressed), message);
      this.queuedBytes += message.length + messagePrefixBytes;
      this.wake(stream);
      if (stream.sendQueueBytes > 0) this.#options.onWaiting();
    }
    if (this.writable && stream.sendQueueBytes <= sendHighWaterBytes) return true;
    stream.waitsForDrain = true;
    this.#waitingForDrain.add(stream);
    return false;
  }

  /** Takes over a stream whose queue was filled without asking. */
  adopt(stream: Http2Stream): void {
    this.queuedBytes += stream.sendQueueBytes;
    if (stream.waitsForDrain) this.#waitingForDrain.add(stream);
    this.wake(stream);
    if (stream.sendQueueBytes > 0) this.#options.onWaiting();
  }

  /** Ends our side behind what waits: with trailers, or with END_STREAM on the last DATA. */
  end(stream: Http2Stream, trailers: Uint8Array | null): void {
    assert(stream.ending === "none", "A stream is ended once");
    stream.ending = trailers === null ? "data" : "trailers";
    stream.finalBlock = trailers;
    if (stream.sendQueueBytes === 0) this.#finish(stream);
  }

  /** The stream is closed: what waits is dropped. */
  forget(stream: Http2Stream): void {
    if (stream.sendQueueBytes > 0) this.#unqueue(stream.sendQueueBytes);
    stream.sendQueueBytes = 0;
    stream.sendQueue = null;
    if (stream.waitsForDrain) this.#waitingForDrain.delete(stream);
  }

  /** WINDOW_UPDATE. False if the stream's window overflows: a stream FLOW_CONTROL_ERROR. */
  creditStream(stream: Http2Stream, byteCount: number): boolean {
    stream.sendCredit += byteCount;
    if (stream.sendCredit + this.peerInitialWindow > windowBytesMax) return false;
    this.wake(stream);
    return true;
  }

  creditConnection(byteCount: number): void {
    this.window += byteCount;
    if (this.window > windowBytesMax) throw new ConnectionError(ErrorCode.FLOW_CONTROL_ERROR, "Connection window is above 2^31-1");
    this.pump();
  }

  /** The byte stream drained. */
  drain(): void {
    this.writable = true;
    this.progressBytes += stallBytesMin;
    this.flush();
    this.pump();
    if (!this.writable) return;
    for (const stream of this.#waitingForDrain) if (stream.sendQueueBytes * 2 <= sendHighWaterBytes) this.#drained.push(stream);
    this.#tellDrained();
  }

  /** Puts the stream in the ready ring if it has something to send and window for it. */
  wake(stream: Http2Stream): void {
    if (stream.inReadyRing || stream.sendQueueBytes === 0 || stream.sendCredit + this.peerInitialWindow <= 0) return;
    stream.inReadyRing = true;
    this.#ready.push(stream);
    this.pump();
  }

  /** One frame of each ready stream in turn, until a window or the byte stream says stop. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.writable && this.window > 0) {
      const stream = this.#ready.shift();
      if (stream === undefined) break;
      stream.inReadyRing = false;
      if (stream.sendQueueBytes === 0) continue;
      this.#dataFrame(stream);
      if (this.output.pendingBytes >= flushBytes) this.flush();
      if (stream.sendQueueBytes > 0 && stream.sendCredit + this.peerInitialWindow > 0) {
        stream.inReadyRing = true;
        this.#ready.push(stream);
      }
    }
    this.#pumping = false;
    if (this.output.pendingBytes > 0) this.schedule();
    this.#tellDrained();
  }

  #dataFrame(stream: Http2Stream): void {
    const byteCount = Math.min(
      stream.sendQueueBytes,
      this.window,
      stream.sendCredit + this.peerInitialWindow,
      this.peerFrameBytesMax,
      sentFrameBytesMax,
    );
    if (byteCount <= 0) return;
    const isLast = byteCount === stream.sendQueueBytes && stream.ending === "data";
    this.output.beginFrame(byteCount, FrameType.DATA, isLast ? Flag.END_STREAM : 0, stream.id);
    this.#copyQueue(stream, byteCount);
    this.window -= byteCount;
    stream.sendCredit -= byteCount;
    this.progressBytes += byteCount;
    this.streamFramesSent++;
    if (isLast) this.#options.onLocalEnd(stream);
    else if (stream.sendQueueBytes === 0 && stream.ending === "trailers") this.#finish(stream);
    else if (stream.waitsForDrain && this.writable && stream.sendQueueBytes * 2 <= sendHighWaterBytes) this.#drained.push(stream);
  }

  #copyQueue(stream: Http2Stream, byteCount: number): void {
    const queue = stream.sendQueue;
    assert(queue !== null, "A stream with queued bytes has a queue");
    let left = byteCount;
    while (left > 0) {
      const piece = queue.peek();
      assert(piece !== undefined, "Queued bytes are in the queue");
      const count = Math.min(left, piece.length - stream.sendOffset);
      this.output.append(piece, stream.sendOffset, stream.sendOffset + count);
      stream.sendOffset += count;
      left -= count;
      if (stream.sendOffset === piece.length) {
        queue.shift();
        stream.sendOffset = 0;
      }
    }
    stream.sendQueueBytes -= byteCount;
    this.#unqueue(byteCount);
  }

  #unqueue(byteCount: number): void {
    this.queuedBytes -= byteCount;
    if (this.queuedBytes === 0) this.progressBytes += stallBytesMin;
  }

  /** The queue is empty: END_STREAM. An empty DATA frame needs no window (RFC 9113 6.9.1). */
  #finish(stream: Http2Stream): void {
    if (stream.finalBlock !== null) this.headers(stream.id, stream.finalBlock, Flag.END_STREAM);
    else this.output.beginFrame(0, FrameType.DATA, Flag.END_STREAM, stream.id);
    this.schedule();
    this.#options.onLocalEnd(stream);
  }

  /** Users are told after the pump, because they send from within; the outermost call tells all of them. */
  #tellDrained(): void {
    if (this.#telling) return;
    this.#telling = true;
    for (let stream = this.#drained.shift(); stream !== undefined; stream = this.#drained.shift()) {
      if (!stream.waitsForDrain) continue;
      stream.waitsForDrain = false;
      this.#waitingForDrain.delete(stream);
      stream.sendDrained();
    }
    this.#telling = false;
  }
}

/** The five octets before a message. */
export function messagePrefix(messageBytes: number, compressed: CompressedFlag = 0): Uint8Array {
  return Uint8Array.of(compressed, messageBytes >>> 24, messageBytes >>> 16, messageBytes >>> 8, messageBytes);
}
