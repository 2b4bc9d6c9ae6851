import { assertNever } from "../assert.ts";
import { MessageInbox } from "../grpc/message-inbox.ts";
import type { ReadonlyMetadata } from "../grpc/metadata.ts";
import { RpcError } from "../grpc/rpc-error.ts";
import { type MethodDefinition, methodPath, type RequestOf, type ResponseOf, type ServiceDefinition } from "../grpc/service-definition.ts";
import { StatusCode } from "../grpc/status.ts";
import type { Channel } from "./channel.ts";
import type { CallOptions, ClientStreamCall, ClientStreamHandlers, UnaryDone } from "./client-call.ts";

export interface TypedCallOptions extends CallOptions {
  /** Metadata before the first response message. */
  readonly onMetadata?: (metadata: ReadonlyMetadata) => void;
  /** Metadata with the status. */
  readonly onTrailers?: (trailers: ReadonlyMetadata) => void;
  /** Cancels the call. */
  readonly signal?: AbortSignal;
}

/** Requests of a streaming call; read as fast as they can be sent. */
export type Requests<T> = AsyncIterable<T> | Iterable<T>;

type ClientMethod<M> = M extends { readonly kind: "unary" }
  ? (request: RequestOf<M>, options?: TypedCallOptions) => Promise<ResponseOf<M>>
  : M extends { readonly kind: "serverStreaming" }
    ? (request: RequestOf<M>, options?: TypedCallOptions) => AsyncIterableIterator<ResponseOf<M>>
    : M extends { readonly kind: "clientStreaming" }
      ? (requests: Requests<RequestOf<M>>, options?: TypedCallOptions) => Promise<ResponseOf<M>>
      : M extends { readonly kind: "bidirectional" }
        ? (requests: Requests<RequestOf<M>>, options?: TypedCallOptions) => AsyncIterableIterator<ResponseOf<M>>
        : never;

/**
 * A method per RPC, by local name. Calls begin at once. Promises reject, and iterations throw, RpcError; leaving a loop over responses
 * cancels the call.
 */
export type Client<S extends ServiceDefinition> = { readonly [K in keyof S["methods"]]: ClientMethod<S["methods"][K]> };

/** Typed calls of one service on a channel. */
export function createClient<S extends ServiceDefinition>(service: S, channel: Channel): Client<S> {
  const methods: Record<string, unknown> = {};
  for (const [localName, method] of Object.entries(service.methods)) {
    methods[localName] = makeMethod(channel, methodPath(service, method), method);
  }
  return methods as Client<S>;
}

function makeMethod(channel: Channel, path: string, method: MethodDefinition<unknown, unknown>): unknown {
  const begin = (requests: RequestSource, options?: TypedCallOptions) => new TypedCall(channel, path, method, requests, options ?? {});
  // A request that cannot be encoded fails before the call begins.
  const one = (request: unknown): RequestSource => ({ kind: "one", message: encodeRequest(method, request) });
  switch (method.kind) {
    case "unary": {
      const withMetadata = async (request: unknown, options?: TypedCallOptions) => begin(one(request), options).single();
      return (request: unknown, options?: TypedCallOptions) =>
        needsStream(options) ? withMetadata(request, options) : unary(channel, path, method, request, options ?? {});
    }
    case "serverStreaming":
      return (request: unknown, options?: TypedCallOptions) => begin(one(request), options).responses;
    case "clientStreaming":
      return (requests: Requests<unknown>, options?: TypedCallOptions) => begin({ kind: "many", requests }, options).single();
    case "bidirectional":
      return (requests: Requests<unknown>, options?: TypedCallOptions) => begin({ kind: "many", requests }, options).responses;
    default:
      return assertNever(method.kind);
  }
}

/** The metadata of a success comes only by the stream API. */
function needsStream(options: TypedCallOptions | undefined): boolean {
  return options !== undefined && (options.onMetadata !== undefined || options.onTrailers !== undefined);
}

function unary(
  channel: Channel,
  path: string,
  method: MethodDefinition<unknown, unknown>,
  request: unknown,
  options: TypedCallOptions,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const { signal } = options;
    const onAbort = (): void => call.cancel();
    const done: UnaryDone = (error, message) => {
      signal?.removeEventListener("abort", onAbort);
      if (message === null) return reject(error ?? new RpcError(StatusCode.INTERNAL, "Unary call ended without a result"));
      try {
        resolve(method.response.decode(message));
      } catch (cause) {
        reject(undecodable(cause));
      }
    };
    const call = channel.request(path, encodeRequest(method, request), done, options);
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted === true) call.cancel();
  });
}

