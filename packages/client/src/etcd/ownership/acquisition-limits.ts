import type { RpcClock, RpcTimer } from "@raftkv/raft-rpc";
import { onAbort } from "../../abort-listeners.ts";
import { ClientError } from "../../client-error.ts";
import type { OwnershipOptions } from "./ownership.ts";

/** What may end the wait for a lock: the caller's signal, its time, the loss of the lease. All of them as one signal. */
export class AcquisitionLimits {
  readonly #end = new AbortController();
  readonly #undo: (() => void)[] = [];

  constructor(clock: RpcClock, { timeoutMs, signal }: OwnershipOptions, leaseSignal: AbortSignal | undefined) {
    if (timeoutMs !== undefined) {
      const timer: RpcTimer = clock.setTimer(timeoutMs, () => {
        this.#abort(new ClientError("ERR_TIMEOUT", `Others were still there before after ${timeoutMs} ms`));
      });
      this.#undo.push(() => timer.cancel());
    }
    if (signal !== undefined) {
      this.#follow(signal, () => new ClientError("ERR_ABORTED", "The waiting was ended by its signal", { cause: signal.reason }));
    }
    if (leaseSignal !== undefined) this.#follow(leaseSignal, () => leaseSignal.reason);
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** What to throw for an error of a call that had the signal. */
  reasonFor(error: unknown): unknown {
    return this.#end.signal.aborted ? this.#end.signal.reason : error;
  }

  /** The wait is over. */
  end(): void {
    for (const undo of this.#undo.splice(0)) undo();
  }

  #follow(signal: AbortSignal, reason: () => unknown): void {
    this.#undo.push(onAbort(signal, () => this.#abort(reason())));
  }

  #abort(reason: unknown): void {
    this.#end.abort(reason);
  }
}
