import { once } from "node:events";
import type { Server } from "node:http";
import { connect, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { createHttpEndpoints, type HttpEndpointOptions, type MemberHealth, type MetricsPage } from "./http-endpoints.ts";

const host = "127.0.0.1";
const timeoutMs = 150;
const healthy: MemberHealth = { trouble: null, hasLeader: true, confirmRead: () => Promise.resolve() };
const metrics: MetricsPage = { contentType: "text/plain; version=0.0.4; charset=utf-8", scrape: () => Promise.resolve("up 1\n") };
const open: { close(): void }[] = [];

afterEach(() => {
  for (const resource of open.splice(0)) resource.close();
});

/** The endpoints behind a listener that hands its sockets over, as the member does. */
async function serve(health: MemberHealth = healthy, options: HttpEndpointOptions = {}): Promise<{ port: number; http: Server }> {
  const http = createHttpEndpoints({ health, metrics }, options);
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    http.emit("connection", socket);
  });
  listener.listen(0, host);
  await once(listener, "listening");
  open.push({
    close() {
      listener.close();
      for (const socket of sockets) socket.destroy();
    },
  });
  const address = listener.address();
  return { port: address !== null && typeof address === "object" ? address.port : 0, http };
}

class Client {
  received = "";
  readonly socket: Socket;
  readonly closed: Promise<number>;

  constructor(port: number) {
    const openedMs = performance.now();
    this.socket = connect(port, host);
    this.socket.on("data", (chunk) => (this.received += chunk.toString("latin1")));
    this.socket.on("error", () => undefined);
    this.closed = once(this.socket, "close").then(() => performance.now() - openedMs);
    open.push({ close: () => this.socket.destroy() });
  }

  async until(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.received)) await once(this.socket, "data");
  }
}

async function get(port: number, path: string, method = "GET"): Promise<{ status: number; body: string; headers: Headers }> {
  const response = await fetch(`http://${host}:${port}${path}`, { method, headers: { connection: "close" } });
  return { status: response.status, body: await response.text(), headers: response.headers };
}

describe("GET /health", () => {
  test("is 200 when a read can be confirmed", async () => {
    const { port } = await serve();
    expect(await get(port, "/health?serializable=false")).toMatchObject({ status: 200, body: '{"health":"true"}' });
  });

  test.each<[string, MemberHealth]>([
    ["there is no leader", { ...healthy, hasLeader: false, confirmRead: () => Promise.resolve() }],
    ["a read cannot be confirmed", { ...healthy, confirmRead: () => Promise.reject(new Error("no quorum")) }],
  ])("is 503 when %s", async (_, health) => {
    const { port } = await serve(health);
    expect(await get(port, "/health")).toMatchObject({ status: 503, body: '{"health":"false"}' });
  });
});

test("GET /health says why a member does not take part, whoever leads", async () => {
  const { port } = await serve({ ...healthy, trouble: "MEMBER UNDER REPAIR" });
  expect(await get(port, "/health")).toMatchObject({ status: 503, body: '{"health":"false","reason":"MEMBER UNDER REPAIR"}' });
});

test("GET /metrics gives what was counted, in Prometheus' own type", async () => {
  const { port } = await serve();
  const page = await get(port, "/metrics");
  expect([page.status, page.body, page.headers.get("content-type")]).toEqual([200, "up 1\n", metrics.contentType]);
});

test("GET /version tells both versions, another method is 405, another path 404", async () => {
  const { port } = await serve();
  const version = await get(port, "/version");
  expect([version.status, Object.keys(JSON.parse(version.body) as object)]).toEqual([200, ["etcdserver", "etcdcluster"]]);
  const post = await get(port, "/version", "POST");
  expect([post.status, post.headers.get("allow")]).toEqual([405, "GET"]);
  expect((await get(port, "/metric")).status).toBe(404);
});

describe("a socket is destroyed", () => {
  /** The timer is at most a few turns late; half a second is for a loaded machine. */
  async function expectClosed(client: Client, afterMs = timeoutMs): Promise<void> {
    const closedMs = await client.closed;
    expect(closedMs).toBeGreaterThan(afterMs * 0.9);
    expect(closedMs).toBeLessThan(afterMs + 500);
  }

  test.each<[string, string]>([
    ["that sends nothing", ""],
    ["whose request line has no end", "GET /heal"],
    ["whose headers have no end", "GET /health HTTP/1.1\r\nhost: x\r\n"],
  ])("%s", async (_, text) => {
    const { port } = await serve(healthy, { timeoutMs });
    const client = new Client(port);
    client.socket.write(text);
    await expectClosed(client);
    expect(client.received).toBe("");
  });

  test("that sends an octet now and then", async () => {
    const { port } = await serve(healthy, { timeoutMs });
    const client = new Client(port);
    client.socket.write("GET /health HTTP/1.1\r\nx-drip: ");
    const drip = setInterval(() => client.socket.write("x"), 20);
    await expectClosed(client);
    clearInterval(drip);
  });

  test("whose body has no end, though it was answered", async () => {
    const { port } = await serve(healthy, { timeoutMs });
    const client = new Client(port);
    client.socket.write("POST /health HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n");
    const drip = setInterval(() => client.socket.write("x"), 20);
    await expectClosed(client);
    clearInterval(drip);
    expect(client.received).toMatch(/^HTTP\/1.1 405 /);
  });

  test("whose answer is not ready in time", async () => {
    const { port } = await serve({ ...healthy, confirmRead: () => new Promise(() => undefined) }, { timeoutMs });
    const client = new Client(port);
    client.socket.write("GET /health HTTP/1.1\r\nhost: x\r\n\r\n");
    await expectClosed(client);
    expect(client.received).toBe("");
  });

  test("that rests too long between requests, and not before", async () => {
    const restMs = 300;
    const { port, http } = await serve(healthy, { timeoutMs: restMs });
    // Node's own time-out between requests would hide ours.
    http.keepAliveTimeout = 0;
    const client = new Client(port);
    const request = "GET /version HTTP/1.1\r\nhost: x\r\n\r\n";
    for (let count = 1; count <= 4; count++) {
      client.socket.write(request);
      await client.until(new RegExp(`(HTTP/1.1 200 [^]*){${count}}`));
      if (count < 4) await new Promise((resolve) => setTimeout(resolve, restMs / 2));
    }
    await expectClosed(client, restMs * 2.5);
  });
});

test("the timer of a socket ends with the socket", async () => {
  const running = new Set<object>();
  const clock = {
    setTimer() {
      const timer = { cancel: () => running.delete(timer) };
      running.add(timer);
      return timer;
    },
  };
  const { port } = await serve(healthy, { clock });
  const client = new Client(port);
  client.socket.write("GET /version HTTP/1.1\r\nhost: x\r\n\r\n");
  await client.until(/etcdcluster/);
  expect(running.size).toBe(1);
  client.socket.destroy();
  await expect.poll(() => running.size).toBe(0);
});
