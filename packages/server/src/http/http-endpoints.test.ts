import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { Clock, Timer } from "@raftkv/raft-node";
import { afterEach, describe, expect, test } from "vitest";
import { NodeClock } from "../ports/node-clock.ts";
import { AccessControl } from "./access-control.ts";
import { CheckPages } from "./check-pages.ts";
import { HealthCounts, healthPage } from "./health-page.ts";
import { HttpEndpoints, type Page } from "./http-endpoints.ts";
import type { HttpTimeouts } from "./http-timeouts.ts";
import type { MemberHealth } from "./member-health.ts";
import { metricsPage } from "./metrics-page.ts";
import { versionPage } from "./version-page.ts";

const host = "127.0.0.1";
const timeoutMs = 150;
const healthy: MemberHealth = {
  trouble: null,
  alarms: [],
  hasLeader: true,
  isLearner: false,
  confirmRead: () => Promise.resolve(),
  readLocally: () => Promise.resolve(),
};
const metrics = { contentType: "text/plain; version=0.0.4; charset=utf-8", scrape: () => Promise.resolve("up 1\n") };
const open: { close(): void }[] = [];

interface Options {
  readonly health?: MemberHealth;
  readonly clock?: Pick<Clock, "setTimer">;
  readonly timeouts?: HttpTimeouts;
  readonly connections?: { readonly max: number; readonly perAddressMax: number };
  readonly hosts?: readonly string[];
  readonly corsOrigins?: readonly string[];
}

interface Served {
  readonly port: number;
  readonly endpoints: HttpEndpoints;
  readonly counts: HealthCounts;
  readonly checks: CheckPages;
}

afterEach(() => {
  for (const resource of open.splice(0)) resource.close();
});

/** The endpoints behind a listener that hands its sockets over, as the member does. */
async function serve(options: Options = {}): Promise<Served> {
  const { health = healthy, clock = new NodeClock(), timeouts, connections = { max: 100, perAddressMax: 100 } } = options;
  const counts = new HealthCounts();
  const checks = new CheckPages(health);
  const endpoints = new HttpEndpoints({
    access: new AccessControl({ hosts: options.hosts ?? ["*"], corsOrigins: options.corsOrigins ?? ["*"] }),
    pages: new Map<string, Page>([
      ["/health", healthPage(health, counts)],
      ["/livez", checks.page("livez")],
      ["/livez/", checks.page("livez")],
      ["/readyz", checks.page("readyz")],
      ["/readyz/", checks.page("readyz")],
      ["/metrics", metricsPage(metrics)],
      ["/version", versionPage],
    ]),
    gateway: null,
    clock,
    connections,
    ...(timeouts === undefined ? {} : { timeouts }),
  });
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
  return { port: address !== null && typeof address === "object" ? address.port : 0, endpoints, counts, checks };
}

interface ListedTimer extends Timer {
  readonly delayMs: number;
  readonly wake: () => void;
}

/** Timers that only the test lets end. */
class ListedTimers implements Pick<Clock, "setTimer"> {
  readonly running = new Set<ListedTimer>();

  setTimer(delayMs: number, wake: () => void): Timer {
    const timer: ListedTimer = { delayMs, wake, cancel: () => this.running.delete(timer) };
    this.running.add(timer);
    return timer;
  }
}

class Client {
  received = "";
  readonly socket: Socket;
  /** Resolves with the time since the beginning, also when the connection was reset. */
  readonly closed: Promise<number>;

  constructor(port: number) {
    const openedMs = performance.now();
    this.socket = connect(port, host);
    this.socket.on("data", (chunk) => (this.received += chunk.toString("latin1")));
    this.socket.on("error", () => undefined);
    this.closed = new Promise((resolve) => this.socket.once("close", () => resolve(performance.now() - openedMs)));
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
  test("is 200 when a read can be confirmed, in the words of etcd 3.4", async () => {
    const { port, counts } = await serve();
    expect(await get(port, "/health?serializable=false")).toMatchObject({ status: 200, body: '{"health":"true"}' });
    expect(counts).toEqual({ success: 1, failures: 0 });
  });

  test.each<[string, Partial<MemberHealth>, string]>([
    ["an alarm is active", { alarms: ["NOSPACE"], hasLeader: false }, "ALARM NOSPACE"],
    ["there is no leader", { hasLeader: false }, "RAFT NO LEADER"],
    ["a read cannot be confirmed", { confirmRead: () => Promise.reject(new Error("no quorum")) }, "RANGE ERROR:no quorum"],
    ["the member does not take part, whoever leads", { trouble: "MEMBER UNDER REPAIR", alarms: ["NOSPACE"] }, "MEMBER UNDER REPAIR"],
  ])("is 503 with the reason when %s", async (_, health, reason) => {
    const { port, counts } = await serve({ health: { ...healthy, ...health } });
    expect(await get(port, "/health")).toMatchObject({ status: 503, body: JSON.stringify({ health: "false", reason }) });
    expect(counts).toEqual({ success: 0, failures: 1 });
  });

  test("overlooks the alarms that are excluded", async () => {
    const { port } = await serve({ health: { ...healthy, alarms: ["NOSPACE", "CORRUPT"] } });
    expect(await get(port, "/health?exclude=NOSPACE&exclude=CORRUPT")).toMatchObject({ status: 200 });
    expect((await get(port, "/health?exclude=NOSPACE")).body).toContain("ALARM CORRUPT");
  });

  test("asks for no leader if a local read is enough", async () => {
    const { port } = await serve({ health: { ...healthy, hasLeader: false, confirmRead: () => Promise.reject(new Error("no quorum")) } });
    expect(await get(port, "/health?serializable=true")).toMatchObject({ status: 200, body: '{"health":"true"}' });
  });
});

