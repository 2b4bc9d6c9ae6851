import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectSecurely } from "node:tls";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Channel } from "../../client/channel.ts";
import type { RpcLimits } from "../../limits.ts";
import { SystemClock } from "../../node/system-clock.ts";
import { connectTcp, listenTcp, type TcpListener } from "../../node/tcp.ts";
import { TestAuthority, type TestCertificate } from "../../node/testing/certificates.ts";
import { connectTls, listenTls } from "../../node/tls.ts";
import type { ConnectionLimits } from "../../server/connection-admission.ts";
import { Dispatcher } from "../../server/dispatcher.ts";
import { RpcServer } from "../../server/rpc-server.ts";
import { clientOpening, echoPath } from "./frame-floods.ts";
import { heldBytes } from "./memory-growth.ts";

const host = "127.0.0.1";
const loopback = { host, port: 0 };
/** A busy machine takes a millisecond or two for each: 10,000 are for a run of their own. */
const connectionsWanted = Number(process.env["ATTACK_CONNECTIONS"] ?? 1_000);
/** Descriptors that others in this process need. */
const descriptorsSpare = 500;
const connectBatch = 250;
const handshakesMax = 20;
/** A TLS record that is whole, and says: a ClientHello of 512 octets follows. */
const helloBegin = Uint8Array.of(0x16, 3, 1, 0, 4, 1, 0, 2, 0);
const timeoutMs = 60_000;
const clock = new SystemClock();
const directory = mkdtempSync(join(tmpdir(), "raftkv-attacks-"));
const closing: (() => Promise<void> | void)[] = [];
let authority: TestAuthority;
let certificate: TestCertificate;

beforeAll(() => {
  authority = new TestAuthority(directory, "ca");
  certificate = authority.issue("localhost", { names: "DNS:localhost,IP:127.0.0.1" });
});

afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

afterAll(() => rmSync(directory, { recursive: true }));

function startServer(connectionsMax: number, limits: Partial<RpcLimits> = {}, connectionLimits: Partial<ConnectionLimits> = {}): RpcServer {
  const dispatcher = new Dispatcher().addUnary(echoPath, (message, call) => call.respond(message));
  const server = new RpcServer({
    dispatcher,
    clock,
    limits,
    connections: { max: connectionsMax, perAddressMax: connectionsMax, ...connectionLimits },
  });
  closing.push(() => server.close(0));
  return server;
}

/** Closed after the test. */
function secureChannel({ address }: TcpListener): Channel {
  const channel = new Channel({ connect: () => connectTls(address, { ca: authority.ca }, timeoutMs), authority: "localhost", clock });
  closing.push(() => channel.close());
  return channel;
}

function closeLater(listener: TcpListener): TcpListener {
  closing.push(() => listener.close());
  return listener;
}

/** Both ends of each connection are in this process. */
function connectionsPossible(): number {
  const report = process.report.getReport() as { readonly userLimits?: { readonly open_files?: { readonly soft?: unknown } } };
  const descriptors = Number(report.userLimits?.open_files?.soft ?? 1024);
  return Math.floor((Number.isNaN(descriptors) ? Number.POSITIVE_INFINITY : descriptors - descriptorsSpare) / 2);
}

/** Each sends `bytes` at once: a server does not wait for long. */
async function openSockets(port: number, count: number, bytes: Uint8Array, localAddress = host): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  closing.push(async () => {
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => sockets.every((socket) => socket.closed)).toBe(true);
  });
  while (sockets.length < count) {
    const batch = Array.from({ length: Math.min(connectBatch, count - sockets.length) }, () => {
      const socket = connect({ host, port, localAddress });
      socket.on("error", () => undefined);
      socket.resume().write(bytes);
      return socket;
    });
    sockets.push(...batch);
    await Promise.all(batch.map((socket) => once(socket, "connect")));
  }
  return sockets;
}

async function until(condition: () => boolean): Promise<void> {
  const endMs = clock.monotonicMs() + timeoutMs;
  while (!condition() && clock.monotonicMs() < endMs) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(condition()).toBe(true);
}

