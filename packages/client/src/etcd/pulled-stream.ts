import { type ClientStreamCall, type ClientStreamHandlers, RpcError, StatusCode } from "@raftkv/raft-rpc";
import { onAbort } from "../abort-listeners.ts";
import type { ClientContext } from "../client-context.ts";
import type { Endpoint } from "../endpoint.ts";

/** A call that is answered by many messages. */
export interface PulledCall {
  readonly path: string;
  readonly request: Uint8Array;
  /** The longest pause between two messages, in ms. */
  readonly pauseMs: number;
  readonly signal?: AbortSignal;
}

/** The messages of one call to one member, taken one by one: while one waits to be taken the stream stands still. */
export class PulledStream implements ClientStreamHandlers {
  readonly #context: ClientContext;
  readonly #pauseMs: number;
  readonly #call: ClientStreamCall;
  readonly #unfollow: () => void;
  readonly #waiting: Uint8Array[] = [];
  #end: { readonly error: RpcError | null } | null = null;
  #wake: () => void = () => undefined;

  /** Throws RpcError. */
  constructor(context: ClientContext, endpoint: Endpoint, { path, request, pauseMs, signal }: PulledCall) {
    this.#context = context;
    this.#pauseMs = pauseMs;
    this.#call = context.connections.stream(endpoint, { path, connectMs: pauseMs, handlers: this });
    this.#call.send(request);
    this.#call.end();
    this.#unfollow = onAbort(signal, () => this.#call.cancel());
  }

  /** Null: that was all. Rejects with RpcError. */
  async next(): Promise<Uint8Array | null> {
    if (this.#waiting.length === 0 && this.#end === null) await this.#arrival();
    const message = this.#waiting.shift();
    if (message !== undefined) {
      this.#call.resume();
      return message;
    }
    if (this.#end === null) throw new RpcError(StatusCode.DEADLINE_EXCEEDED, `Nothing came for ${this.#pauseMs} ms`);
    if (this.#end.error !== null) throw this.#end.error;
    return null;
  }

  /** No more of it is wanted. May be called after the end. */
  cancel(): void {
    this.#unfollow();
    this.#call.cancel();
  }

  onMetadata(): void {
    // The messages say it all.
  }

  onMessage(message: Uint8Array): void {
    this.#call.pause();
    this.#waiting.push(message);
    this.#wake();
  }

  onDrain(): void {
    // There is one request.
  }

  onClose(error: RpcError | null): void {
    this.#end = { error };
    this.#wake();
  }

  /** Resolves when there is something, or `pauseMs` have passed. */
  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#context.ports.clock.setTimer(this.#pauseMs, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}
