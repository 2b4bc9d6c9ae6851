import { RpcError } from "@raftkv/raft-rpc";

/** "safe": was not applied, may be sent again. "maybe-applied": send again only what is idempotent. "never": the same call would fail again. */
export type Retryable = "never" | "safe" | "maybe-applied";

export type ClientErrorCode =
  | "ERR_ABORTED"
  | "ERR_BAD_REQUEST"
  | "ERR_CLOSED"
  | "ERR_COMPACTED"
  | "ERR_LEASE_LOST"
  | "ERR_OUTCOME_UNKNOWN"
  | "ERR_OVERLOADED"
  | "ERR_REJECTED"
  | "ERR_TIMEOUT"
  | "ERR_UNREACHABLE";

/** The closed table of codes; the README says what each means. */
export const clientErrorTable: Readonly<Record<ClientErrorCode, { readonly retryable: Retryable }>> = {
  ERR_ABORTED: { retryable: "maybe-applied" },
  ERR_BAD_REQUEST: { retryable: "never" },
  ERR_CLOSED: { retryable: "never" },
  ERR_COMPACTED: { retryable: "never" },
  ERR_LEASE_LOST: { retryable: "never" },
  ERR_OUTCOME_UNKNOWN: { retryable: "maybe-applied" },
  ERR_OVERLOADED: { retryable: "safe" },
  ERR_REJECTED: { retryable: "never" },
  ERR_TIMEOUT: { retryable: "safe" },
  ERR_UNREACHABLE: { retryable: "maybe-applied" },
};

/** The one error of a call. Nobody branches on `message`. */
export class ClientError extends Error {
  override readonly name: string = "ClientError";
  readonly code: ClientErrorCode;

  constructor(code: ClientErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
  }

  get retryable(): Retryable {
    return clientErrorTable[this.code].retryable;
  }

  /** The gRPC status behind it, with the server's own words; null if there was none. */
  get status(): RpcError | null {
    return this.cause instanceof RpcError ? this.cause : null;
  }
}