test("thousands of idle connections hold little, and calls go on beside them", async () => {
  const count = Math.min(connectionsWanted, connectionsPossible());
  const server = startServer(count + 1);
  const { address } = closeLater(await listenTcp(loopback, (stream) => server.accept(stream)));
  const before = heldBytes();
  await openSockets(address.port, count, clientOpening());
  await until(() => server.counters.connectionsOpen === count);
  const bytesEach = (heldBytes() - before) / count;
  const limited = count < connectionsWanted ? ", as many as the limit of open files allows" : "";
  process.stdout.write(`${count} idle connections${limited}: ${(bytesEach / 1024).toFixed(1)} KiB each, for both ends\n`);
  expect(bytesEach).toBeLessThan(64 * 1024);
  const channel = new Channel({ connect: () => connectTcp(address, timeoutMs), authority: "test", clock });
  closing.push(() => channel.close());
  expect(await channel.unary(echoPath, Uint8Array.of(7), { timeoutMs })).toEqual(Uint8Array.of(7));
});

test("handshakes that do not go on take no more than their share, and give it back", async () => {
  const server = startServer(1000);
  const failures: string[] = [];
  const listener = closeLater(
    await listenTls(loopback, {
      credentials: certificate,
      onStream: (stream) => server.accept(stream),
      onHandshakeError: (_address, { message }) => failures.push(message),
      handshakesMax,
    }),
  );
  const begun = await openSockets(listener.address.port, 2 * handshakesMax, helloBegin);
  await until(() => failures.length >= handshakesMax);
  await until(() => begun.filter((socket) => socket.closed).length === handshakesMax);
  // Each is told once.
  expect(failures).toEqual(Array.from({ length: handshakesMax }, () => `${handshakesMax} handshakes are under way already`));
  for (const socket of begun) socket.destroy();
  await until(() => failures.length === 2 * handshakesMax);
  expect(new Set(failures.slice(handshakesMax))).toEqual(new Set(["Connection was closed in its handshake"]));
  const channel = secureChannel(listener);
  expect(await channel.unary(echoPath, Uint8Array.of(7), { timeoutMs })).toEqual(Uint8Array.of(7));
});

// Elsewhere a loopback interface has but one address.
test.skipIf(process.platform !== "linux").each([
  ["from the same address", host],
  ["from elsewhere", "127.0.0.2"],
])("handshakes that do not go on keep nobody out, when they come %s", async (_where, from) => {
  const server = startServer(1000);
  const failures: string[] = [];
  const listener = closeLater(
    await listenTls(loopback, {
      credentials: certificate,
      onStream: (stream) => server.accept(stream),
      onHandshakeError: (address, { message }) => failures.push(`${address.replace(/:.*/, "")}: ${message}`),
      handshakesMax,
    }),
  );
  const begun = await openSockets(listener.address.port, handshakesMax, helloBegin, from);
  const channel = secureChannel(listener);
  expect(await channel.unary(echoPath, Uint8Array.of(7), { timeoutMs })).toEqual(Uint8Array.of(7));
  expect(failures).toEqual([`${from}: ${handshakesMax} handshakes are under way already`]);
  expect(begun.filter((socket) => !socket.destroyed).length).toBeGreaterThanOrEqual(handshakesMax - 1);
});

test("handshakes that are used let nobody wait, however many, and those that come to nothing let the next from there wait", async () => {
  const server = startServer(1000);
  const impatient = startServer(1000, { prefaceTimeoutMs: 200 });
  let accepting = server;
  let failures = 0;
  const listener = closeLater(
    await listenTls(loopback, {
      credentials: certificate,
      onStream: (stream) => accepting.accept(stream),
      onHandshakeError: () => failures++,
      handshakeRate: { burst: 2, perSecond: 0.001 },
    }),
  );
  const { port } = listener.address;
  for (let count = 0; count < 5; count++) {
    expect(await secureChannel(listener).unary(echoPath, Uint8Array.of(7), { timeoutMs })).toEqual(Uint8Array.of(7));
  }
  const begun = await openSockets(port, 2, helloBegin);
  for (const socket of begun) socket.end();
  await until(() => failures === 2);

  accepting = impatient;
  let isSecured = false;
  const client = connectSecurely({ host, port, ca: authority.ca }, () => (isSecured = true));
  closing.push(() => void client.destroy());
  client.on("error", () => undefined);
  const [reset] = await openSockets(port, 1, helloBegin);
  reset?.resetAndDestroy();
  await until(() => client.closed);
  expect(isSecured).toBe(false);
});

