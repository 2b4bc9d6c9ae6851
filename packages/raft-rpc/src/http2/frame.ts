/**
 * Names of RFC 9113.
 *
 *   0      3      4       5                      9
 *   +------+------+-------+----------------------+----------- - -
 *   | len  | type | flags | R(1) stream id (31)  | payload (len)
 *   +------+------+-------+----------------------+----------- - -
 */
export const frameHeaderBytes = 9;

/** RFC 9113 section 6. */
export const FrameType = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

export const Flag = {
  END_STREAM: 1,
  ACK: 1,
  END_HEADERS: 4,
  PADDED: 8,
  PRIORITY: 0x20,
} as const;

/** RFC 9113 section 7. */
export const ErrorCode = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  SETTINGS_TIMEOUT: 4,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  CONNECT_ERROR: 10,
  ENHANCE_YOUR_CALM: 11,
  INADEQUATE_SECURITY: 12,
  HTTP_1_1_REQUIRED: 13,
} as const;

export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

const errorNames: readonly string[] = Object.keys(ErrorCode);

/** `REFUSED_STREAM` for 7; unknown codes, which a peer may send, keep their number. */
export function errorName(code: number): string {
  return errorNames[code] ?? `error ${code}`;
}

/** RFC 9113 section 6.5.2. */
export const SettingId = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
} as const;

export const initialWindowBytes = 65_535;
export const windowBytesMax = 0x7fffffff;
export const streamIdMax = 0x7fffffff;
export const frameSizeMin = 16_384;
export const frameSizeMax = 16_777_215;

/** What a client sends first (RFC 9113 section 3.4). */
export const clientPreface: Uint8Array = Uint8Array.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (letter) => letter.charCodeAt(0));

/** Breaks the whole connection: GOAWAY with this code, then close. Caught at the edge of the connection, never seen by users. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** PROTOCOL_ERROR: the peer broke a rule that has no code of its own. */
export function protocolError(message: string): ConnectionError {
  return new ConnectionError(ErrorCode.PROTOCOL_ERROR, message);
}

/** FRAME_SIZE_ERROR: `what` cannot have a payload of this length. */
export function frameSizeError(what: string, payloadBytes: number): ConnectionError {
  return new ConnectionError(ErrorCode.FRAME_SIZE_ERROR, `${what} has ${payloadBytes} bytes`);
}

/** Reads 32 bits, big-endian, unsigned. The caller has checked the length. */
export function readUint32(bytes: Uint8Array, offset: number): number {
  return (
    (((bytes[offset] as number) << 24) |
      ((bytes[offset + 1] as number) << 16) |
      ((bytes[offset + 2] as number) << 8) |
      (bytes[offset + 3] as number)) >>>
    0
  );
}
