import { connect, type Socket } from "node:net";
import { etcdserverpb, fromBinary } from "@raftkv/api";
import { ResponseScanner } from "./response-scanner.ts";

/** HTTP/2 frames (RFC 9113, 4.1 and 6). */
const frameHeaderBytes = 9;
const Frame = { DATA: 0, HEADERS: 1, RST_STREAM: 3, SETTINGS: 4, PING: 6, GOAWAY: 7, WINDOW_UPDATE: 8 } as const;
const endStreamFlag = 1;
const ackFlag = 1;
const endHeadersFlag = 4;
const paddedFlag = 8;
const initialWindowSetting = 4;
const windowBytesMax = 2 ** 31 - 1;
/** What a peer takes before it says more. */
const initialWindowBytes = 65_535;
/** Window is given back in so large pieces. */
const windowUpdateBytes = 2 ** 29;
const pingBytes = 8;
const streamId = 1;
/** One of so many DATA frames is decoded. */
const sampleFrames = 1024;
const messagePrefixBytes = 5;
const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** Where all connections read to: nothing is kept of it. */
const readBuffer = new Uint8Array(256 * 1024);

export interface WatchConnectionHandlers {
  /** Something was counted. */
  onProgress(): void;
  /** The connection is of no use any more. Not called after `close`. */
  onFailure(error: Error): void;
}

/**
 * A connection with one watch stream, whose responses are counted and not kept. It speaks as little of HTTP/2 as that needs, so that it
 * takes a fraction of what the servers take that it measures; one response in a thousand is decoded to see that the count is right.
 */
export class WatchConnection {
  readonly scanner = new ResponseScanner();
  readonly #socket: Socket;
  readonly #handlers: WatchConnectionHandlers;
  /** The header of the frame that has begun, and for a PING what it carries. */
  readonly #head = new Uint8Array(frameHeaderBytes + pingBytes);
  #headLength = 0;
  /** Of the frame's payload. */
  #payloadLeft = 0;
  #dataFrames = 0;
  #unacknowledgedBytes = 0;
  #requestBytes = 0;
  #isClosed = false;

  private constructor(socket: Socket, handlers: WatchConnectionHandlers) {
    this.#socket = socket;
    this.#handlers = handlers;
  }

  /** Connects to a port of this machine and opens the stream. Rejects with node's error. */
  static open(port: number, handlers: WatchConnectionHandlers): Promise<WatchConnection> {
    return new Promise((resolve, reject) => {
      const socket: Socket = connect({
        host: "127.0.0.1",
        port,
        noDelay: true,
        onread: { buffer: readBuffer, callback: (count) => connection.#received(count) },
      });
      const connection = new WatchConnection(socket, handlers);
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        socket.on("error", (error) => connection.#fail(error));
        socket.on("close", () => connection.#fail(new Error("The server closed the connection")));
        connection.#start(port);
        resolve(connection);
      });
    });
  }

  /** Sends a request on the stream. Throws RangeError if the server would have to make room for it first. */
  send(request: Uint8Array): void {
    const payload = Buffer.alloc(messagePrefixBytes + request.length);
    payload.writeUInt32BE(request.length, 1);
    payload.set(request, messagePrefixBytes);
    this.#requestBytes += payload.length;
    if (this.#requestBytes > initialWindowBytes) throw new RangeError("The requests of a watch stream are larger than its first window");
    this.#socket.write(frame(Frame.DATA, 0, streamId, payload));
  }

  close(): void {
    this.#isClosed = true;
    this.#socket.destroy();
  }

  #start(port: number): void {
    const settings = Buffer.alloc(6);
    settings.writeUInt16BE(initialWindowSetting, 0);
    settings.writeUInt32BE(windowBytesMax, 2);
    this.#socket.write(
      Buffer.concat([
        preface,
        frame(Frame.SETTINGS, 0, 0, settings),
        windowUpdate(0, windowBytesMax - initialWindowBytes),
        frame(Frame.HEADERS, endHeadersFlag, streamId, requestBlock(`127.0.0.1:${port}`)),
      ]),
    );
  }

