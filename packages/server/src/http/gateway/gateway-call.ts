import type { Clock, Timer } from "@raftkv/raft-node";
import { type CallInfo, type CallObserver, type Metadata, type MethodCounters, RpcError, StatusCode } from "@raftkv/raft-rpc";
import type { ClientCalls } from "../../services/client-calls.ts";
import type { GatewayError } from "./gateway-error.ts";

export interface GatewayCallOptions {
  readonly calls: ClientCalls;
  readonly clock: Pick<Clock, "setTimer" | "monotonicMs">;
  readonly path: string;
  /** Of the method. */
  readonly counters: MethodCounters;
  readonly metadata: Metadata;
  readonly authority: string;
  readonly remoteAddress: string;
  /** On the clock; Infinity if the client gave none. */
  readonly deadlineMs: number;
  /** Nothing of the call runs any more. */
  readonly onEnded: (call: GatewayCall) => void;
}

/**
 *   waiting -- its turn, and let in --> running -- answer --> done
 *      |                                   |                   ^
 *      +-- cancelled, refused --> done     +--> cancelled -----+ answer, dropped
 */
type Phase = "waiting" | "running" | "cancelled" | "done";

/** A call that came as JSON: the same handlers and interceptors as for one that comes by HTTP/2, without a connection. */
export abstract class GatewayCall implements CallInfo {
  readonly path: string;
  readonly metadata: Metadata;
  readonly authority: string;
  readonly remoteAddress: string;
  readonly peer = null;
  readonly deadlineMs: number;
  protected phase: Phase = "waiting";
  readonly #options: GatewayCallOptions;
  readonly #startedMs: number;
  readonly #timer: Timer | null;
  #observers: readonly CallObserver[] = [];
  #hasBegun = false;
  #requests = 0;
  #requestBytes = 0;
  #responses = 0;
  #responseBytes = 0;

  constructor(options: GatewayCallOptions) {
    this.path = options.path;
    this.metadata = options.metadata;
    this.authority = options.authority;
    this.remoteAddress = options.remoteAddress;
    this.deadlineMs = options.deadlineMs;
    this.#options = options;
    this.#startedMs = options.clock.monotonicMs();
    const leftMs = options.deadlineMs - this.#startedMs;
    this.#timer = leftMs === Number.POSITIVE_INFINITY ? null : options.clock.setTimer(Math.max(0, leftMs), () => this.#deadlinePassed());
  }

  get cancelled(): boolean {
    return this.phase === "cancelled";
  }

  /** Its turn has come: asks the interceptors, then runs the handler. */
  begin(): void {
    const { calls, counters } = this.#options;
    const { interceptors } = calls;
    this.#hasBegun = true;
    counters.started++;
    try {
      this.#observers = interceptors.map((interceptor) => interceptor.observe?.(this)).filter((observer) => observer !== undefined);
      for (const [place, interceptor] of interceptors.entries()) {
        const answer = interceptor.admit?.(this);
        if (!(answer instanceof Promise)) continue;
        this.#admitLater(answer, place + 1);
        return;
      }
    } catch (error) {
      return this.#refuse(error);
    }
    this.#run();
  }

  /** The client went away. */
  abandon(): void {
    this.interrupt({ code: StatusCode.CANCELLED, message: "the client closed its connection" });
  }

  /** Ends the call before its handler does. */
  interrupt(error: GatewayError): void {
    if (this.phase === "done" || this.phase === "cancelled") return;
    const wasRunning = this.phase === "running";
    this.phase = wasRunning ? "cancelled" : "done";
    this.#end(error.code);
    this.sendStatus(error);
    if (!wasRunning) {
      this.#options.onEnded(this);
      return;
    }
    try {
      this.handlerCancelled();
    } catch (reason) {
      this.handlerFailed(reason);
    }
  }

  /** Ends the call with anything that was caught. */
  failWith(reason: unknown): void {
    if (!(reason instanceof RpcError)) this.handlerFailed(reason);
    if (this.phase !== "done" && this.finish("failWith", RpcError.from(reason).code)) this.sendStatus(RpcError.from(reason));
  }

  /** Calls the handler. */
  protected abstract run(): void;
  /** Tells the client how the call ended, if that was not by a unary response. */
  protected abstract sendStatus(status: GatewayError): void;
  /** Tells the handler that nothing which is sent will arrive. */
  protected abstract handlerCancelled(): void;

  /** The handler is done with the call. False if its answer is no longer wanted. */
  protected finish(method: string, code: StatusCode): boolean {
    if (this.phase === "waiting" || this.phase === "done") throw new Error(`Call ${this.path} was answered twice, now by ${method}`);
    const isWanted = this.phase === "running";
    this.phase = "done";
    if (isWanted) this.#end(code);
    this.#options.onEnded(this);
    return isWanted;
  }

  /** Nothing of a cancelled call runs any more. */
  protected cancelledRunEnded(): void {
    this.#options.onEnded(this);
  }

  protected countRequest(message: Uint8Array): void {
    this.#options.counters.received(message.length);
    this.#requests++;
    this.#requestBytes += message.length;
  }

  protected countResponse(message: Uint8Array): void {
    this.#options.counters.sent(message.length);
    this.#responses++;
    this.#responseBytes += message.length;
  }

  protected handlerFailed(reason: unknown): void {
    this.#options.calls.onHandlerError(this.path, reason);
  }

  #admitLater(first: Promise<void>, next: number): void {
    this.#admitRest(first, next).then(
      () => this.#run(),
      (error: unknown) => this.#refuse(error),
    );
  }

  async #admitRest(first: Promise<void>, next: number): Promise<void> {
    await first;
    for (const interceptor of this.#options.calls.interceptors.slice(next)) await interceptor.admit?.(this);
  }

  #run(): void {
    if (this.phase !== "waiting") return;
    this.phase = "running";
    try {
      this.run();
    } catch (error) {
      this.failWith(error);
    }
  }

  #refuse(reason: unknown): void {
    if (!(reason instanceof RpcError)) this.handlerFailed(reason);
    this.interrupt(RpcError.from(reason));
  }

  #deadlinePassed(): void {
    this.interrupt({ code: StatusCode.DEADLINE_EXCEEDED, message: "context deadline exceeded" });
  }

  /** The call has its status. */
  #end(code: StatusCode): void {
    this.#timer?.cancel();
    if (!this.#hasBegun) return;
    this.#options.counters.ended(code);
    const summary = {
      code,
      durationMs: this.#options.clock.monotonicMs() - this.#startedMs,
      requests: this.#requests,
      requestBytes: this.#requestBytes,
      responses: this.#responses,
      responseBytes: this.#responseBytes,
    };
    for (const observer of this.#observers) {
      try {
        observer(summary);
      } catch (error) {
        this.handlerFailed(error);
      }
    }
  }
}
