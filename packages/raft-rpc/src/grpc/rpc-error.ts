import { Metadata } from "./metadata.ts";
import { StatusCode, statusName } from "./status.ts";
import type { ErrorDetail } from "./status-details.ts";

/**
 * What a caller may do after a failed call. "safe": the call was certainly not processed, sending it again cannot apply it twice.
 * "maybe-applied": send again only what is idempotent. "never": the same call would fail again.
 */
export type Retryable = "never" | "safe" | "maybe-applied";

const retryableByCode: Readonly<Record<StatusCode, Retryable>> = {
  [StatusCode.OK]: "never",
  [StatusCode.CANCELLED]: "maybe-applied",
  [StatusCode.UNKNOWN]: "maybe-applied",
  [StatusCode.INVALID_ARGUMENT]: "never",
  [StatusCode.DEADLINE_EXCEEDED]: "maybe-applied",
  [StatusCode.NOT_FOUND]: "never",
  [StatusCode.ALREADY_EXISTS]: "never",
  [StatusCode.PERMISSION_DENIED]: "never",
  [StatusCode.RESOURCE_EXHAUSTED]: "maybe-applied",
  [StatusCode.FAILED_PRECONDITION]: "never",
  [StatusCode.ABORTED]: "maybe-applied",
  [StatusCode.OUT_OF_RANGE]: "never",
  [StatusCode.UNIMPLEMENTED]: "never",
  [StatusCode.INTERNAL]: "maybe-applied",
  [StatusCode.UNAVAILABLE]: "maybe-applied",
  [StatusCode.DATA_LOSS]: "never",
  [StatusCode.UNAUTHENTICATED]: "never",
};

export interface RpcErrorOptions {
  readonly cause?: unknown;
  /** Trailing metadata that came, or is to be sent, with the status. */
  readonly metadata?: Metadata;
  /** Sent as, and read from, `grpc-status-details-bin`, together with the code and the message. Default: none. */
  readonly details?: readonly ErrorDetail[];
  /** Default: by the code. "safe" is only set where it is certain: refused streams, streams above a GOAWAY, no connection. */
  readonly retryable?: Retryable;
}

/** The one error of raft-rpc: a gRPC status that is not OK. Handlers throw it, callers catch it. Nobody branches on `message`. */
export class RpcError extends Error {
  override readonly name: string = "RpcError";
  readonly code: StatusCode;
  readonly retryable: Retryable;
  readonly metadata: Metadata;
  readonly details: readonly ErrorDetail[];

  constructor(code: StatusCode, message: string, options: RpcErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? retryableByCode[code];
    this.metadata = options.metadata ?? new Metadata();
    this.details = options.details ?? [];
  }

  /** `NOT_FOUND` and so on, for people. */
  get codeName(): string {
    return statusName(this.code);
  }

  /** Gives anything that was caught a code: UNKNOWN, unless it is an RpcError already. */
  static from(reason: unknown): RpcError {
    if (reason instanceof RpcError) return reason;
    return new RpcError(StatusCode.UNKNOWN, reason instanceof Error ? reason.message : String(reason), { cause: reason });
  }
}