describe("GET /livez and /readyz", () => {
  const noQuorum: MemberHealth = { ...healthy, confirmRead: () => Promise.reject(new Error("etcdserver: request timed out")) };

  test("are ok when all checks are, and list them if asked to", async () => {
    const { port } = await serve();
    expect(await get(port, "/livez")).toMatchObject({ status: 200, body: "ok\n" });
    expect((await get(port, "/readyz?verbose")).body).toBe(
      "[+]data_corruption ok\n[+]serializable_read ok\n[+]linearizable_read ok\n[+]non_learner ok\nok\n",
    );
  });

  test("are 503 with a line for each check when one fails", async () => {
    const { port, checks } = await serve({ health: noQuorum });
    expect((await get(port, "/livez")).status).toBe(200);
    expect(await get(port, "/readyz")).toMatchObject({
      status: 503,
      body: "[+]data_corruption ok\n[+]serializable_read ok\n[-]linearizable_read failed: etcdserver: request timed out\n[+]non_learner ok\n",
    });
    expect(checks.counts.find(({ kind, name }) => kind === "readyz" && name === "linearizable_read")).toEqual({
      kind: "readyz",
      name: "linearizable_read",
      isSuccess: false,
      successes: 0,
      failures: 1,
    });
  });

  test("leave out what is excluded, and pass over unknown names", async () => {
    const { port } = await serve({ health: noQuorum });
    const page = await get(port, "/readyz?verbose&exclude=linearizable_read&exclude=nonsense");
    expect([page.status, page.body]).toEqual([200, "[+]data_corruption ok\n[+]serializable_read ok\n[+]non_learner ok\nok\n"]);
  });

  test("have a page for each check", async () => {
    const { port } = await serve({ health: { ...noQuorum, isLearner: true, alarms: ["CORRUPT"] } });
    expect(await get(port, "/readyz/serializable_read")).toMatchObject({ status: 200, body: "ok\n" });
    expect((await get(port, "/readyz/non_learner")).body).toBe("[-]non_learner failed: not supported for learner\n");
    expect((await get(port, "/readyz/data_corruption")).body).toBe("[-]data_corruption failed: alarm activated: CORRUPT\n");
    expect((await get(port, "/livez/linearizable_read")).status).toBe(404);
  });
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

describe("who may call", () => {
  test("browsers are told that every page may, or which ones", async () => {
    const any = await serve();
    expect((await get(any.port, "/version")).headers.get("access-control-allow-origin")).toBe("*");
    const { port } = await serve({ corsOrigins: ["https://a.example"] });
    const ask = (origin: string, method: string) =>
      fetch(`http://${host}:${port}/nowhere`, { method, headers: { origin, connection: "close" } });
    const known = await ask("https://a.example", "OPTIONS");
    expect([known.status, await known.text()]).toEqual([200, ""]);
    expect(known.headers.get("access-control-allow-origin")).toBe("https://a.example");
    expect(known.headers.get("access-control-allow-methods")).toBe("POST, GET, OPTIONS, PUT, DELETE");
    expect(known.headers.get("access-control-allow-headers")).toBe("accept, content-type, authorization");
    expect((await ask("https://b.example", "GET")).headers.get("access-control-allow-origin")).toBeNull();
  });

  test("a member that is called by a strange name does not answer", async () => {
    const { port } = await serve({ hosts: ["kv.example", "::1"] });
    const ask = async (name: string): Promise<string> => {
      const client = new Client(port);
      client.socket.write(`GET /version HTTP/1.1\r\nhost: ${name}\r\n\r\n`);
      await client.until(/\r\n\r\n/);
      return client.received.slice(9, 12);
    };
    expect([await ask("kv.example:2379"), await ask("[::1]:2379"), await ask("evil.example")]).toEqual(["200", "200", "421"]);
  });

  test("connections have a limit, and those that went make room", async () => {
    const { port } = await serve({ connections: { max: 1, perAddressMax: 1 } });
    const first = new Client(port);
    first.socket.write("GET /version HTTP/1.1\r\nhost: x\r\n\r\n");
    await first.until(/etcdcluster/);
    const second = new Client(port);
    await second.closed;
    first.socket.destroy();
    await first.closed;
    await expect
      .poll(() =>
        get(port, "/version")
          .then(({ status }) => status)
          .catch(() => 0),
      )
      .toBe(200);
  });
});

describe("closing", () => {
  const request = "GET /health HTTP/1.1\r\nhost: x\r\n\r\n";

  test("ends idle connections at once, and others with their answer", async () => {
    let confirm: (() => void) | null = null;
    const { port, endpoints } = await serve({
      health: { ...healthy, confirmRead: () => new Promise<void>((resolve) => (confirm = resolve)) },
    });
    const [idle, busy] = [new Client(port), new Client(port)];
    idle.socket.write("GET /version HTTP/1.1\r\nhost: x\r\n\r\n");
    busy.socket.write(request);
    await idle.until(/etcdcluster/);
    await expect.poll(() => confirm !== null).toBe(true);
    const closed = endpoints.close(10_000);
    await idle.closed;
    (confirm as (() => void) | null)?.();
    await Promise.all([busy.closed, closed]);
    expect(busy.received).toContain('{"health":"true"}');
  });

  test("does not wait longer than it is told to", async () => {
    const { port, endpoints } = await serve({ health: { ...healthy, confirmRead: () => new Promise(() => undefined) } });
    const client = new Client(port);
    client.socket.write(request);
    await once(client.socket, "connect");
    await get(port, "/version");
    await endpoints.close(20);
    await client.closed;
    expect(client.received).toBe("");
  });
});

describe("a socket is destroyed", () => {
  const timeouts = { pageMs: timeoutMs, bodyMs: timeoutMs, idleMs: timeoutMs };

  /** A machine that has other work may be late. */
  async function expectClosed(client: Client): Promise<void> {
    expect(await client.closed).toBeGreaterThan(timeoutMs * 0.9);
  }

  test.each<[string, string]>([
    ["that sends nothing", ""],
    ["whose request line has no end", "GET /heal"],
    ["whose headers have no end", "GET /health HTTP/1.1\r\nhost: x\r\n"],
  ])("%s", async (_, text) => {
    const { port } = await serve({ timeouts });
    const client = new Client(port);
    client.socket.write(text);
    await expectClosed(client);
    expect(client.received).toBe("");
  });

  test("that sends an octet now and then", async () => {
    const { port } = await serve({ timeouts });
    const client = new Client(port);
    client.socket.write("GET /health HTTP/1.1\r\nx-drip: ");
    const drip = setInterval(() => client.socket.write("x"), 20);
    await expectClosed(client);
    clearInterval(drip);
  });

  test("whose body has no end, though it was answered", async () => {
    const { port } = await serve({ timeouts });
    const client = new Client(port);
    client.socket.write("POST /health HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n");
    const drip = setInterval(() => client.socket.write("x"), 20);
    await expectClosed(client);
    clearInterval(drip);
    expect(client.received).toMatch(/^HTTP\/1.1 405 /);
  });

  test("whose answer is not ready in time", async () => {
    const { port } = await serve({ health: { ...healthy, confirmRead: () => new Promise(() => undefined) }, timeouts });
    const client = new Client(port);
    client.socket.write("GET /health HTTP/1.1\r\nhost: x\r\n\r\n");
    await expectClosed(client);
    expect(client.received).toBe("");
  });

  test("that rests too long between requests, and not before", async () => {
    const clock = new ListedTimers();
    const { port } = await serve({ clock, timeouts: { pageMs: 1, bodyMs: 2, idleMs: 3 } });
    const client = new Client(port);
    let rests = new Set<ListedTimer>();
    for (let count = 1; count <= 4; count++) {
      client.socket.write("GET /version HTTP/1.1\r\nhost: x\r\n\r\n");
      await client.until(new RegExp(`(HTTP/1.1 200 [^]*){${count}}`));
      await expect.poll(() => Array.from(clock.running, ({ delayMs }) => delayMs)).toEqual([3]);
      rests = new Set([...rests, ...clock.running]);
      expect(rests.size).toBe(count);
    }
    expect(client.socket.closed).toBe(false);
    for (const rest of clock.running) rest.wake();
    await client.closed;
  });
});

test("the timer of a socket ends with the socket", async () => {
  const clock = new ListedTimers();
  const { port } = await serve({ clock });
  const client = new Client(port);
  client.socket.write("GET /version HTTP/1.1\r\nhost: x\r\n\r\n");
  await client.until(/etcdcluster/);
  expect(clock.running.size).toBe(1);
  client.socket.destroy();
  await expect.poll(() => clock.running.size).toBe(0);
});
