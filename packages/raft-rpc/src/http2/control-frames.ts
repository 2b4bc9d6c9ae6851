import { Flag, FrameType, frameSizeError, protocolError, readUint32 } from "./frame.ts";

/** What control frames mean to a connection, once their form was found right. */
export interface ControlFrameSink {
  /** A wrong length is an error of the stream alone, if the stream is open. */
  priorityFrame(streamId: number, payloadBytes: number): void;
  rstStreamFrame(streamId: number, code: number): void;
  settingsFrame(bytes: Uint8Array, start: number, end: number): void;
  settingsAckFrame(): void;
  pingFrame(payload: Uint8Array): void;
  pingAckFrame(payload: Uint8Array): void;
  goawayFrame(lastStreamId: number, code: number, debug: Uint8Array): void;
  /** `streamId` 0: the connection. */
  windowUpdateFrame(streamId: number, increment: number): void;
  unknownFrame(): void;
}

/**
 * Reads a frame that is neither DATA nor part of a header block: checks where it stands and how long it is (RFC 9113 6.3 to 6.9), whatever
 * the states of the streams. Throws ConnectionError.
 */
export function readControlFrame(
  sink: ControlFrameSink,
  type: number,
  flags: number,
  streamId: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  const length = end - start;
  switch (type) {
    case FrameType.PRIORITY:
      if (streamId === 0) throw protocolError("PRIORITY stands on stream 0");
      if (length === priorityBytes) checkDependency(streamId, bytes, start);
      return sink.priorityFrame(streamId, length);
    case FrameType.RST_STREAM:
      if (length !== 4) throw frameSizeError("RST_STREAM", length);
      if (streamId === 0) throw protocolError("RST_STREAM stands on stream 0");
      return sink.rstStreamFrame(streamId, readUint32(bytes, start));
    case FrameType.SETTINGS:
      if (streamId !== 0) throw protocolError(`SETTINGS stands on stream ${streamId}`);
      if ((flags & Flag.ACK) === 0) return sink.settingsFrame(bytes, start, end);
      if (length !== 0) throw frameSizeError("SETTINGS with ACK", length);
      return sink.settingsAckFrame();
    case FrameType.PUSH_PROMISE:
      throw protocolError("PUSH_PROMISE is not allowed");
    case FrameType.PING:
      if (streamId !== 0) throw protocolError(`PING stands on stream ${streamId}`);
      if (length !== 8) throw frameSizeError("PING", length);
      if ((flags & Flag.ACK) !== 0) return sink.pingAckFrame(bytes.subarray(start, end));
      return sink.pingFrame(bytes.subarray(start, end));
    case FrameType.GOAWAY:
      if (streamId !== 0) throw protocolError(`GOAWAY stands on stream ${streamId}`);
      if (length < 8) throw frameSizeError("GOAWAY", length);
      return sink.goawayFrame(readUint32(bytes, start) & 0x7fffffff, readUint32(bytes, start + 4), bytes.subarray(start + 8, end));
    case FrameType.WINDOW_UPDATE:
      if (length !== 4) throw frameSizeError("WINDOW_UPDATE", length);
      return sink.windowUpdateFrame(streamId, readUint32(bytes, start) & 0x7fffffff);
    default:
      return sink.unknownFrame();
  }
}

/** Dependency and weight, in PRIORITY and in HEADERS: read over (RFC 9113 5.3.2). */
export const priorityBytes = 5;

/** A stream can't depend on itself (RFC 7540 5.3.1): nobody but a peer that is broken says so, and no stream need be open to be reset. */
export function checkDependency(streamId: number, bytes: Uint8Array, at: number): void {
  if ((readUint32(bytes, at) & 0x7fffffff) === streamId) throw protocolError(`Stream ${streamId} depends on itself`);
}

/** The pad length of a PADDED frame, which stands first in its payload; checked against what is left of it (RFC 9113 6.1, 6.2). */
export function paddingLength(what: string, bytes: Uint8Array, start: number, end: number): number {
  // Too short for its mandatory fields (RFC 9113 4.2), not for the padding.
  if (start === end) throw frameSizeError(`Padded ${what}`, 0);
  const length = bytes[start] as number;
  if (length >= end - start) throw protocolError(`Padding of ${length} bytes is not below the ${end - start} of ${what}`);
  return length;
}
