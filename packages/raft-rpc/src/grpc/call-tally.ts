import type { RpcClock } from "../rpc-clock.ts";
import type { StatusCode } from "./status.ts";

/** What a call came to. Bytes are those of the messages as the program sees them: without prefixes, and not compressed. */
export interface CallSummary {
  readonly code: StatusCode;
  readonly durationMs: number;
  readonly requests: number;
  readonly requestBytes: number;
  readonly responses: number;
  readonly responseBytes: number;
}

/** Told once, when the call has its status. */
export type CallObserver = (summary: CallSummary) => void;

/** Counts the messages of a call that somebody observes. */
export class CallTally {
  readonly #clock: RpcClock;
  readonly #observers: readonly CallObserver[];
  readonly #startedMs: number;
  #requests = 0;
  #requestBytes = 0;
  #responses = 0;
  #responseBytes = 0;
  #isEnded = false;

  constructor(clock: RpcClock, observers: readonly CallObserver[]) {
    this.#clock = clock;
    this.#observers = observers;
    this.#startedMs = clock.monotonicMs();
  }

  request(byteCount: number): void {
    this.#requests++;
    this.#requestBytes += byteCount;
  }

  response(byteCount: number): void {
    this.#responses++;
    this.#responseBytes += byteCount;
  }

  /** Tells the observers; what one throws keeps none of the others from it. */
  end(code: StatusCode, onFailure: (error: unknown) => void): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const summary: CallSummary = {
      code,
      durationMs: this.#clock.monotonicMs() - this.#startedMs,
      requests: this.#requests,
      requestBytes: this.#requestBytes,
      responses: this.#responses,
      responseBytes: this.#responseBytes,
    };
    for (const observer of this.#observers) {
      try {
        observer(summary);
      } catch (error) {
        onFailure(error);
      }
    }
  }
}
