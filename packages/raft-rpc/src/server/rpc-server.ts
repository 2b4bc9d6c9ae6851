import type { ByteStream } from "../byte-stream.ts";
import { DeadlineWheel, WheelTimer } from "../grpc/deadline-wheel.ts";
import { type RpcLimits, resolveLimits } from "../limits.ts";
import type { RpcClock } from "../rpc-clock.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { PrefaceSniffer } from "./preface-sniffer.ts";
import { ServerConnection } from "./server-connection.ts";
import { ServerCounters } from "./server-counters.ts";

export interface RpcServerOptions {
  readonly dispatcher: Dispatcher;
  readonly clock: RpcClock;
  readonly limits?: Partial<RpcLimits>;
  /** Gets streams that do not begin with HTTP/2's preface, and sets their handlers. Default: they are closed. */
  readonly onOtherProtocol?: (stream: ByteStream, firstBytes: Uint8Array) => void;
  /** A handler threw something that is not an RpcError. The client sees UNKNOWN. */
  readonly onHandlerError?: (path: string, error: unknown) => void;
  /** A connection ended; `error` says why, if it was not by agreement. */
  readonly onConnectionClosed?: (remoteAddress: string, error: Error | null) => void;
}

/** Serves the calls of a dispatcher on byte streams that the owner accepted. */
export class RpcServer {
  readonly counters = new ServerCounters();
  readonly #options: RpcServerOptions;
  readonly #limits: RpcLimits;
  readonly #wheel: DeadlineWheel;
  readonly #sniffers = new Set<PrefaceSniffer>();
  readonly #connections = new Set<ServerConnection>();
  #state: "open" | "closing" | "closed" = "open";
  #closed: Promise<void> | null = null;
  #resolveClosed: () => void = () => undefined;

  /** Throws RangeError for limits that make no sense. */
  constructor(options: RpcServerOptions) {
    this.#options = options;
    this.#limits = resolveLimits(options.limits ?? {});
    this.#wheel = new DeadlineWheel(options.clock);
  }

  /** Takes a new connection, in the turn in which it was accepted. */
  accept(stream: ByteStream): void {
    if (this.#state !== "open") {
      stream.destroy();
      return;
    }
    this.counters.connectionsAccepted++;
    const sniffer = new PrefaceSniffer({
      stream,
      clock: this.#options.clock,
      wheel: this.#wheel,
      onHttp2: (received, prefaceBytes) => {
        this.#sniffers.delete(sniffer);
        this.#start(stream, received, prefaceBytes);
      },
      onOther: (received) => {
        this.#sniffers.delete(sniffer);
        this.#handOver(stream, received);
      },
      onClosed: () => this.#sniffers.delete(sniffer),
    });
    this.#sniffers.add(sniffer);
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
    for (const sniffer of this.#sniffers) sniffer.destroy();
    this.#sniffers.clear();
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
      onHandlerError: this.#options.onHandlerError ?? (() => undefined),
      onClosed: (closed, error) => this.#connectionClosed(closed, error),
    });
    this.#connections.add(connection);
    this.counters.connectionsOpen++;
    stream.setHandlers(connection);
    connection.start(received, prefaceBytes);
  }

  #handOver(stream: ByteStream, received: Uint8Array): void {
    this.counters.otherProtocols++;
    if (this.#options.onOtherProtocol === undefined) stream.destroy();
    else this.#options.onOtherProtocol(stream, received);
  }

  #connectionClosed(connection: ServerConnection, error: Error | null): void {
    this.#connections.delete(connection);
    this.counters.connectionsOpen--;
    this.#options.onConnectionClosed?.(connection.remoteAddress, error);
    this.#checkClosed();
  }

  #checkClosed(): void {
    if (this.#state !== "closing" || this.#connections.size > 0) return;
    this.#state = "closed";
    this.#resolveClosed();
  }
}
