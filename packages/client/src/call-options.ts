/** What every single call can be given. */
export interface CallOptions {
  /** Time for the call with all its attempts, in ms. Default: the client's `timeoutMs`. */
  readonly timeoutMs?: number;
  /** Gives the call up: it rejects with ERR_ABORTED. A write that was on its way may be applied all the same. */
  readonly signal?: AbortSignal;
}
