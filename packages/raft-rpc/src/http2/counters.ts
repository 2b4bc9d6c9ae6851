/** Counters of connections, as plain fields that are read at scrape time. All but `streamsOpen` only grow. */
export class Http2Counters {
  bytesReceived = 0;
  bytesSent = 0;
  framesReceived = 0;
  streamsOpened = 0;
  streamsOpen = 0;
  resetsReceived = 0;
  resetsSent = 0;
  refusals = 0;
  pingsReceived = 0;
  /** Header blocks that were found in the cache, and that were decoded. */
  headerBlockHits = 0;
  headerBlockMisses = 0;
  /** Connections ended by an error of the protocol, by RFC 9113 error code (section 7). */
  readonly connectionErrors: number[] = new Array<number>(14).fill(0);
  /** Calls whose handler threw something that is not an RpcError. */
  handlerFailures = 0;
}
