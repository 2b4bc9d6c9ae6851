import type { ByteStream } from "../byte-stream.ts";
import type { Compressor } from "../grpc/compressor.ts";
import { DeadlineWheel, WheelTimer } from "../grpc/deadline-wheel.ts";
import { type RpcLimits, resolveLimits } from "../limits.ts";
import type { RpcClock, RpcRandom } from "../rpc-clock.ts";
import { ConnectionAdmission, type ConnectionLimits, originOf, resolveConnectionLimits } from "./connection-admission.ts";
import { DelayedConnection } from "./delayed-connection.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { HeldMemory } from "./held-memory.ts";
import type { LimitName } from "./limit-counters.ts";
import { OriginConduct } from "./origin-conduct.ts";
import { PrefaceSniffer } from "./preface-sniffer.ts";
import { ServerConnection } from "./server-connection.ts";
import { ServerCounters } from "./server-counters.ts";
import type { ServerInterceptor } from "./server-interceptor.ts";
import { TurnLine } from "./turn-line.ts";

export interface RpcServerOptions {
  readonly dispatcher: Dispatcher;
  readonly clock: RpcClock;
  /** On what one connection may do. */
  readonly limits?: Partial<RpcLimits>;
  /** On how many there may be, for how long, and what they may hold together. */
  readonly connections?: Partial<ConnectionLimits>;
  /** Spreads the ages at which connections are told to go. Default: all at `ageMs`. */
  readonly random?: RpcRandom;
  /** Inflates requests, and compresses answers for clients that take them: `gzip`. Default: requests that are compressed get UNIMPLEMENTED. */
  readonly compression?: Compressor;
  /** Asked about each call, in their order. Default: none. */
  readonly interceptors?: readonly ServerInterceptor[];
  /** Gets streams that do not begin with HTTP/2's preface, and sets their handlers. Default: they are closed. */
  readonly onOtherProtocol?: (stream: ByteStream, firstBytes: Uint8Array) => void;
  /** A handler or an interceptor threw something that is not an RpcError. The client sees UNKNOWN. */
  readonly onHandlerError?: (path: string, error: unknown) => void;
  /** A limit refused something of this client; `counters.limits` counts it. */
  readonly onLimit?: (limit: LimitName, remoteAddress: string) => void;
  /** A connection ended; `error` says why, if it was not by agreement. */
  readonly onConnectionClosed?: (remoteAddress: string, error: Error | null) => void;
}

/** Of the age at which a connection is told to go. */
const ageJitter = 0.1;
const jitterSteps = 1 << 20;

/** Serves the calls of a dispatcher on byte streams that the owner accepted. */
export class RpcServer {
  readonly counters = new ServerCounters();
  readonly #options: RpcServerOptions;
  readonly #limits: RpcLimits;
  readonly #connectionLimits: ConnectionLimits;
  readonly #admission: ConnectionAdmission;
  readonly #conduct: OriginConduct;
  readonly #memory: HeldMemory;
  readonly #wheel: DeadlineWheel;
  readonly #turns: TurnLine;
  /** Connections that have not begun to speak HTTP/2. */
  readonly #newcomers = new Set<DelayedConnection | PrefaceSniffer>();
  readonly #connections = new Set<ServerConnection>();
  #state: "open" | "closing" | "closed" = "open";
  #closed: Promise<void> | null = null;
  #resolveClosed: () => void = () => undefined;

  /** Throws RangeError for limits that make no sense. */
  constructor(options: RpcServerOptions) {
    this.#options = options;
    this.#limits = resolveLimits(options.limits ?? {});
    this.#connectionLimits = resolveConnectionLimits(options.connections ?? {});
    this.#admission = new ConnectionAdmission(this.#connectionLimits);
    this.#conduct = new OriginConduct(this.#connectionLimits);
    this.#memory = new HeldMemory(this.#connectionLimits.heldBytesMax);
    this.#wheel = new DeadlineWheel(options.clock);
    this.#turns = new TurnLine(options.clock);
  }

  /** What all connections hold of messages: at most `connections.heldBytesMax`. */
  get heldBytes(): number {
    return this.#memory.bytes;
  }

  /**
   * Takes a new connection, in the turn in which it was accepted. Destroys it if there are too many; lets it wait if others from its address
   * ended badly.
   */
  accept(stream: ByteStream): void {
    const { remoteAddress } = stream;
    const limit = this.#admission.brokenLimit(remoteAddress);
    if (limit !== null) this.#limitTripped(limit, remoteAddress);
    if (this.#state !== "open" || limit !== null) {
      stream.destroy();
      return;
    }
    this.counters.connectionsAccepted++;
    this.#admission.enter(remoteAddress);
    const nowMs = this.#options.clock.monotonicMs();
    const origin = originOf(remoteAddress);
    const delayMs = this.#conduct.delayMs(origin, nowMs);
    if (delayMs === 0) return this.#sniff(stream);
    this.#limitTripped("connectionsDelayed", remoteAddress);
    const delayed = new DelayedConnection({
      origin,
      stream,
      wheel: this.#wheel,
      line: this.#turns,
      untilMs: nowMs + delayMs,
      onBegin: () => {
        this.#newcomers.delete(delayed);
        this.#sniff(stream);
      },
      onClosed: () => {
        this.#newcomers.delete(delayed);
        this.#admission.leave(remoteAddress);
      },
    });
    this.#newcomers.add(delayed);
  }