function encodeRequest(method: MethodDefinition<unknown, unknown>, request: unknown): Uint8Array {
  try {
    return method.request.encode(request);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RpcError(StatusCode.INTERNAL, `Request cannot be encoded: ${reason}`, { cause, retryable: "never" });
  }
}

function undecodable(cause: unknown): RpcError {
  return new RpcError(StatusCode.INTERNAL, `Response cannot be decoded: ${cause instanceof Error ? cause.message : String(cause)}`, {
    cause,
  });
}

type RequestSource =
  | { readonly kind: "one"; readonly message: Uint8Array }
  | { readonly kind: "many"; readonly requests: Requests<unknown> };

/** One call with iterables on the push API of the channel. */
class TypedCall implements ClientStreamHandlers {
  readonly responses: MessageInbox<unknown>;
  readonly #method: MethodDefinition<unknown, unknown>;
  readonly #options: TypedCallOptions;
  readonly #call: ClientStreamCall;
  readonly #onAbort = (): void => this.#call.cancel();
  #iterator: AsyncIterator<unknown> | Iterator<unknown> | null = null;
  #resumeSending: (() => void) | null = null;
  #over = false;

  constructor(
    channel: Channel,
    path: string,
    method: MethodDefinition<unknown, unknown>,
    requests: RequestSource,
    options: TypedCallOptions,
  ) {
    this.#method = method;
    this.#options = options;
    this.#call = channel.stream(path, this, options);
    this.responses = new MessageInbox({
      pause: () => this.#call.pause(),
      resume: () => this.#call.resume(),
      onReturn: () => this.#call.cancel(),
    });
    options.signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (options.signal?.aborted === true) this.#call.cancel();
    if (requests.kind === "one") {
      this.#call.send(requests.message);
      this.#call.end();
    } else {
      // Its failures end the call, which tells whoever waits for the responses.
      void this.#sendAll(requests.requests);
    }
  }

  /** The one response of a call that has one. */
  async single(): Promise<unknown> {
    const first = await this.responses.next();
    if (first.done === true) throw new RpcError(StatusCode.INTERNAL, "Call was answered without a message");
    const second = await this.responses.next();
    if (second.done !== true) {
      this.#call.cancel();
      throw new RpcError(StatusCode.INTERNAL, "Call was answered with more than one message");
    }
    return first.value;
  }

  onMetadata(metadata: ReadonlyMetadata): void {
    this.#options.onMetadata?.(metadata);
  }

  onMessage(message: Uint8Array): void {
    let response: unknown;
    try {
      response = this.#method.response.decode(message);
    } catch (error) {
      this.#failLocally(undecodable(error));
      return;
    }
    this.responses.push(response);
  }

  onDrain(): void {
    const resume = this.#resumeSending;
    this.#resumeSending = null;
    resume?.();
  }

  onClose(error: RpcError | null, trailers: ReadonlyMetadata): void {
    this.#over = true;
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.responses.end(error);
    this.onDrain();
    // What the requests throw when nobody reads them any more concerns nobody.
    this.#leaveRequests().catch(() => undefined);
    // Last, for it may throw. Who waits for the responses goes on after this turn.
    this.#options.onTrailers?.(trailers);
  }

  /** Tells a generator of requests that nobody reads them. */
  async #leaveRequests(): Promise<void> {
    await this.#iterator?.return?.();
  }

  async #sendAll(requests: Requests<unknown>): Promise<void> {
    try {
      const iterator = Symbol.asyncIterator in requests ? requests[Symbol.asyncIterator]() : requests[Symbol.iterator]();
      this.#iterator = iterator;
      for (;;) {
        const result = await iterator.next();
        if (this.#over) return;
        if (result.done === true) return this.#call.end();
        const hasRoom = this.#call.send(encodeRequest(this.#method, result.value));
        if (!hasRoom && !this.#over) await new Promise<void>((resolve) => (this.#resumeSending = resolve));
        if (this.#over) return;
      }
    } catch (error) {
      this.#failLocally(RpcError.from(error));
    }
  }

  #failLocally(error: RpcError): void {
    this.responses.end(error);
    this.#call.cancel();
  }
}
