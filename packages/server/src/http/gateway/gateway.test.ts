import { once } from "node:events";
import { etcdserverpb } from "@raftkv/api";
import { type CallContext, Dispatcher, StatusCode } from "@raftkv/raft-rpc";
import { afterEach, describe, expect, test } from "vitest";
import { closeGateways, echoLease, grant, post, RawClient, serveGateway } from "../../testing/served-gateway.ts";
import { gatewayRoutes } from "./gateway-routes.ts";

afterEach(closeGateways);

describe("a unary call", () => {
  test("is answered with the headers of etcd's gateway", async () => {
    const { url } = await serveGateway({ dispatcher: echoLease });
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
    const { url } = await serveGateway({ dispatcher: echoLease });
    expect(await post(`${url}/v3beta/lease/grant`, body)).toMatchObject({ status: 200, text: '{"header":{"revision":"7"}}' });
  });

  test("that fails says so in the fields that clients of any version read", async () => {
    const { port, url } = await serveGateway({ dispatcher: echoLease });
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
    const { url } = await serveGateway({ dispatcher });
    expect(await post(`${url}/v3/kv/put`, "{}")).toMatchObject({ status, text: `{"error":"no","message":"no","code":${code}}` });
  });

  test("that is no JSON, or JSON that does not fit, is refused before any handler", async () => {
    const { url } = await serveGateway({ dispatcher: echoLease });
    const message = "invalid character 'x' looking for beginning of value";
    const answer = await post(`${url}/v3/lease/grant`, "x");
    expect([answer.status, answer.text]).toEqual([400, `{"error":"${message}","message":"${message}","code":3}`]);
    expect(answer.headers.get("trailer")).toBeNull();
    expect((await post(`${url}/v3/lease/grant`, '{"TTL":1.5}')).text).toContain("cannot unmarshal number 1.5 into Go value of type int64");
    expect((await post(`${url}/v3/lease/grant`, `{"x":${"[".repeat(2_000)}`)).text).toContain("exceeded max depth");
  });

  test("that is too large is refused, the connection goes on", async () => {
    const { port } = await serveGateway({ dispatcher: echoLease, messageBytesMax: 100 });
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
    const { url } = await serveGateway({ dispatcher, messageBytesMax: 100 });
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
    const { url } = await serveGateway({ dispatcher });
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
    const { url, failures } = await serveGateway({ dispatcher });
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
    const { port } = await serveGateway({ dispatcher });
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
    const { url, failures } = await serveGateway({ dispatcher });
    expect(await post(`${url}/v3/kv/put`, "{}")).toMatchObject({
      status: 500,
      text: '{"error":"a mistake","message":"a mistake","code":2}',
    });
    expect(failures).toEqual([new Error("a mistake")]);
  });
});

describe("paths", () => {
  test("every method has one, and those that nobody serves answer UNIMPLEMENTED", async () => {
    const { url } = await serveGateway();
    for (const path of gatewayRoutes.keys()) {
      expect(await post(`${url}/v3${path}`, "{}"), path).toMatchObject({
        status: 501,
        text: expect.stringMatching(/"unknown service .*"code":12/),
      });
    }
    expect(gatewayRoutes.size).toBe(51);
  });

  test("other methods and paths are refused as etcd does", async () => {
    const { url } = await serveGateway({ dispatcher: echoLease });
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
