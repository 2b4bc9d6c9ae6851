import type { Metadata, ReadonlyMetadata } from "../grpc/metadata.ts";
import type { RpcError } from "../grpc/rpc-error.ts";

export interface CallOptions {
  /** Milliseconds from now. Of `timeoutMs` and `deadlineMs` the earlier counts; without both there is no deadline. */
  readonly timeoutMs?: number;
  /** On the channel's clock (`monotonicMs`). */
  readonly deadlineMs?: number;
  readonly metadata?: Metadata;
  /** Fail with UNAVAILABLE ("safe") while the last connection attempt failed, instead of waiting for the next. Default false. */
  readonly failFast?: boolean;
  /**
   * Sends the requests of this call as they are, though the channel compresses: because they are compressed already, or hold a secret beside
   * what somebody else may choose, whose length would then tell of it. Default false.
   */
  readonly uncompressed?: boolean;
}

/** One that throws ends its call with INTERNAL; the channel's `onHandlerError` is told what it threw. */
export interface ClientStreamHandlers {
  /** Metadata of the response, before its first message; not called for an answer that is only a status. */
  onMetadata(metadata: ReadonlyMetadata): void;
  /** A view that may be kept. Not called while paused. */
  onMessage(message: Uint8Array): void;
  /** `send` may be used again after it returned false. */
  onDrain(): void;
  /** The end, called once: null for status OK. */
  onClose(error: RpcError | null, trailers: ReadonlyMetadata): void;
}

/** A running call. */
export interface ClientCall {
  /** Ends the call with CANCELLED; the server is told. Does nothing after the end. */
  cancel(): void;
}

/** A running streaming call, as a push API with back-pressure in both directions. */
export interface ClientStreamCall extends ClientCall {
  /** Takes the message in any case, it is not changed afterwards; false asks to stop until `onDrain`. Dropped after the end of the call. */
  send(message: Uint8Array): boolean;
  /** No more requests; the call goes on until the server ends it. */
  end(): void;
  pause(): void;
  resume(): void;
}

/** The result of a unary call: one of both is null. The message is a view that may be kept. */
export type UnaryDone = (error: RpcError | null, message: Uint8Array | null) => void;
