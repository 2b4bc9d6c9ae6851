/**
 * How often each limit of a server refused something, as plain fields that only grow. Errors of the protocol are counted beside, in
 * `connectionErrors`; who was refused is told to the server's `onLimit`.
 */
export class LimitCounters {
  /** Connections above `connections.max`, and above `connections.perAddressMax`. */
  connections = 0;
  connectionsPerAddress = 0;
  /** Connections that held the most when all of them held more than `connections.heldBytesMax`. */
  heldBytes = 0;
  /** Connections whose first bytes were not complete in time. */
  prefaceTimeouts = 0;
  /** Connections that were idle or old: told to go. */
  connectionIdle = 0;
  connectionAge = 0;
  /** Connections ended for what RFC 9113 10.5 warns of: ENHANCE_YOUR_CALM. The reason is in `onConnectionClosed`. */
  floods = 0;
  /** Connections whose client did not acknowledge SETTINGS in time. */
  settingsTimeouts = 0;
  /** Streams above `concurrentStreamsMax`; above it with the handlers of streams that were reset; and with too many bytes queued. */
  concurrentStreams = 0;
  runningHandlers = 0;
  connectionQueueBytes = 0;
  /** Calls with too large a header list or path. */
  requestHeadBytes = 0;
  /** Unary calls whose request was not complete within `requestMs`. */
  requestTimeouts = 0;
  /** Calls with a message that is too large, as it came or inflated. */
  messageBytes = 0;
  /** Calls that lost their client, which did not read what was sent. */
  streamQueueBytes = 0;
  /** Calls that an interceptor did not let in. */
  refusedByInterceptor = 0;
}

export type LimitName = keyof LimitCounters;
