/** Whether the operation may have taken effect, and so whether it may be sent again. */
export type Retryable = "never" | "safe" | "maybe-applied";

/**
 * - `ERR_FAILED`: storage, the state machine or an assertion failed, and the member has stopped
 * - `ERR_LEADERSHIP_LOST`: the leader changed before the proposal was replicated
 * - `ERR_NO_LEADER`: nobody led until the time was over
 * - `ERR_OVERLOADED`: too much waits already
 * - `ERR_QUARANTINED`: the member found that data it acknowledged is gone or wrong, and only watches
 * - `ERR_REFUSED`: a change of members that can't be made now
 * - `ERR_REMOVED`: this member no longer belongs to the cluster
 * - `ERR_STOPPED`: the member was closed
 * - `ERR_TIMED_OUT`: the time was over before the outcome was known
 * - `ERR_UNDER_REPAIR`: the member lost entries, and has not got all of them again
 */
export type NodeErrorCode =
  | "ERR_FAILED"
  | "ERR_LEADERSHIP_LOST"
  | "ERR_NO_LEADER"
  | "ERR_OVERLOADED"
  | "ERR_QUARANTINED"
  | "ERR_REFUSED"
  | "ERR_REMOVED"
  | "ERR_STOPPED"
  | "ERR_TIMED_OUT"
  | "ERR_UNDER_REPAIR";

/** Why a proposal or a read did not succeed. Nobody branches on the message. */
export class NodeError extends Error {
  override readonly name = "NodeError";
  readonly code: NodeErrorCode;
  readonly retryable: Retryable;

  constructor(code: NodeErrorCode, retryable: Retryable, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.retryable = retryable;
  }
}

/** Told once how an operation ended. The hot path has no promise. */
export interface Completion<Value> {
  succeed(value: Value): void;
  fail(error: NodeError): void;
}

/** A completion that settles a promise, for callers that are not on the hot path. */
export function promised<Value>(start: (completion: Completion<Value>) => void): Promise<Value> {
  return new Promise((succeed, fail) => start({ succeed, fail }));
}
