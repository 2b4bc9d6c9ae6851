import { statusCodeCount } from "../grpc/status.ts";
import { Http2Counters } from "../http2/counters.ts";
import { LimitCounters } from "./limit-counters.ts";

/** Counters of one RpcServer over all its connections. */
export class ServerCounters extends Http2Counters {
  connectionsAccepted = 0;
  connectionsOpen = 0;
  /** Streams whose first bytes were not HTTP/2's preface. */
  otherProtocols = 0;
  /** Handlers that were started and have not answered: now. */
  handlersRunning = 0;
  /** Calls by the status they ended with, by code. */
  readonly callsByStatus: number[] = new Array<number>(statusCodeCount).fill(0);
  readonly limits = new LimitCounters();
}
