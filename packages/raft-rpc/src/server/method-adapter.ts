import { assertNever } from "../assert.ts";
import type { MethodDefinition } from "../grpc/service-definition.ts";
import { MethodCounters } from "./method-counters.ts";
import type { Route, UnaryHandler } from "./route.ts";
import { ServerCallContext } from "./server-call-context.ts";
import { StreamAdapter } from "./stream-adapter.ts";
import { decodeRequest, type TypedHandler } from "./typed-handler.ts";

/** Makes a route of a typed handler. */
export function adaptMethod(path: string, method: MethodDefinition<unknown, unknown>, handler: TypedHandler): Route {
  switch (method.kind) {
    case "unary":
      return { kind: "unary", requests: "one", path, handler: adaptUnary(method, handler), counters: new MethodCounters() };
    case "clientStreaming":
    case "serverStreaming":
    case "bidirectional":
      return {
        kind: "stream",
        requests: method.kind === "serverStreaming" ? "one" : "many",
        path,
        handler: (call) => new StreamAdapter(call, method, handler).start(),
        counters: new MethodCounters(),
      };
    default:
      return assertNever(method.kind);
  }
}

function adaptUnary(method: MethodDefinition<unknown, unknown>, handler: TypedHandler): UnaryHandler {
  return (message, call) => {
    const context = new ServerCallContext(call);
    call.onCancel = () => context.abort();
    const result = handler(decodeRequest(method.request, message), context);
    if (!(result instanceof Promise)) {
      call.respond(method.response.encode(result), context.trailers);
      return;
    }
    result
      .then((response: unknown) => call.respond(method.response.encode(response), context.trailers))
      .catch((error: unknown) => call.failWith(error));
  };
}
