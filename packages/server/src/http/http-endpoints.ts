import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "@raftkv/raft-node";
import { NodeClock } from "../ports/node-clock.ts";
import { etcdClusterVersion, etcdVersion } from "../version.ts";
import { ExchangeDeadline } from "./exchange-deadline.ts";

/** What the endpoints ask of the member. */
export interface MemberHealth {
  /** Why the member does not take part as it should, null if it does. */
  readonly trouble: string | null;
  /** False while no leader is known. */
  readonly hasLeader: boolean;
  /** Resolves when a linearizable read could be served. */
  confirmRead(): Promise<unknown>;
}

/** What `/metrics` shows. */
export interface MetricsPage {
  readonly contentType: string;
  scrape(): Promise<string>;
}

export interface HttpEndpointParts {
  readonly health: MemberHealth;
  readonly metrics: MetricsPage;
}

export interface HttpEndpointOptions {
  /** Default: the clock of the process. */
  readonly clock?: Pick<Clock, "setTimer">;
  /** A socket is destroyed on which no request is completed, or no answer taken, for this long. Default 10 s. */
  readonly timeoutMs?: number;
}

/**
 * Plain HTTP/1.1 on the client port, as etcd has it: `GET /health`, `GET /metrics` and `GET /version`. The server listens
 * nowhere by itself; sockets that turn out not to speak HTTP/2 are handed to it with `emit("connection", socket)`. Node checks its own
 * time-outs of requests only on servers that listen, so each socket gets a deadline of ours.
 */
export function createHttpEndpoints(parts: HttpEndpointParts, options: HttpEndpointOptions = {}): Server {
  const { clock = new NodeClock(), timeoutMs = 10_000 } = options;
  const deadlines = new WeakMap<Socket, ExchangeDeadline>();
  const server = createServer({ maxHeaderSize: 16 * 1024, keepAliveTimeout: timeoutMs }, (request, response) => {
    const deadline = deadlines.get(request.socket);
    request.once("end", () => deadline?.extend());
    response.once("finish", () => deadline?.extend());
    request.resume();
    answer(request, response, parts).catch(() => response.destroy());
  });
  server.on("connection", (socket) => deadlines.set(socket, new ExchangeDeadline(socket, { clock, timeoutMs })));
  return server;
}

async function answer(request: IncomingMessage, response: ServerResponse, parts: HttpEndpointParts): Promise<void> {
  const path = (request.url ?? "").replace(/\?.*$/s, "");
  const page = pages.get(path);
  if (page === undefined) return sendText(response, 404, "404 page not found\n");
  if (request.method !== "GET") {
    response.setHeader("Allow", "GET");
    return sendText(response, 405, "Method Not Allowed\n");
  }
  return page(response, parts);
}

type Page = (response: ServerResponse, parts: HttpEndpointParts) => Promise<void> | void;

const pages: ReadonlyMap<string, Page> = new Map<string, Page>([
  ["/health", answerHealth],
  ["/metrics", answerMetrics],
  ["/version", answerVersion],
]);

/** etcd 3.4 has no reasons; what a member of etcd can't be gets one. */
async function answerHealth(response: ServerResponse, { health }: HttpEndpointParts): Promise<void> {
  const { trouble } = health;
  if (trouble !== null) return sendText(response, 503, JSON.stringify({ health: "false", reason: trouble }));
  const healthy = await isHealthy(health);
  sendText(response, healthy ? 200 : 503, JSON.stringify({ health: String(healthy) }));
}

async function answerMetrics(response: ServerResponse, { metrics }: HttpEndpointParts): Promise<void> {
  const text = await metrics.scrape();
  response.setHeader("Content-Type", metrics.contentType);
  response.end(text);
}

function answerVersion(response: ServerResponse): void {
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify({ etcdserver: etcdVersion, etcdcluster: etcdClusterVersion }));
}

async function isHealthy(health: MemberHealth): Promise<boolean> {
  if (!health.hasLeader) return false;
  try {
    await health.confirmRead();
    return true;
  } catch {
    return false;
  }
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status;
  response.setHeader("Content-Type", "text/plain; charset=utf-8");
  response.setHeader("X-Content-Type-Options", "nosniff");
  response.end(text);
}
