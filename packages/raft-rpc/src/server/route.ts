import type { StreamCall, UnaryCall } from "./call.ts";
import type { MethodCounters } from "./method-counters.ts";

/** Answers by `call.respond` or `call.fail`, once, now or later. The message is a view that may be kept. */
export type UnaryHandler = (message: Uint8Array, call: UnaryCall) => void;

/** Calls `call.setHandlers` at once, and `call.end` sometime. */
export type StreamHandler = (call: StreamCall) => void;

/** How many messages a call's client sends. One is handed over when the call's request is complete. */
export type RequestCount = "one" | "many";

interface RouteOf<Kind, Requests extends RequestCount, Handler> {
  readonly kind: Kind;
  readonly requests: Requests;
  readonly path: string;
  readonly handler: Handler;
  readonly counters: MethodCounters;
}

/** Who handles the calls of one path. */
export type Route = RouteOf<"unary", "one", UnaryHandler> | RouteOf<"stream", RequestCount, StreamHandler>;
