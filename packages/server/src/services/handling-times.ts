import type { CallInfo, CallObserver, ServerInterceptor } from "@raftkv/raft-rpc";
import { ClassCounter } from "../metrics/class-counter.ts";

/** In seconds, as Prometheus' libraries have them. */
const bounds: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** How long calls take, by method: an object more for each call, so only on demand. */
export class HandlingTimes implements ServerInterceptor {
  private readonly observers = new Map<string, { readonly seconds: ClassCounter; readonly observe: CallObserver }>();

  /** Of a method by its path. */
  of(path: string): ClassCounter {
    return this.method(path).seconds;
  }

  observe({ path }: Pick<CallInfo, "path">): CallObserver {
    return this.method(path).observe;
  }

  /** Only calls of methods that are there come here, so that there are as many as methods. */
  private method(path: string): { readonly seconds: ClassCounter; readonly observe: CallObserver } {
    const known = this.observers.get(path);
    if (known !== undefined) return known;
    const seconds = new ClassCounter(bounds);
    const method = { seconds, observe: (({ durationMs }) => seconds.observe(durationMs / 1_000)) satisfies CallObserver };
    this.observers.set(path, method);
    return method;
  }
}
