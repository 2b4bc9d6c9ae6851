import type { CallObserver } from "../grpc/call-tally.ts";
import type { CallInfo } from "./call.ts";

/**
 * Stands before the handlers of all calls. Sees calls that have a handler: what is malformed, unknown or above a limit was answered before.
 * What one throws that is no RpcError ends the call with UNKNOWN, as with a handler. Without interceptors a call costs nothing more.
 */
export interface ServerInterceptor {
  /**
   * The call begins. What is returned is told how it ended, also if it was refused. For metrics and traces. All interceptors observe before
   * any is asked to admit.
   */
  observe?(call: CallInfo): CallObserver | undefined;
  /**
   * Lets the call in, or refuses it by an RpcError that is thrown or rejected with. Interceptors are asked in their order, each after the one
   * before it has let the call in. The client's messages wait until then, and the deadline runs. For authentication and quotas.
   */
  admit?(call: CallInfo): Promise<void> | undefined | void;
}

/** What those say that want to observe the call. */
export function observersOf(interceptors: readonly ServerInterceptor[], call: CallInfo): readonly CallObserver[] {
  const observers: CallObserver[] = [];
  for (const interceptor of interceptors) {
    const observer = interceptor.observe?.(call);
    if (observer !== undefined) observers.push(observer);
  }
  return observers;
}

/** Asks one after another; null if all have let the call in at once. Throws, or rejects with, what refuses it. */
export function admitCall(interceptors: readonly ServerInterceptor[], call: CallInfo): Promise<void> | null {
  for (const [place, interceptor] of interceptors.entries()) {
    const answer = interceptor.admit?.(call);
    if (answer instanceof Promise) return admitRest(answer, interceptors.slice(place + 1), call);
  }
  return null;
}

async function admitRest(first: Promise<void>, rest: readonly ServerInterceptor[], call: CallInfo): Promise<void> {
  await first;
  for (const interceptor of rest) await interceptor.admit?.(call);
}
