/** "safe": was not applied, may be sent again. "maybe-applied": send again only what is idempotent. "never": the same call would fail again. */
export type Retryable = "never" | "safe" | "maybe-applied";

export type ClientErrorCode = "ERR_BAD_REQUEST" | "ERR_CLOSED" | "ERR_OUTCOME_UNKNOWN" | "ERR_OVERLOADED" | "ERR_REJECTED" | "ERR_TIMEOUT";

/** The closed table of codes; the README says what each means. */
export const clientErrorTable: Readonly<Record<ClientErrorCode, { readonly retryable: Retryable }>> = {
  ERR_BAD_REQUEST: { retryable: "never" },
  ERR_CLOSED: { retryable: "never" },
  ERR_OUTCOME_UNKNOWN: { retryable: "maybe-applied" },
  ERR_OVERLOADED: { retryable: "safe" },
  ERR_REJECTED: { retryable: "never" },
  ERR_TIMEOUT: { retryable: "safe" },
};

/** The one error of a call. Nobody branches on `message`. */
export class ClientError extends Error {
  override readonly name = "ClientError";
  readonly code: ClientErrorCode;

  constructor(code: ClientErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
  }

  get retryable(): Retryable {
    return clientErrorTable[this.code].retryable;
  }
}
