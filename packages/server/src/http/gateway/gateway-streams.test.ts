import { create, etcdserverpb } from "@raftkv/api";
import { Dispatcher, RpcError, StatusCode, type StreamCall } from "@raftkv/raft-rpc";
import { afterEach, describe, expect, test } from "vitest";
import { closeGateways, echoLease, post, RawClient, serveGateway } from "../../testing/served-gateway.ts";

afterEach(closeGateways);

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
    const { port, url } = await serveGateway({ dispatcher: new Dispatcher().addStream("/etcdserverpb.Watch/Watch", echoWatch) });
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
    const { port } = await serveGateway({ dispatcher: echoLease });
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
    const { url } = await serveGateway({ dispatcher });
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
    const { url } = await serveGateway({ dispatcher });
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
    const { url } = await serveGateway({ dispatcher });
    const { status, text } = await post(`${url}/v3/watch`, "{}", { "grpc-timeout": "20m" });
    expect([status, JSON.parse(text)]).toMatchObject([504, { error: { grpc_code: 4, message: "context deadline exceeded" } }]);
  });

  test("whose first document is none is refused as a unary call, a later one ends it", async () => {
    const { port, url } = await serveGateway({ dispatcher: echoLease });
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
    const { port } = await serveGateway({ dispatcher });
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
    const { port } = await serveGateway({ dispatcher: sender(counts) });
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
    await expect.poll(() => counts.drained).toBe(1_000);
    await client.until(/\r\n0\r\n\r\n$/);
    expect(client.received.match(/"result"/g)).toHaveLength(counts.sent);
  });

  test("of a client that does not read ends", async () => {
    const counts = { sent: 0, drained: 0, cancelled: 0 };
    const { port } = await serveGateway({ dispatcher: sender(counts), timeouts: { bodyMs: 100 } });
    const client = new RawClient(port);
    client.socket.pause();
    client.request("/v3/maintenance/snapshot", "{}");
    await expect.poll(() => counts.cancelled).toBe(1);
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
    const { port } = await serveGateway({ dispatcher });
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
    const { port } = await serveGateway({ dispatcher });
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
