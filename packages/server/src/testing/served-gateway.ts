import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { create, etcdserverpb } from "@raftkv/api";
import { Dispatcher, RpcError, type ServerInterceptor, StatusCode } from "@raftkv/raft-rpc";
import { AccessControl } from "../http/access-control.ts";
import { Gateway } from "../http/gateway/gateway.ts";
import { HttpEndpoints } from "../http/http-endpoints.ts";
import { defaultHttpTimeouts, type HttpTimeouts } from "../http/http-timeouts.ts";
import { NodeClock } from "../ports/node-clock.ts";

const host = "127.0.0.1";
const open: { close(): void }[] = [];

/** Closes all servers and clients of this file: after each test. */
export function closeGateways(): void {
  for (const resource of open.splice(0)) resource.close();
}

export interface GatewayOptions {
  readonly dispatcher?: Dispatcher;
  readonly interceptors?: readonly ServerInterceptor[];
  readonly concurrentMax?: number;
  readonly messageBytesMax?: number;
  readonly timeouts?: Partial<HttpTimeouts>;
}

export interface ServedGateway {
  readonly port: number;
  readonly url: string;
  readonly endpoints: HttpEndpoints;
  /** What handlers threw. */
  readonly failures: unknown[];
}

/** A gateway behind a listener that hands its sockets over, as the member does. */
export async function serveGateway(options: GatewayOptions = {}): Promise<ServedGateway> {
  const { dispatcher = new Dispatcher(), interceptors = [], concurrentMax = 10, messageBytesMax = 10_000 } = options;
  const failures: unknown[] = [];
  const clock = new NodeClock();
  const onHandlerError = (_path: string, error: unknown): void => void failures.push(error);
  const gateway = new Gateway({ dispatcher, interceptors, concurrentMax, messageBytesMax, onHandlerError }, clock);
  const access = new AccessControl({ hosts: ["*"], corsOrigins: ["*"] });
  const connections = { max: 100, perAddressMax: 100 };
  const timeouts = { ...defaultHttpTimeouts, ...options.timeouts };
  const endpoints = new HttpEndpoints({ access, pages: new Map(), gateway, clock, connections, timeouts });
  const listener = createServer({ pauseOnConnect: true }, (socket) => endpoints.accept(socket));
  listener.listen(0, host);
  await once(listener, "listening");
  open.push({
    close() {
      listener.close();
      void endpoints.close(0);
    },
  });
  const address = listener.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  return { port, url: `http://${host}:${port}`, endpoints, failures };
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

export async function post(url: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<HttpAnswer> {
  const response = await fetch(url, { method: "POST", body, headers: { connection: "close", ...headers } });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

/** A client that sees every octet. */
export class RawClient {
  received = "";
  readonly socket: Socket;
  /** Resolves also when the connection was reset. */
  readonly closed: Promise<void>;

  constructor(port: number) {
    this.socket = connect(port, host);
    this.socket.on("data", (chunk) => (this.received += chunk.toString("latin1")));
    this.socket.on("error", () => undefined);
    this.closed = new Promise((resolve) => this.socket.once("close", () => resolve()));
    open.push({ close: () => this.socket.destroy() });
  }

  /** Begins a request whose body goes on. */
  begin(path: string): void {
    this.socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n`);
  }

  chunk(text: string): void {
    this.socket.write(`${text.length.toString(16)}\r\n${text}\r\n`);
  }

  /** A request with its whole body. */
  request(path: string, body: string): void {
    this.socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  }

  async until(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.received)) await once(this.socket, "data");
  }
}

export const grant = (id: bigint, ttl: bigint) =>
  create(etcdserverpb.LeaseGrantResponseSchema, { header: { revision: 7n }, ID: id, TTL: ttl });
/** Leases that answer with what was asked, or not at all. */
export const echoLease = new Dispatcher().add(etcdserverpb.leaseService, {
  leaseGrant: ({ ID, TTL }) => grant(ID, TTL),
  leaseRevoke() {
    throw new RpcError(StatusCode.NOT_FOUND, "etcdserver: requested lease not found");
  },
  async *leaseKeepAlive(requests) {
    for await (const { ID } of requests) yield create(etcdserverpb.LeaseKeepAliveResponseSchema, { ID, TTL: 10n });
  },
});
