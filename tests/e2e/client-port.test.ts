import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { create, grpcHealthV1 } from "@raftkv/api";
import { Channel, connectTcp, createClient, SystemClock } from "@raftkv/raft-rpc";
import { afterEach, describe, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-port.ts";
import { type ClusterMember, ProcessCluster } from "../support/process-cluster.ts";

const clusters: ProcessCluster[] = [];

afterEach(async () => {
  for (const cluster of clusters.splice(0)) await cluster.dispose();
});

/** The only member of a cluster, which leads. */
async function startMember(...flags: readonly string[]): Promise<ClusterMember> {
  const cluster = await ProcessCluster.start({ size: 1, flags: ["--log-level=warn", ...flags] });
  clusters.push(cluster);
  return cluster.member("n1");
}

function request(member: ClusterMember, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${member.clientPort}${path}`, init);
}

const range = { method: "POST", body: '{"key":"AA==","range_end":"AA=="}' };
const watchAll = { method: "POST", body: '{"create_request":{"key":"AA==","range_end":"AA=="}}' };

describe("the client port of a member", () => {
  test("tells probes and load balancers how it is", async () => {
    const member = await startMember();
    expect(await (await request(member, "/health")).text()).toBe('{"health":"true"}');
    expect(await (await request(member, "/readyz")).text()).toBe("ok\n");
    const channel = new Channel({
      connect: () => connectTcp({ host: "127.0.0.1", port: member.clientPort }, 1_000),
      authority: "probe",
      clock: new SystemClock(),
    });
    try {
      const check = create(grpcHealthV1.HealthCheckRequestSchema, {});
      const { status } = await createClient(grpcHealthV1.healthService, channel).check(check, { timeoutMs: 60_000 });
      expect(status).toBe(grpcHealthV1.HealthCheckResponse_ServingStatus.SERVING);
      // Reflection's request to list all services is field 7.
      const stream = channel.stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", {
        onMetadata: () => undefined,
        onMessage: (message) => (services += new TextDecoder("latin1").decode(message)),
        onDrain: () => undefined,
        onClose: () => undefined,
      });
      let services = "";
      stream.send(Uint8Array.of(0x3a, 0));
      await expect.poll(() => services).toContain("etcdserverpb.KV");
      stream.cancel();
    } finally {
      await channel.close();
    }
  });

  test("shows all methods in its metrics from the start, and counts what goes through either door", async () => {
    const member = await startMember();
    const seriesOf = async (pattern: RegExp): Promise<readonly string[]> =>
      (await (await request(member, "/metrics")).text()).split("\n").filter((line) => pattern.test(line));
    const kv =
      /^grpc_server_handled_total\{grpc_code="OK",grpc_method="(Put|Range|DeleteRange|Txn|Compact)",grpc_service="etcdserverpb.KV",grpc_type="unary"\} /;
    expect(await seriesOf(kv)).toHaveLength(5);
    await member.endpoint.put("a", "1");
    const put = { method: "POST", body: '{"key":"Yg==","value":"MQ=="}' };
    await (await request(member, "/v3/kv/put", put)).text();
    expect(await seriesOf(/^etcd_mvcc_put_total|^etcd_debugging_mvcc_keys_total/)).toEqual([
      "etcd_mvcc_put_total 2",
      "etcd_debugging_mvcc_keys_total 2",
    ]);
    expect((await seriesOf(kv)).find((line) => line.includes('"Put"'))).toMatch(/ 2$/);
  });

  test("counts a watch that its client ends as canceled", async () => {
    const member = await startMember();
    const abort = new AbortController();
    const response = await request(member, "/v3/watch", { ...watchAll, signal: abort.signal });
    await response.body?.getReader().read();
    abort.abort();
    const canceled =
      /grpc_server_handled_total\{grpc_code="Canceled",grpc_method="Watch",grpc_service="etcdserverpb.Watch",grpc_type="bidi_stream"\} 1\n/;
    await expect.poll(async () => (await request(member, "/metrics")).text()).toMatch(canceled);
  });

  test("serves no JSON if it is told not to", async () => {
    const member = await startMember("--enable-grpc-gateway=false");
    const answer = await request(member, "/v3/kv/range", range);
    expect([answer.status, await answer.text()]).toEqual([404, "404 page not found\n"]);
    expect((await request(member, "/health")).status).toBe(200);
  });

  test("lets those in whom it is told to let in", async () => {
    const member = await startMember("--host-whitelist=127.0.0.1", "--cors=https://a.example");
    const answer = await request(member, "/v3/kv/range", { ...range, headers: { origin: "https://a.example" } });
    expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([200, "https://a.example"]);
    const options = { host: "127.0.0.1", port: member.clientPort, path: "/version", headers: { host: "evil.example" }, agent: false };
    const [stranger] = (await once(get(options), "response")) as [IncomingMessage];
    stranger.resume();
    expect(stranger.statusCode).toBe(421);
  });

  test("has room for as many connections as it is told", async () => {
    const member = await startMember("--max-connections=2");
    const first = await request(member, "/v3/watch", watchAll);
    const second = await request(member, "/v3/watch", watchAll);
    await expect(request(member, "/health")).rejects.toThrow("fetch failed");
    await first.body?.cancel();
    await eventually(async () => (await request(member, "/health", { headers: { connection: "close" } })).text());
    await second.body?.cancel();
  });

  test("has another beside it that only shows how the member is", async () => {
    const [port = 0] = await freePorts(1);
    await startMember(`--listen-metrics-urls=http://127.0.0.1:${port}`);
    const ask = async (path: string, init: RequestInit = {}) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers: { connection: "close" } });
      return [response.status, (await response.text()).slice(0, 17)];
    };
    expect(await ask("/health")).toEqual([200, '{"health":"true"}']);
    expect(await ask("/readyz")).toEqual([200, "ok\n"]);
    expect((await ask("/metrics"))[0]).toBe(200);
    expect((await ask("/version"))[0]).toBe(404);
    expect((await ask("/v3/kv/range", range))[0]).toBe(404);
  });

  test("ends streams with a status when its member stops", async () => {
    const member = await startMember();
    const response = await request(member, "/v3/watch", watchAll);
    const ended = response.text();
    const exit = await member.process.end("SIGTERM");
    expect(exit.code, exit.output).toBe(0);
    expect(
      (await ended)
        .trimEnd()
        .split("\n")
        .map((line) => Object.keys(JSON.parse(line) as object)),
    ).toEqual([["result"], ["error"]]);
  });
});
