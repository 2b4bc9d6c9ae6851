import type { FloodName } from "../http2/flood-error.ts";

/**
 * How often each limit of a server refused something, as plain fields that only grow. Errors of the protocol are counted beside, in
 * `connectionErrors`; who was refused is told to the server's `onLimit`.
 */
export class LimitCounters implements Record<FloodName, number> {
  /** Connections above `connections.max`, and above `connections.perAddressMax`. */
  connections = 0;
  connectionsPerAddress = 0;
  /** Connections that had to wait, because others from their address had ended badly more often than `connections.faultRate`. */
  connectionsDelayed = 0;
  /** Connections that held the most when all of them held more than `connections.heldBytesMax`. */
  heldBytes = 0;
  /** Connections whose first bytes were not complete in time. */
  prefaceTimeouts = 0;
  /** Connections that were idle or old: told to go. */
  connectionIdle = 0;
  connectionAge = 0;
  /** Connections ended with ENHANCE_YOUR_CALM for what costs a client nothing (RFC 9113 10.5). Resets, also those that it made us send. */
  resetFlood = 0;
  /** Streams that had to be refused. */
  refusalFlood = 0;
  settingsFlood = 0;
  /** gRPC's `too_many_pings`. */
  pingFlood = 0;
  emptyDataFlood = 0;
  /** PRIORITY and unknown frames. */
  priorityFlood = 0;
  /** Frames of any kind without requests. */
  idleFrameFlood = 0;
  paddingFlood = 0;
  /** A header block with too many octets or CONTINUATION frames; one that was not complete in time; one that is far too large decoded. */
  headerBlock = 0;
  headerBlockTimeouts = 0;
  headerList = 0;
  /** A client that did not read what it asked for: answers to control frames; data, for `stallMs`. */
  unreadAnswers = 0;
  stalls = 0;
  /** Connections whose client did not acknowledge SETTINGS in time. */
  settingsTimeouts = 0;
  /** Connections whose client did not answer a keepalive ping in time. */
  keepaliveTimeouts = 0;
  /** Streams above `concurrentStreamsMax`; above it with the handlers of streams that were reset; and with too many bytes queued. */
  concurrentStreams = 0;
  runningHandlers = 0;
  connectionQueueBytes = 0;
  /** Calls with too large a header list or path. */
  requestHeadBytes = 0;
  /** Calls with one message whose request was not complete within `requestMs`. */
  requestTimeouts = 0;
  /** Calls with a message that is too large, as it came or inflated. */
  messageBytes = 0;
  /** Calls that lost their client, which did not read what was sent. */
  streamQueueBytes = 0;
  /** Calls that an interceptor did not let in. */
  refusedByInterceptor = 0;
}

export type LimitName = keyof LimitCounters;
