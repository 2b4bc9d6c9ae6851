import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, get } from "node:http";
import * as http2 from "node:http2";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Channel } from "../client/channel.ts";
import { Dispatcher } from "../server/dispatcher.ts";
import { RpcServer } from "../server/rpc-server.ts";
import { SocketStream } from "./socket-stream.ts";
import { SystemClock } from "./system-clock.ts";
import { connectTcp, listenTcp, type TcpListener } from "./tcp.ts";

const host = "127.0.0.1";
const run = promisify(execFile);
const clock = new SystemClock();
const body = Buffer.concat([Buffer.of(0, 0, 0, 0, 5), Buffer.from("hello")]);
const grpcHeaders = { ":method": "POST", ":path": "/x.Y/Echo", "content-type": "application/grpc", te: "trailers" };

const web = createServer((request, response) => response.end(`HTTP/1.1 ${request.method} ${request.url}`));
const server = new RpcServer({
  dispatcher: new Dispatcher().addUnary("/x.Y/Echo", (message, call) => call.respond(message)),
  clock,
  onOtherProtocol(stream, firstBytes) {
    if (!(stream instanceof SocketStream)) throw new Error("Only sockets are accepted here");
    const socket = stream.release(firstBytes);
    web.emit("connection", socket);
    socket.resume();
  },
});
const directory = mkdtempSync(join(tmpdir(), "raft-rpc-"));
const bodyFile = join(directory, "body");
let listener: TcpListener;
let url: string;

beforeAll(async () => {
  writeFileSync(bodyFile, body);
  listener = await listenTcp({ host, port: 0 }, (stream) => server.accept(stream));
  url = `http://${host}:${listener.address.port}`;
});

afterAll(async () => {
  rmSync(directory, { recursive: true });
  listener.close();
  web.closeAllConnections();
  await server.close(100);
});

/** Is the program there? If not, the test says so. */
function missing(program: string): string | null {
  return spawnSync(program, ["--version"]).error === undefined ? null : `${program} is not on the PATH`;
}

describe("node:http2 as client", () => {
  test("calls on one session, in any number", async () => {
    const session = http2.connect(url);
    const call = (): Promise<[string, string]> =>
      new Promise((resolve, reject) => {
        const request = session.request(grpcHeaders);
        const chunks: Buffer[] = [];
        let status = "";
        request.on("data", (chunk: Buffer) => chunks.push(chunk));
        request.on("trailers", (trailers) => (status = String(trailers["grpc-status"])));
        request.on("end", () => resolve([status, Buffer.concat(chunks).toString("latin1")]));
        request.on("error", reject);
        request.end(body);
      });
    const results = await Promise.all(Array.from({ length: 500 }, call));
    expect(new Set(results.map(([status, answer]) => `${status} ${answer}`))).toEqual(new Set([`0 ${body.toString("latin1")}`]));
    session.close();
  });

  test("a header table of size 0 is obeyed, and a ping answered", async () => {
    const session = http2.connect(url, { settings: { headerTableSize: 0, initialWindowSize: 1 } });
    const status = await new Promise((resolve, reject) => {
      session.on("error", reject);
      const request = session.request(grpcHeaders);
      request.on("trailers", (trailers) => resolve(trailers["grpc-status"]));
      request.on("error", reject);
      request.resume();
      request.end(body);
    });
    expect(status).toBe("0");
    await new Promise<void>((resolve, reject) => session.ping((error) => (error === null ? resolve() : reject(error))));
    session.close();
  });
});

