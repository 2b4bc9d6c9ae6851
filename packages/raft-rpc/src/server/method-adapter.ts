import { assertNever } from "../assert.ts";
import { Metadata, type ReadonlyMetadata } from "../grpc/metadata.ts";
import { RpcError } from "../grpc/rpc-error.ts";
import type { Codec, MethodDefinition } from "../grpc/service-definition.ts";
import { StatusCode } from "../grpc/status.ts";
import type { StreamCall, UnaryCall } from "./call.ts";
import type { Route } from "./dispatcher.ts";
import type { CallContext } from "./service-impl.ts";
import { StreamAdapter } from "./stream-adapter.ts";

/** A handler of a ServiceImpl, after its types were checked there. */
export type TypedHandler = (request: unknown, call: CallContext) => unknown;

/** The `CallContext` of a typed handler. */
export class ServerCallContext implements CallContext {
  readonly trailers = new Metadata();
  readonly #call: UnaryCall | StreamCall;
  #controller: AbortController | null = null;

  constructor(call: UnaryCall | StreamCall) {
    this.#call = call;
  }

  get path(): string {
    return this.#call.path;
  }

  get metadata(): ReadonlyMetadata {
    return this.#call.metadata;
  }

  get authority(): string {
    return this.#call.authority;
  }

  get remoteAddress(): string {
    return this.#call.remoteAddress;
  }

  get deadlineMs(): number {
    return this.#call.deadlineMs;
  }

  get cancelled(): boolean {
    return this.#call.cancelled;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#call.cancelled) this.#controller.abort();
    return this.#controller.signal;
  }

  sendMetadata(metadata: Metadata): void {
    this.#call.sendMetadata(metadata);
  }

  abort(): void {
    this.#controller?.abort();
  }
}

/** Decodes a request. Throws RpcError INTERNAL, as grpc-go answers, for bytes that are no message of the type. */
export function decodeRequest(codec: Codec<unknown>, bytes: Uint8Array): unknown {
  try {
    return codec.decode(bytes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new RpcError(StatusCode.INTERNAL, `grpc: error unmarshalling request: ${reason}`, { cause: error });
  }
}

/** Makes a route of a typed handler. */
export function adaptMethod(path: string, method: MethodDefinition<unknown, unknown>, handler: TypedHandler): Route {
  switch (method.kind) {
    case "unary":
      return { kind: "unary", path, handler: adaptUnary(method, handler) };
    case "clientStreaming":
    case "serverStreaming":
    case "bidirectional":
      return { kind: "stream", path, handler: (call) => new StreamAdapter(call, method, handler).start() };
    default:
      return assertNever(method.kind);
  }
}

function adaptUnary(method: MethodDefinition<unknown, unknown>, handler: TypedHandler): (message: Uint8Array, call: UnaryCall) => void {
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
