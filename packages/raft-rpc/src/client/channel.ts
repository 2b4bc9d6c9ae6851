import type { ByteStream } from "../byte-stream.ts";
import { CallTally } from "../grpc/call-tally.ts";
import type { Compressor } from "../grpc/compressor.ts";
import { DeadlineWheel } from "../grpc/deadline-wheel.ts";
import { RpcError } from "../grpc/rpc-error.ts";
import { StatusCode } from "../grpc/status.ts";
import { Http2Counters } from "../http2/counters.ts";
import { type RpcLimits, resolveLimits } from "../limits.ts";
import type { RpcClock, RpcRandom, RpcTimer } from "../rpc-clock.ts";
import { type BackOffOptions, backOffMs, defaultBackOff } from "./back-off.ts";
import type { CallOptions, ClientCall, ClientStreamCall, ClientStreamHandlers, UnaryDone } from "./client-call.ts";
import { ClientConnection, type ConnectionOwner } from "./client-connection.ts";
import { type ClientInterceptor, metadataOf, observersOf } from "./client-interceptor.ts";
import { type CallOwner, type CallTarget, ClientStream } from "./client-stream.ts";
import { RequestBlocks } from "./request-blocks.ts";

export interface ChannelOptions {
  /** Opens a byte stream to the server; has a time-out of its own. Called again after each loss, when calls need it. */
  readonly connect: () => Promise<ByteStream>;
  /** `:authority`: `host:port` of the server. */
  readonly authority: string;
  /** `:scheme`. Default http. */
  readonly scheme?: "http" | "https";
  readonly clock: RpcClock;
  /** For the jitter of reconnects. Default: none. */
  readonly random?: RpcRandom;
  readonly limits?: Partial<RpcLimits>;
  readonly backOff?: Partial<BackOffOptions>;
  /** Keepalive pings (`limits.keepaliveMs`) also while no call runs. Default false, as servers expect. */
  readonly keepaliveWithoutCalls?: boolean;
  /** Calls that may wait for the connection or for a free stream; more fail with RESOURCE_EXHAUSTED ("safe"). Default 10,000. */
  readonly waitingCallsMax?: number;
  /** A call without a deadline waits this long for the connection. Default 60 s. */
  readonly waitMs?: number;
  /** Compresses requests, and inflates answers: `gzip`. The server has to know it. Default: none. */
  readonly compression?: Compressor;
  /** Asked about each call, in their order. Default: none. */
  readonly interceptors?: readonly ClientInterceptor[];
  /**
   * A handler of a call threw: `done`, or one of ClientStreamHandlers. A stream's call was ended for it with INTERNAL, which its `onClose`
   * is told; nothing else is harmed. Default: dropped.
   */
  readonly onHandlerError?: (path: string, error: unknown) => void;
}

export type ChannelState =
  | { readonly kind: "idle" }
  | { readonly kind: "connecting"; readonly attempt: number }
  | { readonly kind: "ready"; readonly remoteAddress: string }
  /** The last attempt failed; the next is made at `untilMs` if calls wait then. */
  | { readonly kind: "backOff"; readonly untilMs: number; readonly error: Error }
  | { readonly kind: "closed" };

const noJitter: RpcRandom = { below: (limit) => Math.floor(limit / 2) };
/** The client pings only if it is told to, and chose itself how many answers come at once. */
const clientLimits = { keepaliveMs: Number.POSITIVE_INFINITY, streamWindowBytes: 1024 * 1024 } as const;

/**
 * One connection to one server, made when a call needs it, and made again after a loss.
 *
 *   idle --call--> connecting --> ready --lost--> idle (or connecting, if calls wait)
 *                    |  ^
 *           failed   v  | waited
 *                  backOff
 */
export class Channel implements CallOwner, ConnectionOwner {
  /** Of all connections that the channel had. */
  readonly counters = new Http2Counters();
  readonly compressor: Compressor | null;
  readonly #options: ChannelOptions;
  readonly #interceptors: readonly ClientInterceptor[];
  readonly #limits: RpcLimits;
  readonly #backOff: BackOffOptions;
  readonly #random: RpcRandom;
  readonly #wheel: DeadlineWheel;
  readonly #blocks: RequestBlocks;
  readonly #waitingMax: number;
  readonly #waitMs: number;
  readonly #waiting = new Set<ClientStream>();
  readonly #listeners = new Set<(state: ChannelState) => void>();
  /** All that are not closed: the current one and those that drain. */
  readonly #connections = new Set<ClientConnection>();
  #state: ChannelState = { kind: "idle" };
  #connection: ClientConnection | null = null;
  #failures = 0;
  #retryTimer: RpcTimer | null = null;
  #keepaliveFactor = 1;
  #closed: Promise<void> | null = null;
  #resolveClosed: () => void = () => undefined;

