import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { create, etcdserverpb } from "@raftkv/api";
import { type CallContext, Dispatcher, RpcError, type ServerInterceptor, StatusCode, type StreamCall } from "@raftkv/raft-rpc";
import { afterEach, describe, expect, test } from "vitest";
import { NodeClock } from "../../ports/node-clock.ts";
import { AccessControl } from "../access-control.ts";
import { HttpEndpoints } from "../http-endpoints.ts";
import { defaultHttpTimeouts, type HttpTimeouts } from "../http-timeouts.ts";
import { Gateway } from "./gateway.ts";
import { gatewayRoutes } from "./gateway-routes.ts";

const host = "127.0.0.1";
const open: { close(): void }[] = [];

afterEach(() => {
  for (const resource of open.splice(0)) resource.close();
});

interface Options {
  readonly dispatcher?: Dispatcher;
  readonly interceptors?: readonly ServerInterceptor[];
  readonly concurrentMax?: number;
  readonly messageBytesMax?: number;
  readonly timeouts?: Partial<HttpTimeouts>;
}

interface Served {
  readonly port: number;
  readonly url: string;
  readonly endpoints: HttpEndpoints;
  /** What handlers threw. */
  readonly failures: unknown[];
}

async function serve(options: Options = {}): Promise<Served> {
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

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

async function post(url: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const response = await fetch(url, { method: "POST", body, headers: { connection: "close", ...headers } });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

/** A client that sees every octet. */
class RawClient {
  received = "";
  readonly socket: Socket;
  readonly closed: Promise<unknown>;

  constructor(port: number) {
    this.socket = connect(port, host);
    this.socket.on("data", (chunk) => (this.received += chunk.toString("latin1")));
    this.socket.on("error", () => undefined);
    this.closed = once(this.socket, "close");
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

const grant = (id: bigint, ttl: bigint) => create(etcdserverpb.LeaseGrantResponseSchema, { header: { revision: 7n }, ID: id, TTL: ttl });
const echoLease = new Dispatcher().add(etcdserverpb.leaseService, {
  leaseGrant: ({ ID, TTL }) => grant(ID, TTL),
  leaseRevoke() {
    throw new RpcError(StatusCode.NOT_FOUND, "etcdserver: requested lease not found");
  },
  async *leaseKeepAlive(requests) {
    for await (const { ID } of requests) yield create(etcdserverpb.LeaseKeepAliveResponseSchema, { ID, TTL: 10n });
  },
});

describe("a unary call", () => {
  test("is answered with the headers of etcd's gateway", async () => {
    const { url } = await serve({ dispatcher: echoLease });
    const { status, text, headers } = await post(`${url}/v3/lease/grant?x=1`, '{"TTL":100,"ID":1234567890123456789}');
    expect([status, text]).toEqual([200, '{"header":{"revision":"7"},"ID":"1234567890123456789","TTL":"100"}']);
    expect(headers.get("content-type")).toBe("application/json");
    expect(headers.get("grpc-metadata-content-type")).toBe("application/grpc");
    expect(headers.get("access-control-allow-origin")).toBe("*");
    expect(Number(headers.get("content-length"))).toBe(text.length);
  });

  test.each([
    ["", ""],
    ["white space", " \r\n"],
    ["null", "null"],
    ["an object and something else", "{} garbage"],
  ])("takes %s for an empty request", async (_, body) => {
    const { url } = await serve({ dispatcher: echoLease });
    expect(await post(`${url}/v3beta/lease/grant`, body)).toMatchObject({ status: 200, text: '{"header":{"revision":"7"}}' });
  });

  test("that fails says so in the fields that clients of any version read", async () => {
    const { port, url } = await serve({ dispatcher: echoLease });
    const message = "etcdserver: requested lease not found";
    expect(await post(`${url}/v3/kv/lease/revoke`, "{}")).toMatchObject({
      status: 404,
      text: `{"error":"${message}","message":"${message}","code":5}`,
    });
    const client = new RawClient(port);
    client.request("/v3/lease/revoke", "{}");
    await client.until(/\r\n0\r\nGrpc-Trailer-Content-Type: application\/grpc\r\n\r\n$/);
    expect(client.received).toContain("\r\nTrailer: Grpc-Trailer-Content-Type\r\n");
  });

  test.each<[StatusCode, number]>([
    [StatusCode.CANCELLED, 408],
    [StatusCode.UNKNOWN, 500],
    [StatusCode.INVALID_ARGUMENT, 400],
    [StatusCode.DEADLINE_EXCEEDED, 504],
    [StatusCode.NOT_FOUND, 404],
    [StatusCode.ALREADY_EXISTS, 409],
    [StatusCode.PERMISSION_DENIED, 403],
    [StatusCode.RESOURCE_EXHAUSTED, 429],
    [StatusCode.FAILED_PRECONDITION, 412],
    [StatusCode.ABORTED, 409],
    [StatusCode.OUT_OF_RANGE, 400],
    [StatusCode.UNIMPLEMENTED, 501],
    [StatusCode.INTERNAL, 500],
    [StatusCode.UNAVAILABLE, 503],
    [StatusCode.DATA_LOSS, 500],
    [StatusCode.UNAUTHENTICATED, 401],
  ])("with status %i has HTTP's status %i", async (code, status) => {
    const dispatcher = new Dispatcher().addUnary("/etcdserverpb.KV/Put", (_message, call) => call.fail(code, "no"));
    const { url } = await serve({ dispatcher });
    expect(await post(`${url}/v3/kv/put`, "{}")).toMatchObject({ status, text: `{"error":"no","message":"no","code":${code}}` });
  });

  test("that is no JSON, or JSON that does not fit, is refused before any handler", async () => {
    const { url } = await serve({ dispatcher: echoLease });
    const message = "invalid character 'x' looking for beginning of value";
    const answer = await post(`${url}/v3/lease/grant`, "x");
    expect([answer.status, answer.text]).toEqual([400, `{"error":"${message}","message":"${message}","code":3}`]);
    expect(answer.headers.get("trailer")).toBeNull();
    expect((await post(`${url}/v3/lease/grant`, '{"TTL":1.5}')).text).toContain("cannot unmarshal number 1.5 into Go value of type int64");
    expect((await post(`${url}/v3/lease/grant`, `{"x":${"[".repeat(2_000)}`)).text).toContain("exceeded max depth");
  });

  test("that is too large is refused, the connection goes on", async () => {
    const { port } = await serve({ dispatcher: echoLease, messageBytesMax: 100 });
    const client = new RawClient(port);
    client.request("/v3/lock/lock", "{}");
    client.request("/v3/lease/grant", `{"x":"${"y".repeat(300)}"}`);
    await client.until(/HTTP\/1.1 429 [^]*raftkv: the request is larger than 200 bytes/);
    client.request("/v3/lease/grant", '{"ID":5}');
    await client.until(/"ID":"5"/);
    expect(client.received.match(/HTTP\/1.1 \d+/g)).toEqual(["HTTP/1.1 501", "HTTP/1.1 429", "HTTP/1.1 200"]);
  });

  test("whose message is too large is refused in gRPC's words", async () => {
    const dispatcher = new Dispatcher().addUnary("/etcdserverpb.KV/Put", (message, call) => call.respond(message.subarray(0, 0)));
    const { url } = await serve({ dispatcher, messageBytesMax: 100 });
    const key = Buffer.alloc(110).toString("base64");
    const sentence = "grpc: received message larger than max (112 vs. 100)";
    expect(await post(`${url}/v3/kv/put`, `{"key":"${key}"}`)).toMatchObject({ status: 429, text: expect.stringContaining(sentence) });
  });

  test("has the client's metadata and address", async () => {
    let seen: CallContext | null = null;
    const dispatcher = new Dispatcher().add(etcdserverpb.leaseService, {
      leaseGrant(request, call) {
        seen = call;
        return grant(request.ID, 0n);
      },
    });
    const { url } = await serve({ dispatcher });
    const headers = { authorization: "secret", "grpc-metadata-hasleader": "true", "Grpc-Metadata-X-Bin": "AQI", accept: "text/x" };
    await post(`${url}/v3/lease/grant`, "{}", headers);
    const call = seen as unknown as CallContext;
    expect(["authorization", "hasleader", "grpcgateway-accept"].map((name) => call.metadata.get(name))).toEqual([
      "secret",
      "true",
      "text/x",
    ]);
    expect(call.metadata.getBytes("x-bin")).toEqual(new Uint8Array([1, 2]));
    expect([call.path, call.peer, call.authority]).toEqual(["/etcdserverpb.Lease/LeaseGrant", null, url.slice("http://".length)]);
    expect(call.remoteAddress).toMatch(/^127\.0\.0\.1:\d+$/);
    expect((await post(`${url}/v3/lease/grant`, "{}", { "grpc-metadata-x-bin": "!" })).status).toBe(400);
  });

  test("ends with its deadline, which its handler is told", async () => {
    let cancelled = 0;
    const dispatcher = new Dispatcher().addUnary("/etcdserverpb.KV/Put", (_message, call) => {
      call.onCancel = () => {
        cancelled++;
        call.respond(new Uint8Array());
      };
    });
    const { url, failures } = await serve({ dispatcher });
    expect(await post(`${url}/v3/kv/put`, "{}", { "grpc-timeout": "20m" })).toMatchObject({
      status: 504,
      text: '{"error":"context deadline exceeded","message":"context deadline exceeded","code":4}',
    });
    expect([cancelled, failures]).toEqual([1, []]);
    expect(await post(`${url}/v3/kv/put`, "{}", { "grpc-timeout": "abc" })).toMatchObject({
      status: 400,
      text: expect.stringContaining("invalid grpc-timeout: abc"),
    });
  });

  test("is cancelled when its client goes away", async () => {
    let isCancelled = false;
    const dispatcher = new Dispatcher().addUnary("/etcdserverpb.KV/Put", (_message, call) => {
      call.onCancel = () => (isCancelled = true);
    });
    const { port } = await serve({ dispatcher });
    const client = new RawClient(port);
    client.request("/v3/kv/put", "{}");
    await once(client.socket, "connect");
    client.socket.end();
    setTimeout(() => client.socket.destroy(), 20);
    await expect.poll(() => isCancelled).toBe(true);
  });

  test("whose handler throws is UNKNOWN, which the member is told", async () => {
    const dispatcher = new Dispatcher().addUnary("/etcdserverpb.KV/Put", () => {
      throw new Error("a mistake");
    });
    const { url, failures } = await serve({ dispatcher });
    expect(await post(`${url}/v3/kv/put`, "{}")).toMatchObject({
      status: 500,
      text: '{"error":"a mistake","message":"a mistake","code":2}',
    });
    expect(failures).toEqual([new Error("a mistake")]);
  });
});

describe("paths", () => {
  test("every method has one, and those that nobody serves answer UNIMPLEMENTED", async () => {
    const { url } = await serve();
    for (const path of gatewayRoutes.keys()) {
      expect(await post(`${url}/v3${path}`, "{}"), path).toMatchObject({
        status: 501,
        text: expect.stringMatching(/"unknown service .*"code":12/),
      });
    }
    expect(gatewayRoutes.size).toBe(51);
  });

  test("other methods and paths are refused as etcd does", async () => {
    const { url } = await serve({ dispatcher: echoLease });
    const ask = async (method: string, path: string) => {
      const response = await fetch(url + path, { method, headers: { connection: "close" } });
      return [response.status, await response.text()];
    };
    expect(await ask("GET", "/v3/lease/grant")).toEqual([405, "Method Not Allowed\n"]);
    expect(await ask("PUT", "/v3/lease/grant")).toEqual([405, "Method Not Allowed\n"]);
    expect(await ask("POST", "/v3/lease/grant/")).toEqual([404, "Not Found\n"]);
    expect(await ask("POST", "/v3alpha/lease/grant")).toEqual([404, "404 page not found\n"]);
    expect(await ask("OPTIONS", "/v3/lease/grant")).toEqual([200, ""]);
  });
});

describe("a stream", () => {
  /** Sends what its client sent back, and ends with it. */
  const echoWatch = (call: StreamCall): void => {
    const answer = (): Uint8Array => new Uint8Array([0x10, 7, 0x18, 1]);
    call.setHandlers({
      onMessage: () => void call.send(answer()),
      onEnd: () => call.end(),
      onCancel: () => undefined,
      onDrain: () => undefined,
    });
  };
  const line = '{"result":{"watch_id":"7","created":true}}\n';

  test("takes several documents and sends each message as a line in a chunk of its own", async () => {
    const { port, url } = await serve({ dispatcher: new Dispatcher().addStream("/etcdserverpb.Watch/Watch", echoWatch) });
    const body = '{"create_request":{"key":"Zm9v"}} {"progress_request":{}}\n{"cancel_request":{}}';
    const { status, text, headers } = await post(`${url}/v3/watch`, body);
    expect([status, text, headers.get("grpc-metadata-content-type")]).toEqual([200, line.repeat(3), "application/grpc"]);
    const client = new RawClient(port);
    client.request("/v3/watch", body);
    await client.until(/\r\n0\r\n\r\n$/);
    expect(client.received.slice(client.received.indexOf("\r\n\r\n") + 4)).toBe(
      `${`${line.length.toString(16)}\r\n${line}\r\n`.repeat(3)}0\r\n\r\n`,
    );
  });

  test("is answered while its body goes on", async () => {
    const { port } = await serve({ dispatcher: echoLease });
    const client = new RawClient(port);
    client.begin("/v3/lease/keepalive");
    client.chunk('{"ID":"1"}{"ID":');
    await client.until(/"ID":"1","TTL":"10"/);
    client.chunk("9007199254740993}");
    await client.until(/"ID":"9007199254740993","TTL":"10"/);
    expect(client.received).not.toMatch(/\r\n0\r\n/);
    client.socket.write("0\r\n\r\n");
    await client.until(/\r\n0\r\n\r\n$/);
  });

  test("of responses only takes its first document, and an empty body for an empty one", async () => {
    const dispatcher = new Dispatcher().add(etcdserverpb.maintenanceService, {
      async *snapshot() {
        yield create(etcdserverpb.SnapshotResponseSchema, { remainingBytes: 1n, blob: new Uint8Array([1]) });
        yield create(etcdserverpb.SnapshotResponseSchema, { blob: new Uint8Array([2, 3]) });
      },
    });
    const { url } = await serve({ dispatcher });
    const blobs = '{"result":{"remaining_bytes":"1","blob":"AQ=="}}\n{"result":{"blob":"AgM="}}\n';
    expect((await post(`${url}/v3/maintenance/snapshot`, "")).text).toBe(blobs);
    expect((await post(`${url}/v3/maintenance/snapshot`, "{} {}")).text).toBe(blobs);
  });

  test("that fails ends with a line that clients of any version read", async () => {
    const dispatcher = new Dispatcher().add(etcdserverpb.leaseService, {
      async *leaseKeepAlive() {
        yield create(etcdserverpb.LeaseKeepAliveResponseSchema, { ID: 1n });
        throw new RpcError(StatusCode.UNAVAILABLE, "etcdserver: no leader");
      },
    });
    const { url } = await serve({ dispatcher });
    const error = {
      code: 14,
      grpc_code: 14,
      http_code: 503,
      http_status: "Service Unavailable",
      message: "etcdserver: no leader",
      details: [],
    };
    const { status, text } = await post(`${url}/v3/lease/keepalive`, "{}");
    expect([status, text]).toEqual([200, `{"result":{"ID":"1"}}\n${JSON.stringify({ error })}\n`]);
  });

  test("that fails before its first message has the status of its error", async () => {
    const dispatcher = new Dispatcher().addStream("/etcdserverpb.Watch/Watch", (call) => {
      call.setHandlers({ onMessage: () => undefined, onEnd: () => undefined, onCancel: () => undefined, onDrain: () => undefined });
    });
    const { url } = await serve({ dispatcher });
    const { status, text } = await post(`${url}/v3/watch`, "{}", { "grpc-timeout": "20m" });
    expect([status, JSON.parse(text)]).toMatchObject([504, { error: { grpc_code: 4, message: "context deadline exceeded" } }]);
  });

  test("whose first document is none is refused as a unary call, a later one ends it", async () => {
    const { port, url } = await serve({ dispatcher: echoLease });
    expect(await post(`${url}/v3/lease/keepalive`, '{"ID":"x"}')).toMatchObject({
      status: 400,
      text: expect.stringMatching(/^\{"error":"invalid character 'x' .*"code":3\}$/),
    });
    expect((await post(`${url}/v3/lease/keepalive`, '{"ID":')).text).toContain('"unexpected EOF"');
    const client = new RawClient(port);
    client.begin("/v3/lease/keepalive");
    client.chunk('{"ID":"1"}');
    await client.until(/"ID":"1"/);
    client.chunk("bad");
    await client.until(/\{"error":\{"code":3,"grpc_code":3,"http_code":400,.*looking for beginning of value/);
  });

  test("is cancelled when its client goes away", async () => {
    let cancelled = 0;
    const dispatcher = new Dispatcher().addStream("/etcdserverpb.Watch/Watch", (call) => {
      call.setHandlers({
        onMessage: () => void call.send(new Uint8Array([0x18, 1])),
        onEnd: () => undefined,
        onCancel: () => cancelled++,
        onDrain: () => undefined,
      });
    });
    const { port } = await serve({ dispatcher });
    const client = new RawClient(port);
    client.request("/v3/watch", "{}");
    await client.until(/"created":true/);
    client.socket.destroy();
    await expect.poll(() => cancelled).toBe(1);
  });

  /** Sends blobs for as long as there is room. */
  function sender(counts: { sent: number; drained: number; cancelled: number }) {
    const blob = new Uint8Array(10_000);
    const message = new Uint8Array([0x1a, 0x90, 0x4e, ...blob]);
    return new Dispatcher().addStream("/etcdserverpb.Maintenance/Snapshot", (call) => {
      const send = (): void => {
        for (let hasRoom = true; hasRoom; counts.sent++) hasRoom = call.send(message);
      };
      call.setHandlers({
        onMessage: send,
        onEnd: () => undefined,
        onCancel: () => counts.cancelled++,
        onDrain() {
          counts.drained++;
          if (counts.drained < 1_000) send();
          else call.end();
        },
      });
    });
  }

  test("waits for a client that reads slowly, and goes on", async () => {
    const counts = { sent: 0, drained: 0, cancelled: 0 };
    const { port } = await serve({ dispatcher: sender(counts) });
    const client = new RawClient(port);
    client.socket.pause();
    client.request("/v3/maintenance/snapshot", "{}");
    await expect.poll(() => counts.sent).toBeGreaterThan(0);
    let before = -1;
    while (before !== counts.sent) {
      before = counts.sent;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    client.socket.resume();
    await expect.poll(() => counts.drained, { timeout: 20_000 }).toBe(1_000);
    await client.until(/\r\n0\r\n\r\n$/);
    expect(client.received.match(/"result"/g)).toHaveLength(counts.sent);
  });

  test("of a client that does not read ends", async () => {
    const counts = { sent: 0, drained: 0, cancelled: 0 };
    const { port } = await serve({ dispatcher: sender(counts), timeouts: { bodyMs: 100 } });
    const client = new RawClient(port);
    client.socket.pause();
    client.request("/v3/maintenance/snapshot", "{}");
    await expect.poll(() => counts.cancelled, { timeout: 5_000 }).toBe(1);
  });

  test("whose handler does not stop when it should is ended", async () => {
    let refused = 0;
    const dispatcher = new Dispatcher().addStream("/etcdserverpb.Watch/Watch", (call) => {
      const message = new Uint8Array([0x32, 0xc0, 0x84, 0x3d, ...new Uint8Array(1_000_000).fill(0x61)]);
      call.setHandlers({
        onMessage() {
          while (!call.cancelled) call.send(message);
          refused++;
        },
        onEnd: () => undefined,
        onCancel: () => undefined,
        onDrain: () => undefined,
      });
    });
    const { port } = await serve({ dispatcher });
    const client = new RawClient(port);
    client.socket.pause();
    client.request("/v3/watch", "{}");
    await expect.poll(() => refused).toBe(1);
  });

  test("hands on one document at a time to a handler that pauses", async () => {
    const seen: number[] = [];
    let call: StreamCall | null = null;
    const dispatcher = new Dispatcher().addStream("/etcdserverpb.Watch/Watch", (stream) => {
      call = stream;
      stream.setHandlers({
        onMessage(message) {
          seen.push(message.length);
          stream.pause();
        },
        onEnd: () => stream.end(),
        onCancel: () => undefined,
        onDrain: () => undefined,
      });
    });
    const { port } = await serve({ dispatcher });
    const client = new RawClient(port);
    client.request("/v3/watch", '{"progress_request":{}}{}{"progress_request":{}}');
    await expect.poll(() => seen).toEqual([2]);
    (call as StreamCall | null)?.resume();
    expect(seen).toEqual([2, 0]);
    (call as StreamCall | null)?.resume();
    (call as StreamCall | null)?.resume();
    await client.until(/\r\n0\r\n\r\n$/);
    expect(seen).toEqual([2, 0, 2]);
  });
});

describe("limits and rules of the member", () => {
  /** Answers when it is told to. */
  function holding(answers: (() => void)[]) {
    return new Dispatcher().addUnary("/etcdserverpb.KV/Put", (_message, call) => void answers.push(() => call.respond(new Uint8Array())));
  }

  test("calls above the limit wait until one ends, or their client goes", async () => {
    const answers: (() => void)[] = [];
    const { port, url } = await serve({ dispatcher: holding(answers), concurrentMax: 1 });
    const first = post(`${url}/v3/kv/put`, "{}");
    await expect.poll(() => answers.length).toBe(1);
    const impatient = new RawClient(port);
    impatient.request("/v3/kv/put", "{}");
    const last = post(`${url}/v3/kv/put`, "{}", { "grpc-timeout": "10S" });
    const overdue = await post(`${url}/v3/kv/put`, "{}", { "grpc-timeout": "20m" });
    expect([overdue.status, answers.length]).toEqual([504, 1]);
    impatient.socket.destroy();
    await impatient.closed;
    // The member may hear of it later than this process.
    await post(`${url}/v3/nowhere`, "{}");
    answers[0]?.();
    expect((await first).status).toBe(200);
    await expect.poll(() => answers.length).toBe(2);
    answers[1]?.();
    expect((await last).status).toBe(200);
    expect(answers).toHaveLength(2);
  });

  test("interceptors let calls in, refuse them, and see how they end", async () => {
    const ends: string[] = [];
    const guard: ServerInterceptor = {
      async admit(call) {
        await Promise.resolve();
        if (call.metadata.get("authorization") !== "secret")
          throw new RpcError(StatusCode.UNAUTHENTICATED, "etcdserver: invalid auth token");
      },
      observe: (call) => (summary) => void ends.push(`${call.path} ${summary.code} ${summary.requests} ${summary.responses}`),
    };
    const { url } = await serve({ dispatcher: echoLease, interceptors: [guard] });
    expect((await post(`${url}/v3/lease/grant`, "{}")).status).toBe(401);
    expect((await post(`${url}/v3/lease/grant`, "{}", { authorization: "secret" })).status).toBe(200);
    expect((await post(`${url}/v3/lease/keepalive`, "{}{}", { authorization: "secret" })).text.match(/result/g)).toHaveLength(2);
    expect(ends).toEqual([
      "/etcdserverpb.Lease/LeaseGrant 16 0 0",
      "/etcdserverpb.Lease/LeaseGrant 0 1 1",
      "/etcdserverpb.Lease/LeaseKeepAlive 0 2 2",
    ]);
  });

  test("calls are counted with those that come by HTTP/2", async () => {
    const dispatcher = new Dispatcher().addUnary("/etcdserverpb.KV/Put", (_message, call) => call.respond(new Uint8Array()));
    const { url } = await serve({ dispatcher });
    await post(`${url}/v3/kv/put`, `{"key":"${Buffer.from("abc").toString("base64")}"}`);
    await post(`${url}/v3/kv/put`, "no JSON");
    const [[path, counters] = []] = [...dispatcher.counters()];
    expect(path).toBe("/etcdserverpb.KV/Put");
    expect(counters).toMatchObject({ started: 1, messagesReceived: 1, bytesReceived: 5, messagesSent: 1, bytesSent: 0 });
    expect(counters?.handled[StatusCode.OK]).toBe(1);
  });

  test("a member that closes ends what still runs", async () => {
    const { url, endpoints } = await serve({ dispatcher: holding([]) });
    const call = post(`${url}/v3/kv/put`, "{}");
    await new Promise((resolve) => setTimeout(resolve, 50));
    await endpoints.close(20);
    expect(await call).toMatchObject({ status: 503, text: expect.stringContaining('"message":"server is shutting down","code":14') });
  });
});