  /** Returns whether more is to be read. */
  #received(count: number): boolean {
    try {
      for (let at = 0; at < count && !this.#isClosed; )
        at = this.#payloadLeft > 0 ? this.#readPayload(at, count) : this.#readHeader(at, count);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
    this.#handlers.onProgress();
    return !this.#isClosed;
  }

  #readHeader(from: number, end: number): number {
    let at = from;
    while (this.#headLength < frameHeaderBytes && at < end) this.#head[this.#headLength++] = readBuffer[at++] as number;
    if (this.#headLength < frameHeaderBytes) return at;
    const head = this.#head;
    this.#payloadLeft = ((head[0] as number) << 16) | ((head[1] as number) << 8) | (head[2] as number);
    if (this.#payloadLeft === 0) this.#endFrame();
    return at;
  }

  #readPayload(from: number, end: number): number {
    const count = Math.min(this.#payloadLeft, end - from);
    const type = this.#head[3];
    if (type === Frame.DATA) this.#data(from, from + count, count === this.#payloadLeft);
    else if (type === Frame.PING) for (let i = 0; i < count; i++) this.#head[this.#headLength++] = readBuffer[from + i] as number;
    this.#payloadLeft -= count;
    if (this.#payloadLeft === 0) this.#endFrame();
    return from + count;
  }

  #data(start: number, end: number, isLastPiece: boolean): void {
    const { scanner } = this;
    if (((this.#head[4] as number) & paddedFlag) !== 0) throw new RangeError("DATA is padded, which no server of gRPC does");
    const { isBetweenResponses, responses, events } = scanner;
    scanner.scan(readBuffer, start, end);
    const isOneResponse = isBetweenResponses && scanner.isBetweenResponses && scanner.responses === responses + 1;
    if (isLastPiece && this.#dataFrames++ % sampleFrames === 0 && isOneResponse) {
      checkCount(readBuffer.subarray(start + messagePrefixBytes, end), scanner.events - events);
    }
    this.#unacknowledgedBytes += end - start;
    if (this.#unacknowledgedBytes < windowUpdateBytes) return;
    this.#socket.write(Buffer.concat([windowUpdate(0, this.#unacknowledgedBytes), windowUpdate(streamId, this.#unacknowledgedBytes)]));
    this.#unacknowledgedBytes = 0;
  }

  #endFrame(): void {
    const type = this.#head[3];
    const flags = this.#head[4] as number;
    if (type === Frame.RST_STREAM || type === Frame.GOAWAY) throw new Error("The server ended the watch stream");
    if ((type === Frame.HEADERS || type === Frame.DATA) && (flags & endStreamFlag) !== 0) throw new Error("The watch stream ended");
    const isOurTurn = (flags & ackFlag) === 0;
    if (type === Frame.SETTINGS && isOurTurn) this.#socket.write(frame(Frame.SETTINGS, ackFlag, 0, Buffer.alloc(0)));
    if (type === Frame.PING && isOurTurn) {
      this.#socket.write(frame(Frame.PING, ackFlag, 0, Buffer.from(this.#head.subarray(frameHeaderBytes))));
    }
    this.#headLength = 0;
  }

  #fail(error: Error): void {
    if (this.#isClosed) return;
    this.close();
    this.#handlers.onFailure(error);
  }
}

/** Throws if protobuf-es sees other events in a response than were counted, or some without a key. */
function checkCount(message: Uint8Array, counted: number): void {
  const { events } = fromBinary(etcdserverpb.WatchResponseSchema, message);
  if (events.length !== counted) throw new Error(`${counted} events were counted in a response that has ${events.length}`);
  if (events.some(({ kv }) => kv === undefined || kv.key.length === 0)) throw new Error("An event has no key");
}

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(frameHeaderBytes);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

function windowUpdate(stream: number, byteCount: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(byteCount);
  return frame(Frame.WINDOW_UPDATE, 0, stream, payload);
}

/** The header of a call, in HPACK without any table of its own (RFC 7541, 6.1, 6.2.2 and appendix A). */
function requestBlock(authority: string): Buffer {
  const methodPost = Buffer.of(0x83);
  const schemeHttp = Buffer.of(0x86);
  const named = (index: readonly number[], value: string): Buffer => Buffer.concat([Buffer.from(index), literal(value)]);
  return Buffer.concat([
    methodPost,
    schemeHttp,
    named([0x04], "/etcdserverpb.Watch/Watch"),
    named([0x01], authority),
    named([0x0f, 0x10], "application/grpc"),
    named([0x00, ...literal("te")], "trailers"),
  ]);
}

/** A string of less than 127 bytes. */
function literal(value: string): Buffer {
  return Buffer.concat([Buffer.of(value.length), Buffer.from(value, "latin1")]);
}
