import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "@raftkv/raft-node";
import { ConnectionAdmission, type ConnectionLimits, defaultConnectionLimits } from "@raftkv/raft-rpc";
import type { AccessControl } from "./access-control.ts";
import { ExchangeDeadline } from "./exchange-deadline.ts";
import type { Gateway } from "./gateway/gateway.ts";
import { defaultHttpTimeouts, type HttpTimeouts } from "./http-timeouts.ts";
import { sendText } from "./text-answer.ts";

/** Answers a GET of one path, or of the paths below it. */
export type Page = (request: PageRequest, response: ServerResponse) => Promise<void> | void;

export interface PageRequest {
  readonly path: string;
  readonly query: URLSearchParams;
}

export interface HttpEndpointParts {
  readonly access: AccessControl;
  /** By path. One that ends in "/" stands for all below it. */
  readonly pages: ReadonlyMap<string, Page>;
  /** Null if the API is not served as JSON. */
  readonly gateway: Gateway | null;
  readonly clock: Pick<Clock, "setTimer">;
  readonly connections: Pick<ConnectionLimits, "max" | "perAddressMax">;
  readonly timeouts?: HttpTimeouts;
}

/** TCP asks a client that was silent for this long whether it is there. */
const keepAliveMs = 15_000;

/**
 * HTTP/1.1 on the client port, as etcd has it: pages and the JSON gateway. Listens nowhere by itself; it is handed the sockets that turn
 * out not to speak HTTP/2.
 */
export class HttpEndpoints {
  readonly #parts: HttpEndpointParts;
  readonly #timeouts: HttpTimeouts;
  readonly #server: Server;
  readonly #admission: ConnectionAdmission;
  readonly #sockets = new Map<Socket, ExchangeDeadline>();
  readonly #answering = new Set<ServerResponse>();
  #closed: Promise<void> | null = null;
  #resolveClosed: (() => void) | null = null;

  constructor(parts: HttpEndpointParts) {
    this.#parts = parts;
    this.#timeouts = parts.timeouts ?? defaultHttpTimeouts;
    this.#admission = new ConnectionAdmission({ ...defaultConnectionLimits, ...parts.connections });
    this.#server = createServer({ maxHeaderSize: 16 * 1024, keepAliveTimeout: 0 }, (request, response) => this.#serve(request, response));
  }

  get connectionCount(): number {
    return this.#sockets.size;
  }

  /** Takes a socket that is paused, with what was read of it put back. Destroys it if there are too many. */
  accept(socket: Socket): void {
    const address = `${socket.remoteAddress}:${socket.remotePort}`;
    if (this.#closed !== null || this.#admission.brokenLimit(address) !== null) {
      socket.destroy();
      return;
    }
    // A client whose machine is gone says nothing; a stream of the gateway would wait for it for ever.
    socket.setKeepAlive(true, keepAliveMs);
    this.#admission.enter(address);
    this.#sockets.set(socket, new ExchangeDeadline(socket, { clock: this.#parts.clock, timeoutMs: this.#timeouts.pageMs }));
    socket.once("close", () => {
      this.#admission.leave(address);
      this.#sockets.delete(socket);
      this.#checkClosed();
    });
    this.#server.emit("connection", socket);
    socket.resume();
  }

  /** Lets what is being answered end for `graceMs`, then ends it. Resolves when all sockets are closed. */
  close(graceMs: number): Promise<void> {
    this.#closed ??= this.#close(graceMs);
    return this.#closed;
  }

  async #close(graceMs: number): Promise<void> {
    const busy = new Set(Array.from(this.#answering, ({ socket }) => socket));
    for (const socket of this.#sockets.keys()) if (!busy.has(socket)) socket.destroy();
    const timer = this.#parts.clock.setTimer(graceMs, () => this.#endAll());
    await new Promise<void>((resolve) => {
      this.#resolveClosed = resolve;
      this.#checkClosed();
    });
    timer.cancel();
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const deadline = this.#sockets.get(request.socket);
    // Its socket went while a pipelined request was read.
    if (deadline === undefined) return;
    this.#answering.add(response);
    response.once("close", () => {
      this.#answering.delete(response);
      if (this.#closed !== null) request.socket.destroySoon();
      else deadline.extend(this.#timeouts.idleMs);
    });
    if (this.#parts.access.admits(request, response)) this.#answer(request, response, deadline);
    else request.resume();
  }

  #answer(request: IncomingMessage, response: ServerResponse, deadline: ExchangeDeadline): void {
    const [path = "", query = ""] = (request.url ?? "").split("?", 2);
    if (this.#parts.gateway?.serves(path) === true) {
      this.#parts.gateway.answer({ request, response, path, deadline, timeoutMs: this.#timeouts.bodyMs });
      return;
    }
    deadline.extend(this.#timeouts.pageMs);
    request.resume();
    const page = this.#parts.pages.get(path) ?? this.#parts.pages.get(path.slice(0, path.lastIndexOf("/") + 1));
    if (page === undefined) return sendText(response, 404, "404 page not found\n");
    if (request.method !== "GET") {
      response.setHeader("Allow", "GET");
      return sendText(response, 405, "Method Not Allowed\n");
    }
    void show(page, { path, query: new URLSearchParams(query) }, response);
  }

  #endAll(): void {
    this.#parts.gateway?.endAll();
    for (const socket of this.#sockets.keys()) socket.destroySoon();
  }

  #checkClosed(): void {
    if (this.#sockets.size === 0) this.#resolveClosed?.();
  }
}

/** Never rejects: a page that fails has no answer. */
async function show(page: Page, request: PageRequest, response: ServerResponse): Promise<void> {
  try {
    await page(request, response);
  } catch {
    response.destroy();
  }
}
