import { execFile, spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import * as http2 from "node:http2";
import { connect as connectPlain, createServer as createPlainServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect as connectSecure, createServer as createSecureServer } from "node:tls";
import { promisify } from "node:util";
import * as grpc from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Channel } from "../client/channel.ts";
import { createClient } from "../client/typed-client.ts";
import { Flag, FrameType } from "../http2/frame.ts";
import type { PeerIdentity } from "../peer-identity.ts";
import { Dispatcher } from "../server/dispatcher.ts";
import { RpcServer } from "../server/rpc-server.ts";
import { echoService } from "../testing/echo-service.ts";
import { ascii, frameBytes, grpcMessage, grpcRequestFields, headerBlock } from "../testing/raw-peer.ts";
import { watchCredentials } from "./credential-files.ts";
import { SocketStream } from "./socket-stream.ts";
import { SystemClock } from "./system-clock.ts";
import { TestAuthority, type TestCertificate } from "./testing/certificates.ts";
import { connectTls, listenTls, type TlsListener } from "./tls.ts";
import type { TlsClientCredentials, TlsServerCredentials } from "./tls-credentials.ts";

const host = "127.0.0.1";
/** For what has to come. */
const patienceMs = 60_000;
const names = "DNS:localhost,IP:127.0.0.1";
const run = promisify(execFile);
const clock = new SystemClock();
/** The client's preface and an empty SETTINGS frame (RFC 9113 3.4). */
const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", "latin1");
const missing = spawnSync("openssl", ["version"]).error === undefined ? null : "openssl, which makes the certificates, is not on the PATH";

const web = createServer((request, response) => response.end(`HTTP/1.1 ${request.method} ${request.url}`));
const server = new RpcServer({
  dispatcher: new Dispatcher().add(echoService, { say: (request) => request, missing: (request) => request }),
  clock,
  onOtherProtocol(stream, firstBytes) {
    if (!(stream instanceof SocketStream)) throw new Error("Only sockets are accepted here");
    const socket = stream.release(firstBytes);
    web.emit("connection", socket);
    socket.resume();
  },
});
const failures: string[] = [];
const listeners: TlsListener[] = [];
let directory = "";
let authority: TestAuthority;
let stranger: TestAuthority;
let own: TestCertificate;
let alice: TestCertificate;

beforeAll(() => {
  if (missing !== null) return;
  directory = mkdtempSync(join(tmpdir(), "raft-rpc-tls-"));
  authority = new TestAuthority(directory, "authority");
  stranger = new TestAuthority(directory, "stranger");
  own = authority.issue("server", { names });
  alice = authority.issue("alice", { use: "clientAuth" });
});

afterAll(async () => {
  for (const listener of listeners) listener.close();
  web.closeAllConnections();
  await server.close(100);
  if (directory !== "") rmSync(directory, { recursive: true });
});

async function listen(credentials: Partial<TlsServerCredentials> = {}): Promise<TlsListener> {
  const listener = await listenTls(
    { host, port: 0 },
    {
      credentials: { cert: own.cert, key: own.key, ...credentials },
      onStream: (stream) => server.accept(stream),
      onHandshakeError: (_address, error) => failures.push(error.message),
    },
  );
  listeners.push(listener);
  return listener;
}

/** What a call over a connection of its own comes to: the answer, or why there was no connection. */
async function call(listener: TlsListener, credentials: Partial<TlsClientCredentials> = {}): Promise<string> {
  const channel = new Channel({
    connect: () => connectTls(listener.address, { ca: authority.ca, ...credentials }, patienceMs),
    authority: "localhost",
    scheme: "https",
    clock,
  });
  let reason = "";
  channel.onState((state) => {
    if (state.kind === "backOff") reason = state.error.message;
  });
  try {
    return await createClient(echoService, channel).say("hello", { timeoutMs: patienceMs, failFast: true });
  } catch (error) {
    return reason === "" ? String(error) : reason;
  } finally {
    await channel.close();
  }
}

/** What a bare TLS connection comes to: the protocols that were chosen, or an error. */
async function handshake({ address }: TlsListener, options: ConnectionOptions): Promise<string> {
  const socket = connectSecure({ host, port: address.port, ca: authority.ca, servername: "localhost", ALPNProtocols: ["h2"], ...options });
  try {
    await once(socket, "secureConnect");
    socket.write(preface);
    // In TLS 1.3 a server judges the client's certificate after the client is done.
    const [first] = await Promise.race([once(socket, "data"), once(socket, "close")]);
    return first instanceof Buffer ? `${socket.getProtocol()} ${socket.alpnProtocol}` : "closed";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  } finally {
    socket.destroy();
  }
}