  /** Throws RangeError for limits that make no sense. */
  constructor(options: ChannelOptions) {
    this.#options = options;
    this.compressor = options.compression ?? null;
    this.#interceptors = options.interceptors ?? [];
    this.#limits = resolveLimits({ ...clientLimits, ...options.limits });
    this.#backOff = { ...defaultBackOff, ...options.backOff };
    this.#random = options.random ?? noJitter;
    this.#wheel = new DeadlineWheel(options.clock);
    this.#blocks = new RequestBlocks({
      authority: options.authority,
      scheme: options.scheme ?? "http",
      encoding: this.compressor?.encoding ?? null,
    });
    this.#waitingMax = options.waitingCallsMax ?? 10_000;
    this.#waitMs = options.waitMs ?? 60_000;
  }

  get state(): ChannelState {
    return this.#state;
  }

  get clock(): RpcClock {
    return this.#options.clock;
  }

  /** Calls `listener`, which must not throw, at each change of state. Returns what ends that. */
  onState(listener: (state: ChannelState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Begins to connect without waiting for a call. */
  connect(): void {
    if (this.#state.kind === "idle") this.#connect();
  }

  /** A unary call on raw messages. The message is not changed until `done` is called, which is never from within this call. */
  request(path: string, message: Uint8Array, done: UnaryDone, options: CallOptions = {}): ClientCall {
    return this.#call(path, { kind: "unary", request: message, done }, options);
  }

  /** A unary call on raw messages. Rejects with RpcError. */
  unary(path: string, message: Uint8Array, options: CallOptions = {}): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const done: UnaryDone = (error, response) => {
        if (response !== null) resolve(response);
        else reject(error ?? new RpcError(StatusCode.INTERNAL, "Unary call ended without a result"));
      };
      this.request(path, message, done, options);
    });
  }

  /** A call of any streaming kind on raw messages. */
  stream(path: string, handlers: ClientStreamHandlers, options: CallOptions = {}): ClientStreamCall {
    return this.#call(path, { kind: "stream", handlers }, options);
  }

  /** Fails the calls that wait ("safe") and that run, and closes the connection. May be called again. */
  close(): Promise<void> {
    if (this.#closed !== null) return this.#closed;
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    // A timer that waits for nobody would keep the process.
    void this.#closed.then(() => this.#wheel.stop());
    this.#retryTimer?.cancel();
    this.#setState({ kind: "closed" });
    for (const call of [...this.#waiting]) call.refuse(closedError());
    for (const connection of [...this.#connections]) connection.shutDown();
    if (this.#connections.size === 0) this.#resolveClosed();
    return this.#closed;
  }

  // ---- CallOwner

  callEnded(call: ClientStream): void {
    this.#waiting.delete(call);
    this.#wheel.clear(call);
  }

  handlerFailed(path: string, error: unknown): void {
    this.counters.handlerFailures++;
    this.#options.onHandlerError?.(path, error);
  }

  // ---- ConnectionOwner

  connectionReady(connection: ClientConnection): void {
    if (connection === this.#connection) this.#failures = 0;
  }

  connectionHasRoom(connection: ClientConnection): void {
    if (connection === this.#connection) this.#startWaiting(connection);
  }

  connectionDrains(connection: ClientConnection, tooManyPings: boolean): void {
    // gRPC keepalive: a server that finds the pings too many is pinged half as often.
    if (tooManyPings) this.#keepaliveFactor *= 2;
    if (connection === this.#connection) this.#connectionLost(null);
  }

  connectionClosed(connection: ClientConnection, error: Error | null): void {
    this.#connections.delete(connection);
    if (this.#state.kind === "closed") {
      if (this.#connections.size === 0) this.#resolveClosed();
      return;
    }
    if (connection !== this.#connection) return;
    this.#connectionLost(connection.ready ? null : (error ?? new Error("Connection was closed before the server's SETTINGS")));
  }

  // ---- Details

  #call(path: string, target: CallTarget, options: CallOptions): ClientStream {
    if (this.#interceptors.length > 0) return this.#intercepted(path, target, options);
    const call = new ClientStream(this, path, target, options, this.#deadlineMs(options));
    this.#begin(call);
    return call;
  }

  #intercepted(path: string, target: CallTarget, options: CallOptions): ClientStream {
    const metadata = metadataOf(this.#interceptors, path, options.metadata);
    const call = new ClientStream(this, path, target, { ...options, metadata }, this.#deadlineMs(options));
    call.tally = new CallTally(this.#options.clock, observersOf(this.#interceptors, path));
    this.#begin(call);
    return call;
  }

  #deadlineMs(options: CallOptions): number {
    const deadlineMs = options.deadlineMs ?? Number.POSITIVE_INFINITY;
    return options.timeoutMs === undefined ? deadlineMs : Math.min(deadlineMs, this.#options.clock.monotonicMs() + options.timeoutMs);
  }

  #begin(call: ClientStream): void {
    const connection = this.#connection;
    const nowMs = this.#options.clock.monotonicMs();
    if (connection !== null && this.#waiting.size === 0 && connection.hasRoom && call.callDeadlineMs > nowMs) {
      this.#start(connection, call, nowMs);
      return;
    }
    const error = this.#refusal(call, call.callDeadlineMs <= nowMs);
    if (error !== null) {
      // Not from within the call: its caller has no handle yet.
      this.#options.clock.atEndOfTurn(() => call.refuse(error));
      return;
    }
    this.#waiting.add(call);
    this.#wheel.set(call, Math.min(call.callDeadlineMs, nowMs + this.#waitMs));
    if (this.#state.kind === "idle") this.#connect();
  }

  #refusal(call: ClientStream, isLate: boolean): RpcError | null {
    if (this.#state.kind === "closed") return closedError();
    if (isLate) return new RpcError(StatusCode.DEADLINE_EXCEEDED, "context deadline exceeded", { retryable: "safe" });
    if (this.#waiting.size >= this.#waitingMax) {
      return new RpcError(StatusCode.RESOURCE_EXHAUSTED, `${this.#waiting.size} calls wait for the connection already`, {
        retryable: "safe",
      });
    }
    if (call.failFast && this.#state.kind === "backOff") return unavailable(this.#state.error);
    return null;
  }

  #start(connection: ClientConnection, call: ClientStream, nowMs: number): void {
    this.#wheel.set(call, call.callDeadlineMs);
    connection.begin(call, this.#blocks.block(call, call.callDeadlineMs - nowMs));
  }

  #startWaiting(connection: ClientConnection): void {
    if (this.#waiting.size === 0) return;
    const nowMs = this.#options.clock.monotonicMs();
    for (const call of this.#waiting) {
      if (!connection.hasRoom) return;
      this.#waiting.delete(call);
      this.#start(connection, call, nowMs);
    }
  }

  #connect(): void {
    this.#retryTimer = null;
    this.#setState({ kind: "connecting", attempt: this.#failures + 1 });
    this.#options.connect().then(
      (stream) => this.#connected(stream),
      (error: unknown) => this.#connectionLost(error instanceof Error ? error : new Error(String(error))),
    );
  }

  #connected(stream: ByteStream): void {
    if (this.#state.kind === "closed") {
      stream.destroy();
      return;
    }
    const connection = new ClientConnection({
      stream,
      clock: this.#options.clock,
      wheel: this.#wheel,
      limits: { ...this.#limits, keepaliveMs: this.#limits.keepaliveMs * this.#keepaliveFactor },
      counters: this.counters,
      owner: this,
      keepaliveWithoutCalls: this.#options.keepaliveWithoutCalls ?? false,
    });
    this.#connections.add(connection);
    this.#connection = connection;
    stream.setHandlers(connection);
    connection.start();
    this.#setState({ kind: "ready", remoteAddress: stream.remoteAddress });
    this.#startWaiting(connection);
  }

  /** The current connection takes no calls any more, or there is none. `error`: it never worked. */
  #connectionLost(error: Error | null): void {
    if (this.#state.kind === "closed") return;
    this.#connection = null;
    if (error === null) {
      this.#setState({ kind: "idle" });
      if (this.#waiting.size > 0) this.#connect();
      return;
    }
    this.#failures++;
    const delayMs = backOffMs(this.#backOff, this.#failures, this.#random);
    this.#retryTimer = this.#options.clock.setTimer(delayMs, () => this.#retry());
    this.#setState({ kind: "backOff", untilMs: this.#options.clock.monotonicMs() + delayMs, error });
    for (const call of [...this.#waiting]) if (call.failFast) call.refuse(unavailable(error));
  }

  #retry(): void {
    if (this.#state.kind !== "backOff") return;
    if (this.#waiting.size > 0) this.#connect();
    else this.#setState({ kind: "idle" });
  }

  #setState(state: ChannelState): void {
    this.#state = state;
    for (const listener of [...this.#listeners]) listener(state);
  }
}

function unavailable(error: Error): RpcError {
  return new RpcError(StatusCode.UNAVAILABLE, `Server cannot be reached: ${error.message}`, { retryable: "safe", cause: error });
}

function closedError(): RpcError {
  return new RpcError(StatusCode.CANCELLED, "Channel is closed", { retryable: "safe" });
}
