import type { Dispatcher, ServerInterceptor } from "@raftkv/raft-rpc";

/** What clients may call, and by which rules: the same for those who come by HTTP/2 and for those who come through the JSON gateway. */
export interface ClientCalls {
  readonly dispatcher: Dispatcher;
  readonly interceptors: readonly ServerInterceptor[];
  /** Largest message of a client. */
  readonly messageBytesMax: number;
  /** Calls at once, on one connection and through the gateway. */
  readonly concurrentMax: number;
  /** A handler or an interceptor threw something that is not an RpcError. */
  readonly onHandlerError: (path: string, error: unknown) => void;
}
