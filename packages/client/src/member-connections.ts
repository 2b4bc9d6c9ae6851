import { Channel, RpcError, StatusCode } from "@raftkv/raft-rpc";
import type { ClientPorts } from "./client-options.ts";
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
}

interface Connection {
  readonly channel: Channel;
  runningCalls: number;
  connectMs: number;
}

/** Most members to which connections are kept; the ones that are idle for longest go first. */
const connectionsMax = 128;

/** The pauses between attempts are the router's: it knows of other members. */
const promptReconnect = { initialMs: 1, maxMs: 1, factor: 1, jitter: 0 } as const;

/** One channel for each member, made when first needed, in the order of last use. */
export class MemberConnections {
  readonly #ports: ClientPorts;
  readonly #connections = new Map<string, Connection>();
  #closed = false;

  constructor(ports: ClientPorts) {
    this.#ports = ports;
  }

  /** Rejects with RpcError; fails at once, as "safe", if the member cannot be reached. */
  async unary(endpoint: Endpoint, call: MemberCall): Promise<Uint8Array> {
    const connection = this.#connectionTo(endpoint);
    connection.connectMs = call.connectMs;
    connection.runningCalls += 1;
    try {
      return await connection.channel.unary(call.path, call.message, { timeoutMs: call.timeoutMs, failFast: true });
    } finally {
      connection.runningCalls -= 1;
    }
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
    const { clock, random, connect } = this.#ports;
    const channel = new Channel({
      connect: () => connect(endpoint, connection.connectMs),
      authority: endpoint.address,
      clock,
      random,
      backOff: promptReconnect,
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
