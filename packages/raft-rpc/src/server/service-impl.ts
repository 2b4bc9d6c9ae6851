import type { Metadata } from "../grpc/metadata.ts";
import type { RequestOf, ResponseOf, ServiceDefinition } from "../grpc/service-definition.ts";
import type { CallInfo } from "./call.ts";

/** What a typed handler knows of its call. */
export interface CallContext extends CallInfo {
  /** Aborts when the call is cancelled or its deadline passes. Made when first read. */
  readonly signal: AbortSignal;
  /** Goes out before the first response message. */
  sendMetadata(metadata: Metadata): void;
  /** Filled by the handler, sent with the status. */
  readonly trailers: Metadata;
}

type Handler<M> = M extends { readonly kind: "unary" }
  ? (request: RequestOf<M>, call: CallContext) => ResponseOf<M> | Promise<ResponseOf<M>>
  : M extends { readonly kind: "serverStreaming" }
    ? (request: RequestOf<M>, call: CallContext) => AsyncIterable<ResponseOf<M>>
    : M extends { readonly kind: "clientStreaming" }
      ? (requests: AsyncIterable<RequestOf<M>>, call: CallContext) => ResponseOf<M> | Promise<ResponseOf<M>>
      : M extends { readonly kind: "bidirectional" }
        ? (requests: AsyncIterable<RequestOf<M>>, call: CallContext) => AsyncIterable<ResponseOf<M>>
        : never;

/**
 * One handler per method, by local name. A handler that is left out answers UNIMPLEMENTED. What a handler throws becomes the status: an
 * RpcError with its code, anything else UNKNOWN.
 */
export type ServiceImpl<S extends ServiceDefinition> = { readonly [K in keyof S["methods"]]?: Handler<S["methods"][K]> };
