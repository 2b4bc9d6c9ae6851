/** What can be tuned. Everything has a default; see the constants below for the rest of the limits. */
export interface RpcLimits {
  /** Largest message that is received, in bytes; checked on the declared length. Default 2 MiB: etcd's 1.5 MiB + 512 KiB. */
  readonly messageBytesMax: number;
  /** Streams that the peer may have open, and handlers that may run, per connection. Default 1,000. */
  readonly concurrentStreamsMax: number;
  /**
   * Receive window of a stream. Default: server 64 KiB, for a client may fill it on each of its streams at once; client 1 MiB. A larger
   * message gets the window it needs as soon as `partialMessageBytesMax` allows.
   */
  readonly streamWindowBytes: number;
  /** Receive window of a connection. Default 16 MiB. */
  readonly connectionWindowBytes: number;
  /** Largest frame payload that is received, 16,384 to 1 MiB. Default 16,384; larger between own members. */
  readonly frameBytesMax: number;
  /** Bytes of incomplete messages of one connection that need more than their stream's window; more wait in line. Default 64 MiB. */
  readonly partialMessageBytesMax: number;
  /** Bytes that wait in one stream before a handler that ignores `send` returning false loses it. Default 4 MiB. */
  readonly streamQueueBytesMax: number;
  /** Bytes that wait in one connection before new calls are refused. Default 64 MiB. */
  readonly connectionQueueBytesMax: number;
  /** Data waits and none of it moves for this long, or, of much, less than `stallBytesMin`: the connection is closed. Default 60 s. */
  readonly stallMs: number;
  /** From the headers of a request with one message, as unary calls have, to its end: then the call fails with DEADLINE_EXCEEDED, whatever its deadline. Default 60 s. */
  readonly requestMs: number;
  /** Shortest time between two pings of a client while calls run. Default 5 s (etcd's --grpc-keepalive-min-time). */
  readonly pingIntervalMinMs: number;
  /** A ping goes to a peer that was silent for this long. Default: server 2 h, client never (Infinity). */
  readonly keepaliveMs: number;
  /** A peer that leaves a keepalive ping unanswered for this long is gone. Default 20 s. */
  readonly keepaliveTimeoutMs: number;

  // ---- What costs a peer nothing: whoever does more of it loses the connection (RFC 9113 10.5, ENHANCE_YOUR_CALM).

  /** Until the client's preface is complete. Default 10 s. */
  readonly prefaceTimeoutMs: number;
  /** Our SETTINGS until their ACK, before which the peer's own SETTINGS come. Default 10 s. */
  readonly settingsTimeoutMs: number;
  /** From HEADERS to END_HEADERS. Default 10 s. */
  readonly headerBlockTimeoutMs: number;
  /** Octets of a header block as it comes, and the CONTINUATION frames that it has (CVE-2024-27983). Default 16 KiB and 8. */
  readonly headerBlockBytesMax: number;
  readonly continuationsMax: number;
  /**
   * Decoded size and fields of a header list (CVE-2016-6581): a call with more fails with RESOURCE_EXHAUSTED; beyond the hard limit the
   * connection ends. Default 16 KiB, 100 and 64 KiB.
   */
  readonly headerListBytesMax: number;
  readonly headerFieldsMax: number;
  readonly headerListBytesHardMax: number;
  /** Resets of the peer, and resets that it makes us send (CVE-2023-44487, CVE-2025-8671). Default 1,000, then 33 a second. */
  readonly resetRate: Rate;
  /** Streams that were refused, as above `concurrentStreamsMax`. Default 100, then 10 a second. */
  readonly refusalRate: Rate;
  /** SETTINGS frames (CVE-2019-9515), and entries in one. Default 64, then 2 a second; 32 entries. */
  readonly settingsRate: Rate;
  readonly settingsEntriesMax: number;
  /** DATA without bytes that ends nothing (CVE-2019-9518). A server's limit. Default 100, then 10 a second. */
  readonly emptyDataRate: Rate;
  /** PRIORITY (CVE-2019-9513) and unknown frames. Default 1,000, then 100 a second. */
  readonly priorityRate: Rate;
  /** All frames but DATA and those of header blocks, which earn some back. Default 10,000, then 1,000 a second. */
  readonly idleFrameRate: Rate;
  /** Padding beyond the data itself. A server's limit: gRPC's own tests pad a client's input heavily. Default 64 KiB. */
  readonly paddingBytesMax: number;
  /** Answers to PING and SETTINGS, and resets, that wait for a peer that does not read (CVE-2019-9512). Default 1,000. */
  readonly unreadAnswersMax: number;
}