test("our client calls a node:http2 server, which indexes its headers and pads its frames", async () => {
  const peer = http2.createServer({ paddingStrategy: http2.constants.PADDING_STRATEGY_MAX });
  peer.on("stream", (stream) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      stream.respond({ ":status": 200, "content-type": "application/grpc", "x-served": "yes" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(Buffer.concat(chunks));
    });
  });
  const port = await new Promise<number>((resolve) => {
    peer.listen(0, host, () => {
      const bound = peer.address();
      resolve(bound !== null && typeof bound === "object" ? bound.port : 0);
    });
  });
  const channel = new Channel({ connect: () => connectTcp({ host, port }, 1000), authority: `${host}:${port}`, clock });
  const requests = Array.from({ length: 300 }, (_, place) => new Uint8Array(place * 100).fill(place));
  const answers = await Promise.all(requests.map((request) => channel.unary("/x.Y/Echo", request)));
  expect(Buffer.concat(answers).equals(Buffer.concat(requests))).toBe(true);
  await channel.close();
  peer.close();
});

describe("programs", () => {
  test("curl gets the answer and its trailers", async (context) => {
    const reason = missing("curl");
    if (reason !== null) return context.skip(reason);
    const { stdout } = await run("curl", [
      "-s",
      "-D",
      "-",
      "--http2-prior-knowledge",
      "--data-binary",
      `@${bodyFile}`,
      "-H",
      "content-type: application/grpc",
      "-H",
      "te: trailers",
      `${url}/x.Y/Echo`,
    ]);
    expect(stdout).toContain("HTTP/2 200");
    expect(stdout).toContain("hello");
    expect(stdout).toContain("grpc-status: 0");
  });

  test("curl gets HTTP/1.1 on the same port, also when it asks for an upgrade", async (context) => {
    const reason = missing("curl");
    if (reason !== null) return context.skip(reason);
    expect((await run("curl", ["-s", `${url}/version`])).stdout).toBe("HTTP/1.1 GET /version");
    expect((await run("curl", ["-s", "--http2", "-X", "PUT", "--data-binary", "x".repeat(5000), `${url}/put`])).stdout).toBe(
      "HTTP/1.1 PUT /put",
    );
  });

  test("nghttp gets the answer", async (context) => {
    const reason = missing("nghttp");
    if (reason !== null) return context.skip(reason);
    const { stdout } = await run("nghttp", [
      "-nv",
      "-d",
      bodyFile,
      "-H",
      "content-type: application/grpc",
      "-H",
      "te: trailers",
      `${url}/x.Y/Echo`,
    ]);
    expect(stdout).toMatch(/grpc-status: 0/);
    expect(stdout).not.toMatch(/RST_STREAM/);
  });

  test("h2load gets every answer", async (context) => {
    const reason = missing("h2load");
    if (reason !== null) return context.skip(reason);
    const before = server.counters.callsByStatus[0] ?? 0;
    const args = ["-c", "4", "-m", "50", "-n", "5000", "-d", bodyFile, "-H", "content-type: application/grpc", "-H", "te: trailers"];
    const { stdout } = await run("h2load", [...args, `${url}/x.Y/Echo`]);
    expect(stdout).toMatch(/5000 succeeded, 0 failed, 0 errored/);
    expect((server.counters.callsByStatus[0] ?? 0) - before).toBe(5000);
  });
});

test("a TLS hello on the cleartext port is answered with 400, and the server goes on", async () => {
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(listener.address.port, host, () => socket.write(Buffer.from("16030100050100000100", "hex")));
    let text = "";
    socket.on("data", (chunk) => (text += chunk.toString("latin1")));
    socket.on("close", () => resolve(text));
    socket.on("error", reject);
  });
  expect(answer).toMatch(/^HTTP\/1.1 400 /);
  const status = await new Promise((resolve, reject) => {
    get(`${url}/still`, { agent: false }, (response) => resolve(response.resume().statusCode)).on("error", reject);
  });
  expect(status).toBe(200);
});

test("a port where nobody listens fails the call as certainly not processed", async () => {
  const gone = await listenTcp({ host, port: 0 }, (stream) => stream.destroy());
  const { port } = gone.address;
  gone.close();
  const channel = new Channel({ connect: () => connectTcp({ host, port }, 1000), authority: "gone", clock });
  await expect(channel.unary("/x.Y/Echo", body, { failFast: true })).rejects.toMatchObject({ codeName: "UNAVAILABLE", retryable: "safe" });
  await channel.close();
});
