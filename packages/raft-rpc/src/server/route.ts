import type { StreamCall, UnaryCall } from "./call.ts";

/** Answers by `call.respond` or `call.fail`, once, now or later. The message is a view that may be kept. */
export type UnaryHandler = (message: Uint8Array, call: UnaryCall) => void;

/** Calls `call.setHandlers` at once, and `call.end` sometime. */
export type StreamHandler = (call: StreamCall) => void;

/** Who handles the calls of one path. */
export type Route =
  | { readonly kind: "unary"; readonly path: string; readonly handler: UnaryHandler }
  | { readonly kind: "stream"; readonly path: string; readonly handler: StreamHandler };
