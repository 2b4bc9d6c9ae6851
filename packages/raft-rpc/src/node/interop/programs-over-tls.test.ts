import { execFile, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ProtobufWriter, readProtobuf, textOf } from "../../grpc/protobuf-fields.ts";
import { Dispatcher } from "../../server/dispatcher.ts";
import { RpcServer } from "../../server/rpc-server.ts";
import { SystemClock } from "../system-clock.ts";
import { listenTls, type TlsListener } from "../tls.ts";
import { interopHost } from "./interop-link.ts";
import { InteropCertificates, type InteropTrust, missingForLink } from "./interop-trust.ts";

const link = "over TLS with certificates of both";
const noOpenssl = missingForLink(link);
const certificates = new InteropCertificates();
const run = promisify(execFile);
const timeout = 120_000;

/** A little of etcd: keeps pairs. Fields of etcdserverpb and mvccpb: key 1, value 2 (of a stored pair: 5), header 1, kvs 2, count 4. */
const pairs = new Map<string, string>();
const header = new ProtobufWriter().number(3, 1).finish();
const clock = new SystemClock();
const server = new RpcServer({
  dispatcher: new Dispatcher()
    .addUnary("/interop.Test/Echo", (message, call) => call.respond(message))
    .addUnary("/etcdserverpb.KV/Put", (message, call) => {
      const { key, value } = readPair(message);
      pairs.set(key, value);
      call.respond(new ProtobufWriter().bytes(1, header).finish());
    })
    .addUnary("/etcdserverpb.KV/Range", (message, call) => {
      const { key } = readPair(message);
      const value = pairs.get(key);
      const response = new ProtobufWriter().bytes(1, header);
      if (value !== undefined) response.bytes(2, new ProtobufWriter().text(1, key).text(5, value).finish()).number(4, 1);
      call.respond(response.finish());
    }),
  clock,
});
let listener: TlsListener;
let trust: InteropTrust | null = null;
let bodyFile = "";

beforeAll(async () => {
  trust = noOpenssl === null ? certificates.trust(link) : null;
  if (trust === null) return;
  const { cert, key } = trust.server;
  bodyFile = join(dirname(trust.authority.caFile), "body");
  writeFileSync(bodyFile, Buffer.concat([Buffer.of(0, 0, 0, 0, 5), Buffer.from("hello")]));
  listener = await listenTls(
    { host: interopHost, port: 0 },
    { credentials: { cert, key, clientCa: trust.authority.ca }, onStream: (stream) => server.accept(stream) },
  );
});

afterAll(async () => {
  listener?.close();
  await server.close(100);
  certificates.remove();
});

function readPair(message: Uint8Array): { readonly key: string; readonly value: string } {
  const texts = new Map([...readProtobuf(message)].map((field) => [field.field, textOf(field)]));
  return { key: texts.get(1) ?? "", value: texts.get(2) ?? "" };
}

/** Why the program cannot be tried, or null. */
function missing(program: string, versionFlag = "--version"): string | null {
  return noOpenssl ?? (spawnSync(program, [versionFlag]).error === undefined ? null : `${program} is not on the PATH`);
}

describe("programs with certificates of both sides", () => {
  test("etcdctl, which is grpc-go, puts and gets", async (context) => {
    const reason = missing("etcdctl", "version");
    if (reason !== null || trust === null) return context.skip(reason ?? "");
    const { authority, client } = trust;
    const files = [`--cacert=${authority.caFile}`, `--cert=${client?.certFile}`, `--key=${client?.keyFile}`];
    const etcdctl = async (...args: readonly string[]): Promise<string> => {
      const flags = [
        `--endpoints=https://${interopHost}:${listener.address.port}`,
        "--dial-timeout=60s",
        "--command-timeout=60s",
        ...files,
        ...args,
      ];
      return (await run("etcdctl", flags, { env: { ...process.env, ETCDCTL_API: "3" }, timeout })).stdout;
    };
    expect(await etcdctl("put", "hello", "over TLS")).toBe("OK\n");
    expect(await etcdctl("get", "hello")).toBe("hello\nover TLS\n");
    expect(await etcdctl("get", "nobody")).toBe("");
    await etcdctl("put", "large", "x".repeat(100_000));
    expect(await etcdctl("get", "large", "--print-value-only")).toBe(`${"x".repeat(100_000)}\n`);
  });

  test("etcdctl without a certificate is turned away", async (context) => {
    const reason = missing("etcdctl", "version");
    if (reason !== null || trust === null) return context.skip(reason ?? "");
    const flags = [`--endpoints=https://${interopHost}:${listener.address.port}`, `--cacert=${trust.authority.caFile}`];
    const env = { ...process.env, ETCDCTL_API: "3" };
    await expect(run("etcdctl", [...flags, "--dial-timeout=1s", "--command-timeout=1s", "get", "hello"], { env, timeout })).rejects.toThrow(
      /deadline exceeded/,
    );
  });

  test("curl gets the answer and its trailers, with h2 by ALPN", async (context) => {
    const reason = missing("curl");
    if (reason !== null || trust === null) return context.skip(reason ?? "");
    const { authority, client } = trust;
    const files = ["--cacert", authority.caFile, "--cert", client?.certFile ?? "", "--key", client?.keyFile ?? ""];
    const request = ["--data-binary", `@${bodyFile}`, "-H", "content-type: application/grpc", "-H", "te: trailers"];
    const url = `https://${interopHost}:${listener.address.port}/interop.Test/Echo`;
    const { stdout } = await run("curl", ["-s", "-D", "-", "--http2", ...files, ...request, url], { timeout });
    expect(stdout).toMatch(/^HTTP\/2 200/);
    expect(stdout).toContain("hello");
    expect(stdout).toContain("grpc-status: 0");
  });

  test("h2load, which shows no certificate, gets every answer from a server that asks for none", async (context) => {
    const reason = missing("h2load");
    if (reason !== null || trust === null) return context.skip(reason ?? "");
    const { cert, key } = trust.server;
    const open = await listenTls(
      { host: interopHost, port: 0 },
      { credentials: { cert, key }, onStream: (stream) => server.accept(stream) },
    );
    const before = server.counters.callsByStatus[0] ?? 0;
    const request = ["-d", bodyFile, "-H", "content-type: application/grpc", "-H", "te: trailers"];
    const url = `https://${interopHost}:${open.address.port}/interop.Test/Echo`;
    const { stdout } = await run("h2load", ["-c", "4", "-m", "50", "-n", "5000", ...request, url], { timeout });
    open.close();
    expect(stdout).toMatch(/5000 succeeded, 0 failed, 0 errored/);
    expect((server.counters.callsByStatus[0] ?? 0) - before).toBe(5000);
  });
});
