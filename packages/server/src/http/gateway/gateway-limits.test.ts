import { Dispatcher, RpcError, type ServerInterceptor, StatusCode } from "@raftkv/raft-rpc";
import { afterEach, describe, expect, test } from "vitest";
import { closeGateways, echoLease, post, RawClient, serveGateway } from "../../testing/served-gateway.ts";

afterEach(closeGateways);

describe("limits and rules of the member", () => {
  /** Answers when it is told to. */
  function holding(answers: (() => void)[]) {
    return new Dispatcher().addUnary("/etcdserverpb.KV/Put", (_message, call) => void answers.push(() => call.respond(new Uint8Array())));
  }

  test("calls above the limit wait until one ends, or their client goes", async () => {
    const answers: (() => void)[] = [];
    const { port, url } = await serveGateway({ dispatcher: holding(answers), concurrentMax: 1 });
    const first = post(`${url}/v3/kv/put`, "{}");
    await expect.poll(() => answers.length).toBe(1);
    const impatient = new RawClient(port);
    impatient.request("/v3/kv/put", "{}");
    const last = post(`${url}/v3/kv/put`, "{}", { "grpc-timeout": "60S" });
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

  test("a client that goes while it sends its request harms nobody", async () => {
    const { port, url, failures } = await serveGateway({ dispatcher: echoLease });
    for (const path of ["/v3/lease/grant", "/v3/lease/keepalive"]) {
      const client = new RawClient(port);
      client.begin(path);
      client.chunk('{"ID":');
      // The member has begun to read.
      await post(`${url}/v3/nowhere`, "");
      client.socket.destroy();
      await client.closed;
    }
    expect((await post(`${url}/v3/lease/grant`, '{"ID":"1"}')).text).toContain('"ID":"1"');
    expect(failures).toEqual([]);
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
    const { url } = await serveGateway({ dispatcher: echoLease, interceptors: [guard] });
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
    const { url } = await serveGateway({ dispatcher });
    await post(`${url}/v3/kv/put`, `{"key":"${Buffer.from("abc").toString("base64")}"}`);
    await post(`${url}/v3/kv/put`, "no JSON");
    const [[path, counters] = []] = [...dispatcher.counters()];
    expect(path).toBe("/etcdserverpb.KV/Put");
    expect(counters).toMatchObject({ started: 1, messagesReceived: 1, bytesReceived: 5, messagesSent: 1, bytesSent: 0 });
    expect(counters?.handled[StatusCode.OK]).toBe(1);
  });

  test("a member that closes ends what still runs", async () => {
    const answers: (() => void)[] = [];
    const { url, endpoints } = await serveGateway({ dispatcher: holding(answers) });
    const call = post(`${url}/v3/kv/put`, "{}");
    await expect.poll(() => answers.length).toBe(1);
    await endpoints.close(20);
    expect(await call).toMatchObject({ status: 503, text: expect.stringContaining('"message":"server is shutting down","code":14') });
  });
});
