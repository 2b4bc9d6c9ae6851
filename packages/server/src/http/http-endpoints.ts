import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { etcdClusterVersion, etcdVersion } from "../version.ts";

/** What the endpoints ask of the member. */
export interface MemberHealth {
  /** False while no leader is known. */
  readonly hasLeader: boolean;
  /** Resolves when a linearizable read could be served. */
  confirmRead(): Promise<unknown>;
}

const requestTimeoutMs = 10_000;

/**
 * Plain HTTP/1.1 on the client port, as etcd has it: `GET /health` and `GET /version`. The server listens nowhere by itself;
 * sockets that turn out not to speak HTTP/2 are handed to it with `emit("connection", socket)`.
 */
export function createHttpEndpoints(health: MemberHealth): Server {
  const server = createServer(
    { maxHeaderSize: 16 * 1024, requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs },
    (request, response) => {
      request.resume();
      answer(request, response, health).catch(() => response.destroy());
    },
  );
  server.keepAliveTimeout = requestTimeoutMs;
  return server;
}

async function answer(request: IncomingMessage, response: ServerResponse, health: MemberHealth): Promise<void> {
  const path = (request.url ?? "").replace(/\?.*$/s, "");
  if (path !== "/health" && path !== "/version") return sendText(response, 404, "404 page not found\n");
  if (request.method !== "GET") {
    response.setHeader("Allow", "GET");
    return sendText(response, 405, "Method Not Allowed\n");
  }
  if (path === "/version") {
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify({ etcdserver: etcdVersion, etcdcluster: etcdClusterVersion }));
    return;
  }
  const healthy = await isHealthy(health);
  sendText(response, healthy ? 200 : 503, JSON.stringify({ health: String(healthy) }));
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