describe.skipIf(missing !== null)("TLS", () => {
  test("tells a handler who its client is: subject, names and fingerprint of the certificate, and nobody without one", async () => {
    const seen: (PeerIdentity | null)[] = [];
    const asking = new RpcServer({
      dispatcher: new Dispatcher().add(echoService, {
        say(request, info) {
          seen.push(info.peer);
          return request;
        },
      }),
      clock,
    });
    const bob = authority.issue("bob", { use: "clientAuth", names: "DNS:bob.example,URI:spiffe://example/bob" });
    for (const clientCa of [authority.ca, undefined]) {
      const listener = await listenTls(
        { host, port: 0 },
        {
          credentials: { cert: own.cert, key: own.key, ...(clientCa === undefined ? {} : { clientCa }) },
          onStream: (stream) => asking.accept(stream),
        },
      );
      expect(await call(listener, { cert: bob.cert, key: bob.key })).toBe("hello");
      listener.close();
    }
    await asking.close(100);
    const { fingerprint256 } = new X509Certificate(bob.cert);
    const names = ["DNS:bob.example", "URI:spiffe://example/bob"];
    expect(seen).toEqual([{ subject: "CN=bob", commonName: "bob", names, fingerprint256 }, null]);
  });

  test("begins no handshake with those who are refused or have to wait", async () => {
    const streams: SocketStream[] = [];
    const credentials = { cert: own.cert, key: own.key };
    const listener = await listenTls({ host, port: 0 }, { credentials, onStream: (stream) => streams.push(stream) });
    listeners.push(listener);
    let isSecure = false;
    const socket = connectSecure({ host, port: listener.address.port, ca: authority.ca, servername: "localhost" }, () => (isSecure = true));
    socket.on("error", () => undefined);
    await waitFor(() => streams.length > 0, patienceMs);
    await waitFor(() => isSecure, 100);
    const received: string[] = [];
    const handlers = {
      onData: (bytes: Uint8Array) => received.push(Buffer.from(bytes).toString()),
      onDrain: () => undefined,
      onClose: () => undefined,
    };
    streams[0]?.pause();
    streams[0]?.setHandlers(handlers);
    await waitFor(() => isSecure, 100);
    expect(isSecure).toBe(false);
    streams[0]?.resume();
    socket.write("hello");
    await waitFor(() => received.length > 0, patienceMs);
    expect([isSecure, received]).toEqual([true, ["hello"]]);
    socket.destroy();

    const refused = await listenTls({ host, port: 0 }, { credentials, onStream: (stream) => stream.destroy() });
    listeners.push(refused);
    expect(await handshake(refused, {})).toBe("ECONNRESET");
  });

  test("answers a client that ends its side with its request", async () => {
    const listener = await listen();
    const plain = connectPlain({ host, port: listener.address.port, allowHalfOpen: true });
    const socket = connectSecure({ socket: plain, ca: authority.ca, servername: "localhost", ALPNProtocols: ["h2"] });
    const answer: Buffer[] = [];
    socket.on("data", (bytes) => answer.push(bytes));
    const fields = grpcRequestFields("/test.Echo/Say");
    const request = frameBytes(FrameType.HEADERS, Flag.END_HEADERS, 1, headerBlock(fields));
    socket.end(Buffer.concat([preface, request, frameBytes(FrameType.DATA, Flag.END_STREAM, 1, grpcMessage(ascii("hello")))]));
    await once(socket, "end");
    socket.destroy();
    expect(Buffer.concat(answer).includes("hello")).toBe(true);
  });

  test("carries calls between our channel and our server", async () => {
    const listener = await listen();
    expect(await call(listener)).toBe("hello");
    expect(await call(listener, { serverName: "localhost" })).toBe("hello");
  });

  test.each(["TLSv1.2", "TLSv1.3"] as const)("is spoken as %s, with h2 chosen by ALPN", async (version) => {
    const listener = await listen();
    expect(await handshake(listener, { minVersion: version, maxVersion: version })).toBe(`${version} h2`);
  });

  test("is not spoken in older versions or with weak ciphers", async () => {
    const listener = await listen();
    const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT:@SECLEVEL=0" } as const;
    expect(await handshake(listener, old)).toMatch(/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS/);
    for (const ciphers of ["AES128-SHA", "AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256"]) {
      expect(await handshake(listener, { maxVersion: "TLSv1.2", ciphers })).toMatch(/HANDSHAKE_FAILURE/);
    }
  });

  test("is refused without a protocol in common, and plain text on its port is closed without an answer", async () => {
    const listener = await listen();
    expect(await handshake(listener, { ALPNProtocols: ["spdy/3"] })).toMatch(/NO_APPLICATION_PROTOCOL/);
    const socket = connectPlain({ host, port: listener.address.port });
    const answer: Buffer[] = [];
    socket.on("data", (bytes) => answer.push(bytes));
    socket.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await closed(socket);
    expect(Buffer.concat(answer).toString("latin1")).not.toContain("HTTP");
    expect(failures.join()).toContain("First octet is 71, that of TLS is 22");
  });

  test("leads HTTP/1.1 on the same port to node:http, by ALPN and without", async () => {
    const listener = await listen();
    for (const ALPNProtocols of [["http/1.1"], []]) {
      const socket = connectSecure({ host, port: listener.address.port, ca: authority.ca, servername: "localhost", ALPNProtocols });
      socket.write("GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
      const answer: Buffer[] = [];
      socket.on("data", (bytes) => answer.push(bytes));
      await closed(socket);
      expect(Buffer.concat(answer).toString()).toContain("HTTP/1.1 GET /health");
    }
  });
});

describe.skipIf(missing !== null)("a client", () => {
  test("refuses a server that it does not trust, that has another name, or that is out of date", async () => {
    const listener = await listen();
    expect(await call(listener, { ca: stranger.ca })).toMatch(/self-signed|unable to/);
    expect(await call(listener, { serverName: "elsewhere.example" })).toMatch(/does not match certificate/);
    const expired = authority.issue("expired", { names, days: -1 });
    expect(await call(await listen(expired))).toMatch(/expired/);
    const forClients = authority.issue("wrong-use", { names, use: "clientAuth" });
    expect(await call(await listen(forClients))).toMatch(/purpose/);
  });

  test("refuses a server whose certificate was revoked", async () => {
    const revoked = authority.issue("revoked-server", { names });
    const crl = authority.revoke(revoked);
    expect(await call(await listen(revoked), { crl })).toMatch(/revoked/);
    expect(await call(await listen(), { crl })).toBe("hello");
  });

  test("refuses a server that does not choose h2", async () => {
    const other = createSecureServer({ cert: own.cert, key: own.key }, (socket) => socket.on("error", () => undefined));
    other.listen(0, host);
    await once(other, "listening");
    const address = { host, port: (other.address() as { port: number }).port };
    await expect(connectTls(address, { ca: authority.ca }, patienceMs)).rejects.toThrow("does not speak HTTP/2: it chose nothing by ALPN");
    other.close();
  });

  test("gives up a server that accepts and says nothing", async () => {
    const accepted: Socket[] = [];
    const silent = createPlainServer((socket) => accepted.push(socket)).listen(0, host);
    await once(silent, "listening");
    const address = { host, port: (silent.address() as { port: number }).port };
    await expect(connectTls(address, { ca: authority.ca }, 50)).rejects.toThrow("did not answer in 50 ms");
    for (const socket of accepted) socket.destroy();
    silent.close();
  });
});

describe.skipIf(missing !== null)("a server that asks for certificates", () => {
  test("serves those whom its authority signed, and nobody else", async () => {
    const listener = await listen({ clientCa: authority.ca });
    const mallory = stranger.issue("mallory", { use: "clientAuth" });
    const late = authority.issue("late", { use: "clientAuth", days: -1 });
    const forServers = authority.issue("wrong-way", { use: "serverAuth" });
    expect(await call(listener, alice)).toBe("hello");
    for (const refused of [{}, mallory, late, forServers]) expect(await call(listener, refused)).not.toBe("hello");
    expect(await handshake(listener, {})).not.toContain("h2");
    expect(await handshake(listener, { cert: alice.cert, key: alice.key })).toBe("TLSv1.3 h2");
  });

  test("refuses who was revoked", async () => {
    const bob = authority.issue("bob", { use: "clientAuth" });
    const crl = authority.revoke(bob);
    const listener = await listen({ clientCa: authority.ca, crl });
    expect(await call(listener, bob)).not.toBe("hello");
    expect(await call(listener, alice)).toBe("hello");
  });
});

describe.skipIf(missing !== null)("new credentials", () => {
  test("hold for new connections, those that can't be used change nothing", async () => {
    const listener = await listen();
    const other = stranger.issue("server", { names });
    expect(() => listener.setCredentials({ cert: other.cert, key: own.key })).toThrow(/mismatch/i);
    expect(() => listener.setCredentials({ cert: "no certificate", key: own.key })).toThrow(/PEM|start line/i);
    expect(() => listener.setCredentials({ cert: own.cert, key: own.key, clientCa: authority.ca })).toThrow(
      "Clients don't have to show a certificate",
    );
    expect(await call(listener)).toBe("hello");
    listener.setCredentials(other);
    expect(await call(listener)).not.toBe("hello");
    expect(await call(listener, { ca: stranger.ca })).toBe("hello");
  });

  test("are read when their files change, and reported when they can't be", async () => {
    const listener = await listen();
    const files = { cert: join(directory, "live.pem"), key: join(directory, "live.key") };
    copyFileSync(own.certFile, files.cert);
    copyFileSync(own.keyFile, files.key);
    const errors: string[] = [];
    let reloads = 0;
    const stop = watchCredentials<TlsServerCredentials>(files, {
      onChange: (credentials) => {
        listener.setCredentials(credentials);
        reloads++;
      },
      onError: (error) => errors.push(String(error)),
    });
    // A first look has to be taken before a change is one.
    await waitFor(() => false, 1_200);
    writeFileSync(files.cert, "half a certif");
    await waitFor(() => errors.length > 0, patienceMs);
    expect(await call(listener)).toBe("hello");
    const other = stranger.issue("renewed", { names });
    copyFileSync(other.certFile, files.cert);
    copyFileSync(other.keyFile, files.key);
    await waitFor(() => reloads > 0, patienceMs);
    stop();
    expect(await call(listener, { ca: stranger.ca })).toBe("hello");
  });
});

/** Resolves also when the connection was reset. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.on("error", () => undefined).once("close", () => resolve()));
}

async function waitFor(condition: () => boolean, timeoutMs: number): Promise<void> {
  const deadlineMs = Date.now() + timeoutMs;
  while (!condition() && Date.now() < deadlineMs) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe.skipIf(missing !== null)("other implementations", () => {
  const bytes = (value: string): Buffer => Buffer.from(value);
  const text = (value: Buffer): string => value.toString();

  test("grpc-js calls our server, with a certificate of its own", async () => {
    const listener = await listen({ clientCa: authority.ca });
    const credentials = grpc.credentials.createSsl(authority.ca, alice.key, alice.cert);
    const client = new grpc.Client(`localhost:${listener.address.port}`, credentials);
    const answer = await new Promise((resolve, reject) => {
      client.makeUnaryRequest("/test.Echo/Say", bytes, text, "hello", (error, response) =>
        error === null ? resolve(response) : reject(error),
      );
    });
    client.close();
    expect(answer).toBe("hello");
  });

  test("our channel calls a server of grpc-js that asks for a certificate", async () => {
    const other = new grpc.Server();
    const definition = {
      say: {
        path: "/test.Echo/Say",
        requestStream: false,
        responseStream: false,
        requestSerialize: bytes,
        requestDeserialize: text,
        responseSerialize: bytes,
        responseDeserialize: text,
      },
    };
    other.addService(definition, {
      say: (request: grpc.ServerUnaryCall<string, string>, done: grpc.sendUnaryData<string>) => done(null, request.request),
    });
    const pair = { private_key: own.key, cert_chain: own.cert };
    const port = await new Promise<number>((resolve, reject) => {
      other.bindAsync(`${host}:0`, grpc.ServerCredentials.createSsl(authority.ca, [pair], true), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    const address = { host, port };
    expect(await call({ address, close() {}, setCredentials() {} }, alice)).toBe("hello");
    expect(await call({ address, close() {}, setCredentials() {} })).not.toBe("hello");
    other.forceShutdown();
  });

  test("node:http2 calls our server", async () => {
    const listener = await listen();
    const session = http2.connect(`https://localhost:${listener.address.port}`, { ca: authority.ca });
    const request = session.request({ ":method": "POST", ":path": "/test.Echo/Say", "content-type": "application/grpc", te: "trailers" });
    request.end(Buffer.concat([Buffer.of(0, 0, 0, 0, 5), bytes("hello")]));
    const answer: Buffer[] = [];
    for await (const chunk of request) answer.push(chunk as Buffer);
    session.close();
    expect(Buffer.concat(answer).subarray(5).toString()).toBe("hello");
  });

  const noCurl = spawnSync("curl", ["--version"]).error === undefined ? null : "curl is not on the PATH";
  test.skipIf(noCurl !== null)("curl calls our server with HTTP/2 and with HTTP/1.1", async () => {
    const listener = await listen();
    const body = join(directory, "body");
    writeFileSync(body, Buffer.concat([Buffer.of(0, 0, 0, 0, 5), bytes("hello")]));
    const url = `https://localhost:${listener.address.port}`;
    const secure = ["-sS", "--max-time", "60", "--cacert", authority.caFile, "--resolve", `localhost:${listener.address.port}:${host}`];
    const grpcCall = [
      "--http2",
      "-D",
      "-",
      "-o",
      "-",
      "-H",
      "content-type: application/grpc",
      "-H",
      "te: trailers",
      "--data-binary",
      `@${body}`,
    ];
    const { stdout } = await run("curl", [...secure, ...grpcCall, `${url}/test.Echo/Say`]);
    expect(stdout).toContain("HTTP/2 200");
    expect(stdout).toContain("hello");
    expect(stdout).toContain("grpc-status: 0");
    const plain = await run("curl", [...secure, "--http1.1", `${url}/version`]);
    expect(plain.stdout).toBe("HTTP/1.1 GET /version");
  });
});
