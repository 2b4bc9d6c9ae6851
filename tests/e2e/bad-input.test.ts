import { connect } from "node:net";
import { etcdserverpb } from "@raftkv/api";
import { Channel, connectTcp, createClient, RpcError, StatusCode, SystemClock } from "@raftkv/raft-rpc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bytes } from "../support/etcd-endpoint.ts";
import { type ClusterMember, ProcessCluster } from "../support/process-cluster.ts";

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const emptySettings = "\0\0\0\x04\0\0\0\0\0";

let cluster: ProcessCluster;
let member: ClusterMember;
let channel: Channel;

beforeAll(async () => {
  cluster = await ProcessCluster.start({
    size: 1,
    flags: ["--max-request-bytes=65536"],
  });
  member = await cluster.leader();
  channel = new Channel({
    connect: () => connectTcp({ host: "127.0.0.1", port: member.clientPort }, 1_000),
    authority: `127.0.0.1:${member.clientPort}`,
    clock: new SystemClock(),
  });
});
afterAll(async () => {
  await channel.close();
  await cluster.dispose();
});

/** Sends the bytes, optionally closes, and returns what came back until the other side closed or fell silent. */
function exchange(port: number, input: Buffer, options: { readonly thenEnd?: boolean; readonly silenceMs?: number } = {}): Promise<Buffer> {
  const { thenEnd = false, silenceMs = 500 } = options;
  return new Promise((resolve) => {
    const received: Buffer[] = [];
    const socket = connect({ host: "127.0.0.1", port }, () => {
      socket.write(input);
      if (thenEnd) socket.end();
    });
    socket.setTimeout(silenceMs, () => socket.destroy());
    socket.on("data", (chunk) => received.push(chunk));
    socket.on("error", () => {});
    socket.on("close", () => resolve(Buffer.concat(received)));
  });
}

async function expectServing(): Promise<void> {
  expect(member.running).toBe(true);
  const value = `alive-${process.hrtime.bigint()}`;
  await member.endpoint.put("alive", value);
  expect(await member.endpoint.get("alive")).toBe(value);
}

async function statusOf(call: Promise<unknown>): Promise<readonly [StatusCode, string]> {
  const error: unknown = await call.then(
    () => new Error("The call succeeded"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof RpcError)) throw error;
  return [error.code, error.message];
}

describe("a server goes on after", () => {
  const garbage = Buffer.from(Array.from({ length: 4096 }, (_, at) => (at * 167 + 13) % 256));

  test("garbage on both ports", async () => {
    for (const port of [member.clientPort, member.peerPort]) {
      await exchange(port, garbage);
      await exchange(port, Buffer.concat([Buffer.from(preface + emptySettings, "latin1"), garbage]));
      await expectServing();
    }
  });

  test("a TLS hello on a port without TLS", async () => {
    const clientHello = Buffer.from([0x16, 0x03, 0x01, 0x00, 0x05, 0x01, 0x00, 0x00, 0x01, 0x00]);
    expect((await exchange(member.clientPort, clientHello)).toString("latin1")).toMatch(/^$|^HTTP\/1\.1 400 /);
    await expectServing();
  });

  test("half a frame and half a preface", async () => {
    const headersFrame = Buffer.from([0, 0, 100, 1, 4, 0, 0, 0, 1, 0x82]);
    await exchange(member.clientPort, Buffer.concat([Buffer.from(preface + emptySettings, "latin1"), headersFrame]), { thenEnd: true });
    await exchange(member.clientPort, Buffer.from(preface.slice(0, 10), "latin1"), { thenEnd: true });
    await expectServing();
  });

  test("requests in HTTP/1.1, which it answers", async () => {
    const base = `http://127.0.0.1:${member.clientPort}`;
    expect(await (await fetch(`${base}/health`)).json()).toEqual({ health: "true" });
    expect(await (await fetch(`${base}/version`)).json()).toEqual({ etcdserver: "3.4.23", etcdcluster: "3.4.0" });
    expect((await fetch(`${base}/health`, { method: "POST" })).status).toBe(405);
    expect((await fetch(`${base}/v2/keys`)).status).toBe(404);
    await expectServing();
  });

  test("HTTP/1.1 on the peer port, which it closes", async () => {
    expect((await exchange(member.peerPort, Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))).length).toBe(0);
    await expectServing();
  });
});

describe("a server answers plainly", () => {
  const kv = () => createClient(etcdserverpb.kvService, channel);
  const put = (key: Uint8Array, value: Uint8Array, more: { readonly lease?: bigint; readonly ignoreValue?: boolean } = {}) =>
    kv().put({ key, value, lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false, ...more });

  test("an empty key", async () => {
    expect(await statusOf(put(bytes(""), bytes("v")))).toEqual([StatusCode.INVALID_ARGUMENT, "etcdserver: key is not provided"]);
    const del = kv().deleteRange({ key: bytes(""), rangeEnd: bytes(""), prevKv: false });
    expect(await statusOf(del)).toEqual([StatusCode.INVALID_ARGUMENT, "etcdserver: key is not provided"]);
  });

  test("a request above max-request-bytes, and one that is far above it", async () => {
    expect(await statusOf(put(bytes("k"), new Uint8Array(70_000)))).toEqual([
      StatusCode.INVALID_ARGUMENT,
      "etcdserver: request is too large",
    ]);
    const [code, message] = await statusOf(put(bytes("k"), new Uint8Array(1_000_000)));
    expect(code).toBe(StatusCode.RESOURCE_EXHAUSTED);
    expect(message).toMatch(/^grpc: received message larger than max \(\d+ vs\. 589824\)$/);
    await put(bytes("k"), new Uint8Array(60_000));
  });

  test("contradictory flags of a put", async () => {
    const ignoring = { ignoreValue: true };
    expect(await statusOf(put(bytes("k"), bytes("v"), ignoring))).toEqual([StatusCode.INVALID_ARGUMENT, "etcdserver: value is provided"]);
    expect(await statusOf(put(bytes("no such key"), bytes(""), ignoring))).toEqual([
      StatusCode.INVALID_ARGUMENT,
      "etcdserver: key not found",
    ]);
  });

  test("methods and services that are not there", async () => {
    expect(await statusOf(channel.unary("/etcdserverpb.KV/Nonsense", bytes("")))).toEqual([
      StatusCode.UNIMPLEMENTED,
      "unknown method Nonsense for service etcdserverpb.KV",
    ]);
    expect(await statusOf(channel.unary("/no.Such/Thing", bytes("")))).toEqual([StatusCode.UNIMPLEMENTED, "unknown service no.Such"]);
  });

  test("a message that is no protobuf", async () => {
    const [code, message] = await statusOf(channel.unary("/etcdserverpb.KV/Put", new Uint8Array([0x0a, 0xff, 0xff])));
    expect(code).toBe(StatusCode.INTERNAL);
    expect(message).toMatch(/error unmarshalling request/);
  });
});
