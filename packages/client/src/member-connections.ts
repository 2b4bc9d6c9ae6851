import { Channel, type ClientStreamCall, type ClientStreamHandlers, type Metadata, RpcError, StatusCode } from "@raftkv/raft-rpc";
import { onAbort } from "./abort-listeners.ts";
import { type ClientOptions, defaultResponseBytesMax } from "./client-options.ts";
import type { Endpoint } from "./endpoint.ts";

/** One call to one member. */
export interface MemberCall {
  /** `/raftkv.v1.RaftKV/Put`. */
  readonly path: string;
  readonly message: Uint8Array;
  /** For the whole call. */
  readonly timeoutMs: number;
  /** For its connection, if there is none yet: at most `timeoutMs`. */
  readonly connectMs: number;
  /** Cancels it. */
  readonly signal?: AbortSignal;
}

/** One streaming call to one member. It lasts until one of both ends it. */
export interface MemberStream {
  readonly path: string;
  readonly handlers: ClientStreamHandlers;
  /** For its connection, if there is none yet. */
  readonly connectMs: number;
  readonly metadata?: Metadata;
}

interface Connection {
  readonly channel: Channel;
  runningCalls: number;
  connectMs: number;
}

/** Most members to which connections are kept; the ones that are idle for longest go first. */
const connectionsMax = 128;

/** A member that is silent for so long while calls run is asked for a sign of life, and taken for lost without one (etcd takes a ping each 5 s). */
const keepaliveLimits = { keepaliveMs: 10_000, keepaliveTimeoutMs: 5_000 } as const;

/** The pauses between attempts are the router's: it knows of other members. */
const promptReconnect = { initialMs: 1, maxMs: 1, factor: 1, jitter: 0 } as const;

/** One channel for each member, made when first needed, in the order of last use. */
export class MemberConnections {
  readonly #options: ClientOptions;
  readonly #connections = new Map<string, Connection>();
  #closed = false;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Rejects with RpcError; fails at once, as "safe", if the member cannot be reached. */
  async unary(endpoint: Endpoint, call: MemberCall): Promise<Uint8Array> {
    const connection = this.#connectionTo(endpoint);
    connection.connectMs = call.connectMs;
    connection.runningCalls += 1;
    try {
      return await request(connection.channel, call);
    } finally {
      connection.runningCalls -= 1;
    }
  }

  /** Throws RpcError. The handlers are told of a member that cannot be reached, as "safe". */
  stream(endpoint: Endpoint, { path, handlers, connectMs, metadata }: MemberStream): ClientStreamCall {
    const connection = this.#connectionTo(endpoint);
    connection.connectMs = connectMs;
    connection.runningCalls += 1;
    const counted: ClientStreamHandlers = {
      onMetadata: (head) => handlers.onMetadata(head),
      onMessage: (message) => handlers.onMessage(message),
      onDrain: () => handlers.onDrain(),
      onClose: (error, trailers) => {
        connection.runningCalls -= 1;
        handlers.onClose(error, trailers);
      },
    };
    return connection.channel.stream(path, counted, { failFast: true, ...(metadata === undefined ? {} : { metadata }) });
  }

  /** Running calls reject. May be called twice. */
  close(): void {
    this.#closed = true;
    for (const { channel } of this.#connections.values()) void channel.close();
    this.#connections.clear();
  }

  #connectionTo(endpoint: Endpoint): Connection {
    if (this.#closed) throw new RpcError(StatusCode.CANCELLED, "The client is closed", { retryable: "safe" });
    const known = this.#connections.get(endpoint.address);
    const connection = known ?? this.#newConnection(endpoint);
    if (known !== undefined) this.#connections.delete(endpoint.address);
    else this.#makeRoom();
    this.#connections.set(endpoint.address, connection);
    return connection;
  }

  #newConnection(endpoint: Endpoint): Connection {
    const { clock, random, connect } = this.#options;
    const channel = new Channel({
      connect: () => connect(endpoint, connection.connectMs),
      authority: endpoint.address,
      clock,
      random,
      backOff: promptReconnect,
      limits: { ...keepaliveLimits, messageBytesMax: this.#options.responseBytesMax ?? defaultResponseBytesMax },
    });
    const connection: Connection = { channel, runningCalls: 0, connectMs: 0 };
    return connection;
  }

  #makeRoom(): void {
    if (this.#connections.size < connectionsMax) return;
    for (const [address, { channel, runningCalls }] of this.#connections) {
      if (runningCalls > 0) continue;
      this.#connections.delete(address);
      void channel.close();
      return;
    }
    throw new RpcError(StatusCode.RESOURCE_EXHAUSTED, `Connections to ${connectionsMax} members are in use`, { retryable: "safe" });
  }
}

function request(channel: Channel, { path, message, timeoutMs, signal }: MemberCall): Promise<Uint8Array> {
  if (signal === undefined) return channel.unary(path, message, { timeoutMs, failFast: true });
  return new Promise((resolve, reject) => {
    let undo = (): void => undefined;
    const call = channel.request(
      path,
      message,
      (error, response) => {
        undo();
        if (response !== null) resolve(response);
        else reject(error ?? new RpcError(StatusCode.INTERNAL, "Unary call ended without a result"));
      },
      { timeoutMs, failFast: true },
    );
    undo = onAbort(signal, () => call.cancel());
  });
}
