import type { TypedCallOptions } from "./typed-client.ts";

/** A call that others are made for: the `CallContext` of a handler fits. */
export interface ParentCall {
  /** On the clock that the channel has too; Infinity for none. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/**
 * Options for a call that is made on behalf of another: it has what is left of the other's time, or less if `options` say so, and is
 * cancelled with it. Metadata is not handed on, for it may hold what only the first server should know.
 *
 *   forward: (request, call) => client.forward(request, inheritCall(call, { timeoutMs: 500 }))
 */
export function inheritCall(parent: ParentCall, options: TypedCallOptions = {}): TypedCallOptions {
  const deadlineMs = Math.min(parent.deadlineMs, options.deadlineMs ?? Number.POSITIVE_INFINITY);
  const signal = options.signal === undefined ? parent.signal : AbortSignal.any([parent.signal, options.signal]);
  return { ...options, deadlineMs, signal };
}
