import type { ByteStreamHandlers } from "../byte-stream.ts";
import { HpackDecoder } from "../hpack/decoder.ts";
import { HeaderBlockBuilder } from "../hpack/encoder.ts";
import { HeaderList } from "../hpack/header-list.ts";
import { clientPreface, errorName, Flag, FrameType, frameHeaderBytes, readUint32 } from "../http2/frame.ts";
import { FrameReader, type FrameSink } from "../http2/frame-reader.ts";
import type { MemoryStream } from "./memory-stream.ts";

const typeNames: readonly string[] = Object.keys(FrameType);

export interface SeenFrame {
  readonly type: string;
  readonly streamId: number;
  readonly flags: number;
  readonly payload: Uint8Array;
  /** Of HEADERS. */
  readonly headers: Readonly<Record<string, string>>;
}

export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

export function hex(text: string): Uint8Array {
  return Uint8Array.from(text.replaceAll(/\s/g, "").match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** The header of a frame and its payload. */
export function frameBytes(type: number, flags: number, streamId: number, payload: Uint8Array | readonly number[]): Uint8Array {
  const bytes = new Uint8Array(frameHeaderBytes + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, (payload.length << 8) | type);
  view.setUint8(4, flags);
  view.setUint32(5, streamId);
  bytes.set(payload, frameHeaderBytes);
  return bytes;
}

export function uint32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

export function headerBlock(fields: readonly (readonly [string, string])[]): Uint8Array {
  const builder = new HeaderBlockBuilder();
  for (const [name, value] of fields) builder.field(name, value);
  return builder.build();
}

export function grpcRequestFields(path: string, more: readonly (readonly [string, string])[] = []): (readonly [string, string])[] {
  return [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "test"],
    ["te", "trailers"],
    ["content-type", "application/grpc"],
    ...more,
  ];
}

/** A gRPC message with its prefix. */
export function grpcMessage(body: Uint8Array): Uint8Array {
  return Uint8Array.of(0, ...uint32(body.length), ...body);
}

/** The other end of a connection, which sends any frames, right or wrong, and shows what came back. */
export class RawPeer implements ByteStreamHandlers, FrameSink {
  readonly frames: SeenFrame[] = [];
  closed = false;
  error: Error | null = null;
  readonly stream: MemoryStream;
  readonly #reader = new FrameReader(this, 16_777_215);
  readonly #decoder = new HpackDecoder({ headerListBytesMax: 1e6, headerFieldsMax: 1000, headerListBytesHardMax: 1e6 });
  readonly #list = new HeaderList();
  #prefaceLeft: number;

  constructor(stream: MemoryStream, role: "client" | "server") {
    this.stream = stream;
    this.#prefaceLeft = role === "server" ? clientPreface.length : 0;
    stream.setHandlers(this);
  }

  onData(bytes: Uint8Array): void {
    const skipped = Math.min(this.#prefaceLeft, bytes.length);
    this.#prefaceLeft -= skipped;
    if (bytes.length > skipped) this.#reader.read(bytes, skipped);
  }

  onDrain(): void {
    // Tests send little.
  }

  onClose(error: Error | null): void {
    this.closed = true;
    this.error = error;
  }

  frame(type: number, flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): boolean {
    const headers: Record<string, string> = {};
    if (type === FrameType.HEADERS) {
      this.#decoder.decode(bytes, start, end, this.#list);
      for (let place = 0; place < this.#list.count; place++) headers[this.#list.name(place)] = this.#list.value(place);
    }
    this.frames.push({ type: typeNames[type] ?? String(type), streamId, flags, payload: bytes.slice(start, end), headers });
    return true;
  }

  send(...pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) this.stream.write(piece);
  }

  /** Preface and SETTINGS of a client, and the ACK of the server's. */
  startClient(settings: readonly (readonly [number, number])[] = []): void {
    this.send(clientPreface, this.settings(settings), this.settingsAck());
  }

  settings(entries: readonly (readonly [number, number])[]): Uint8Array {
    const payload = entries.flatMap(([id, value]) => [id >>> 8, id & 255, ...uint32(value)]);
    return frameBytes(FrameType.SETTINGS, 0, 0, payload);
  }

  settingsAck(): Uint8Array {
    return frameBytes(FrameType.SETTINGS, Flag.ACK, 0, []);
  }

  headers(streamId: number, fields: readonly (readonly [string, string])[], flags = Flag.END_HEADERS as number): Uint8Array {
    return frameBytes(FrameType.HEADERS, flags, streamId, headerBlock(fields));
  }

  data(streamId: number, payload: Uint8Array, flags = 0): Uint8Array {
    return frameBytes(FrameType.DATA, flags, streamId, payload);
  }

  /** A whole unary request. */
  unary(streamId: number, path: string, body: Uint8Array, more: readonly (readonly [string, string])[] = []): Uint8Array[] {
    return [
      this.headers(streamId, grpcRequestFields(path, more)),
      frameBytes(FrameType.DATA, Flag.END_STREAM, streamId, grpcMessage(body)),
    ];
  }

  ofStream(streamId: number): SeenFrame[] {
    return this.frames.filter((frame) => frame.streamId === streamId);
  }

  /** What came, in short, without the connection's SETTINGS and windows: `HEADERS 1 grpc-status=0 END`. */
  summary(): string[] {
    return this.frames
      .filter((frame) => frame.type !== "SETTINGS" && !(frame.type === "WINDOW_UPDATE" && frame.streamId === 0))
      .map(describe);
  }

  /** The error code of a GOAWAY that came, or null. */
  get goaway(): string | null {
    const frame = this.frames.findLast((seen) => seen.type === "GOAWAY");
    return frame === undefined ? null : errorName(readUint32(frame.payload, 4));
  }

  /** The error code of an RST_STREAM that came for the stream, or null. */
  reset(streamId: number): string | null {
    const frame = this.frames.find((seen) => seen.type === "RST_STREAM" && seen.streamId === streamId);
    return frame === undefined ? null : errorName(readUint32(frame.payload, 0));
  }

  /** `grpc-status` that came for the stream, or null. */
  status(streamId: number): string | null {
    return this.ofStream(streamId).find((seen) => seen.headers["grpc-status"] !== undefined)?.headers["grpc-status"] ?? null;
  }

  statusMessage(streamId: number): string | null {
    return this.ofStream(streamId).find((seen) => seen.headers["grpc-message"] !== undefined)?.headers["grpc-message"] ?? null;
  }

  dataBytes(streamId: number): number {
    return this.ofStream(streamId).reduce((sum, frame) => sum + (frame.type === "DATA" ? frame.payload.length : 0), 0);
  }
}

function describe(frame: SeenFrame): string {
  const end = (frame.type === "HEADERS" || frame.type === "DATA") && (frame.flags & Flag.END_STREAM) !== 0 ? " END" : "";
  const place = `${frame.type} ${frame.streamId}`;
  switch (frame.type) {
    case "HEADERS":
      return `${place} ${Object.entries(frame.headers)
        .map(([name, value]) => `${name}=${value}`)
        .join(" ")}${end}`;
    case "DATA":
      return `${place} ${frame.payload.length} bytes${end}`;
    case "RST_STREAM":
      return `${place} ${errorName(readUint32(frame.payload, 0))}`;
    case "GOAWAY":
      return `${place} ${errorName(readUint32(frame.payload, 4))}`;
    case "WINDOW_UPDATE":
      return `${place} ${readUint32(frame.payload, 0)}`;
    default:
      return `${place}${(frame.flags & Flag.ACK) !== 0 ? " ACK" : ""}`;
  }
}
