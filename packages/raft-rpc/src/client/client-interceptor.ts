import type { CallObserver } from "../grpc/call-tally.ts";
import { Metadata } from "../grpc/metadata.ts";

/** Stands before all calls of a channel. It does not send calls again. Without interceptors a call costs nothing more. */
export interface ClientInterceptor {
  /** Adds to what the caller gave: a copy, which is this call's own. What it throws is thrown to the caller, and there is no call. For tokens and trace ids. */
  addMetadata?(path: string, metadata: Metadata): void;
  /** The call begins. What is returned is told how it ended. For metrics and traces. */
  observe?(path: string): CallObserver | undefined;
}

/** The metadata of a call with what interceptors add. */
export function metadataOf(interceptors: readonly ClientInterceptor[], path: string, given: Metadata | undefined): Metadata {
  const metadata = given?.copy() ?? new Metadata();
  for (const interceptor of interceptors) interceptor.addMetadata?.(path, metadata);
  return metadata;
}

/** What those say that want to observe the call. */
export function observersOf(interceptors: readonly ClientInterceptor[], path: string): readonly CallObserver[] {
  const observers: CallObserver[] = [];
  for (const interceptor of interceptors) {
    const observer = interceptor.observe?.(path);
    if (observer !== undefined) observers.push(observer);
  }
  return observers;
}