test.each([
  ["nothing", new Uint8Array(0)],
  ["less than a record", helloBegin.subarray(0, 8)],
])("connections to the TLS port that say %s take no handshake, and wait no longer than for a preface", async (_what, bytes) => {
  const server = startServer(1000, { prefaceTimeoutMs: 50 });
  const failures: string[] = [];
  const listener = closeLater(
    await listenTls(loopback, {
      credentials: certificate,
      onStream: (stream) => server.accept(stream),
      onHandshakeError: (_address, { message }) => failures.push(message),
      handshakesMax: 1,
    }),
  );
  const silent = await openSockets(listener.address.port, handshakesMax, bytes);
  await until(() => silent.every((socket) => socket.closed));
  expect([failures, server.counters.limits.prefaceTimeouts]).toEqual([[], handshakesMax]);
});

test("a handshake that does not end in time is cut off", async () => {
  const server = startServer(1000);
  const failures: string[] = [];
  const listener = closeLater(
    await listenTls(loopback, {
      credentials: certificate,
      onStream: (stream) => server.accept(stream),
      onHandshakeError: (_address, { message }) => failures.push(message),
      handshakeTimeoutMs: 50,
    }),
  );
  const [begun] = await openSockets(listener.address.port, 1, helloBegin);
  await until(() => begun?.closed === true);
  expect(failures).toEqual(["TLS handshake timeout"]);
});

test.each([
  ["handshakes that end in the middle", helloBegin],
  ["handshakes whose first record is not whole", helloBegin.subarray(0, 8)],
  ["noise instead of a handshake", Uint8Array.of(0x55)],
  ["records that are too large", Uint8Array.of(0x16, 3, 1, 0xff, 0xff)],
])("%s let new connections from there wait, and no other", async (_what, bytes) => {
  const server = startServer(1000, {}, { faultRate: { burst: 5, perSecond: 0.001 }, delayMaxMs: 500 });
  const listener = closeLater(await listenTls(loopback, { credentials: certificate, onStream: (stream) => server.accept(stream) }));
  const open = secureChannel(listener);
  await open.unary(echoPath, Uint8Array.of(7), { timeoutMs });
  for (let count = 0; count < 7; count++) {
    const [begun] = await openSockets(listener.address.port, 1, bytes);
    begun?.end();
    await until(() => begun?.closed === true);
  }
  const { limits } = server.counters;
  const before = limits.connectionsDelayed;
  await open.unary(echoPath, Uint8Array.of(7), { timeoutMs });
  const next = secureChannel(listener);
  await next.unary(echoPath, Uint8Array.of(7), { timeoutMs });
  expect([before > 0, limits.connectionsDelayed - before]).toEqual([true, 1]);
});

test("a client that asks for another handshake on its connection does not get it", async () => {
  const server = startServer(1000);
  const { address } = closeLater(await listenTls(loopback, { credentials: certificate, onStream: (stream) => server.accept(stream) }));
  const socket = connectSecurely({ host, port: address.port, ca: authority.ca, ALPNProtocols: ["h2"], maxVersion: "TLSv1.2" });
  closing.push(() => void socket.destroy());
  socket.on("error", () => undefined);
  await once(socket, "secureConnect");
  socket.write(clientOpening());
  await until(() => server.counters.connectionsOpen === 1);
  const answer = new Promise<string>((resolve) => {
    socket.once("error", ({ message }) => resolve(message));
    socket.renegotiate({}, (error) => resolve(error === null ? "handshake" : error.message));
  });
  expect(await answer).toContain("no renegotiation");
});