  #sniff(stream: ByteStream): void {
    const { remoteAddress } = stream;
    const sniffer = new PrefaceSniffer({
      stream,
      clock: this.#options.clock,
      wheel: this.#wheel,
      timeoutMs: this.#limits.prefaceTimeoutMs,
      onHttp2: (received, prefaceBytes) => {
        this.#newcomers.delete(sniffer);
        this.#start(stream, received, prefaceBytes);
      },
      onOther: (received) => {
        this.#newcomers.delete(sniffer);
        this.#handOver(stream, received);
      },
      onTimeout: () => this.#limitTripped("prefaceTimeouts", remoteAddress),
      onFault: () => this.#blame(remoteAddress),
      onClosed: () => {
        this.#newcomers.delete(sniffer);
        this.#admission.leave(remoteAddress);
      },
    });
    this.#newcomers.add(sniffer);
  }

  /**
   * Takes no new connections and calls, lets running calls end for `graceMs`, then ends them with UNAVAILABLE. Resolves when all connections
   * are closed. May be called again.
   */
  close(graceMs: number): Promise<void> {
    if (this.#closed !== null) return this.#closed;
    this.#state = "closing";
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    for (const newcomer of this.#newcomers) newcomer.destroy();
    this.#newcomers.clear();
    for (const connection of [...this.#connections]) connection.drain();
    const timer = new WheelTimer(() => {
      for (const connection of [...this.#connections]) connection.shutDown();
    });
    this.#wheel.set(timer, this.#options.clock.monotonicMs() + graceMs);
    // A timer that waits for nobody would keep the process.
    void this.#closed.then(() => this.#wheel.stop());
    this.#checkClosed();
    return this.#closed;
  }

  #start(stream: ByteStream, received: Uint8Array, prefaceBytes: number): void {
    const connection = new ServerConnection({
      stream,
      clock: this.#options.clock,
      wheel: this.#wheel,
      limits: this.#limits,
      counters: this.counters,
      dispatcher: this.#options.dispatcher,
      compressor: this.#options.compression ?? null,
      interceptors: this.#options.interceptors ?? [],
      memory: this.#memory,
      turns: this.#turns,
      origin: originOf(stream.remoteAddress),
      idleMs: this.#connectionLimits.idleMs,
      ageMs: this.#drawAge(),
      onLimit: this.#options.onLimit ?? (() => undefined),
      onHandlerError: this.#options.onHandlerError ?? (() => undefined),
      onFault: () => this.#blame(stream.remoteAddress),
      onClosed: (closed, error) => this.#connectionClosed(closed, error),
    });
    this.#connections.add(connection);
    this.counters.connectionsOpen++;
    stream.setHandlers(connection);
    connection.start(received, prefaceBytes);
  }

  #handOver(stream: ByteStream, received: Uint8Array): void {
    this.counters.otherProtocols++;
    // Its new owner has limits of its own.
    this.#admission.leave(stream.remoteAddress);
    if (this.#options.onOtherProtocol !== undefined) return this.#options.onOtherProtocol(stream, received);
    this.#blame(stream.remoteAddress);
    stream.destroy();
  }

  #connectionClosed(connection: ServerConnection, error: Error | null): void {
    this.#connections.delete(connection);
    this.counters.connectionsOpen--;
    this.#admission.leave(connection.remoteAddress);
    this.#options.onConnectionClosed?.(connection.remoteAddress, error);
    this.#checkClosed();
  }

  /** A connection from there ended, or will end, and was for nothing. */
  #blame(remoteAddress: string): void {
    this.#conduct.blame(originOf(remoteAddress), this.#options.clock.monotonicMs());
  }

  #limitTripped(limit: LimitName, remoteAddress: string): void {
    this.counters.limits[limit]++;
    this.#options.onLimit?.(limit, remoteAddress);
  }

  /** Connections that were made together do not all come back together. */
  #drawAge(): number {
    const { ageMs } = this.#connectionLimits;
    const { random } = this.#options;
    if (random === undefined || ageMs === Number.POSITIVE_INFINITY) return ageMs;
    return ageMs * (1 + ageJitter * (2 * (random.below(jitterSteps) / jitterSteps) - 1));
  }

  #checkClosed(): void {
    if (this.#state !== "closing" || this.#connections.size > 0) return;
    this.#state = "closed";
    this.#resolveClosed();
  }
}