/** A burst, and then so many a second. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

export const defaultLimits: RpcLimits = {
  messageBytesMax: 2 * 1024 * 1024,
  concurrentStreamsMax: 1000,
  streamWindowBytes: 64 * 1024,
  connectionWindowBytes: 16 * 1024 * 1024,
  frameBytesMax: 16_384,
  partialMessageBytesMax: 64 * 1024 * 1024,
  streamQueueBytesMax: 4 * 1024 * 1024,
  connectionQueueBytesMax: 64 * 1024 * 1024,
  stallMs: 60_000,
  requestMs: 60_000,
  pingIntervalMinMs: 5_000,
  keepaliveMs: 2 * 60 * 60 * 1000,
  keepaliveTimeoutMs: 20_000,
  prefaceTimeoutMs: 10_000,
  settingsTimeoutMs: 10_000,
  headerBlockTimeoutMs: 10_000,
  headerBlockBytesMax: 16 * 1024,
  continuationsMax: 8,
  headerListBytesMax: 16 * 1024,
  headerFieldsMax: 100,
  headerListBytesHardMax: 64 * 1024,
  resetRate: { burst: 1000, perSecond: 33 },
  refusalRate: { burst: 100, perSecond: 10 },
  settingsRate: { burst: 64, perSecond: 2 },
  settingsEntriesMax: 32,
  emptyDataRate: { burst: 100, perSecond: 10 },
  priorityRate: { burst: 1000, perSecond: 100 },
  idleFrameRate: { burst: 10_000, perSecond: 1000 },
  paddingBytesMax: 64 * 1024,
  unreadAnswersMax: 1000,
};

/** After GOAWAY with an error, until the socket is destroyed even if the peer does not close. */
export const lingerMs = 1_000;
/** After any GOAWAY, so that it is read before the end: so much of what still comes is read over, then the socket is destroyed. */
export const lingerBytesMax = 128 * 1024;
/** Graceful GOAWAY until the ACK of its PING. */
export const drainPingTimeoutMs = 5_000;

/** `idleFrameRate` earned back by each frame with content. */
export const idleFramesPerUsefulFrame = 10;
/** CVE-2019-9511: while more than `sendHighWaterBytes` wait, less than this within `stallMs` is a stall. */
export const stallBytesMin = 16 * 1024;
/** gRPC proposal A8. */
export const pingStrikesMax = 2;
/** A ping without open calls is allowed this often. */
export const pingIntervalIdleMs = 2 * 60 * 60 * 1000;
/** `:path` of a request. */
export const pathBytesMax = 1024;

/**
 * What a connection may cost a server in one turn of the event loop while others wait, in units: about a small frame each. Ordinary clients
 * stay below it; whoever sends more is served in slices.
 */
export const turnUnitsMax = 512;
/** A unit for the frame, and one for so many bytes: those of header blocks are decoded one by one. */
export const dataBytesPerUnit = 256;
export const headerBytesPerUnit = 64;
/** Streams that are looked at when SETTINGS change the windows of all. */
export const streamsPerUnit = 16;
/** Frames that carry neither: a flood has nothing else. */
export const controlFrameUnits = 4;

/** Output is handed to the socket within a turn already when this much waits. */
export const flushBytes = 64 * 1024;
/** `send` returns false while more than this waits in a stream. */
export const sendHighWaterBytes = 64 * 1024;

/** Throws RangeError for a limit that makes no sense. */
export function checkLimit(name: string, value: number | Rate): void {
  const { burst, perSecond } = typeof value === "number" ? { burst: value, perSecond: 0 } : value;
  if (!(burst > 0)) throw new RangeError(`Limit ${name} is ${burst}, it must be above 0`);
  if (!(perSecond >= 0)) throw new RangeError(`Limit ${name} allows ${perSecond} a second, it must be 0 or above`);
}

/** Completes and checks limits. Throws RangeError. */
export function resolveLimits(overrides: Partial<RpcLimits>, base: RpcLimits = defaultLimits): RpcLimits {
  const limits = { ...base, ...overrides };
  for (const [name, value] of Object.entries<number | Rate>({ ...limits })) checkLimit(name, value);
  if (limits.streamWindowBytes > 0x7fffffff) throw new RangeError(`streamWindowBytes ${limits.streamWindowBytes} is above 2^31-1`);
  if (limits.connectionWindowBytes > 0x7fffffff || limits.connectionWindowBytes < 65_535) {
    throw new RangeError(`connectionWindowBytes ${limits.connectionWindowBytes} is not between 65,535 and 2^31-1`);
  }
  if (limits.frameBytesMax < 16_384 || limits.frameBytesMax > 1024 * 1024) {
    throw new RangeError(`frameBytesMax ${limits.frameBytesMax} is not between 16,384 and 1 MiB`);
  }
  return limits;
}
