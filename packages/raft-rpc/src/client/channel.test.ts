import { describe, expect, test } from "vitest";
import type { ByteStream } from "../byte-stream.ts";
import type { RpcError } from "../grpc/rpc-error.ts";
import { Flag, FrameType } from "../http2/frame.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { MemoryStream } from "../testing/memory-stream.ts";
import { ascii, frameBytes, grpcMessage, headerBlock, RawPeer, uint32 } from "../testing/raw-peer.ts";
import { Channel, type ChannelOptions } from "./channel.ts";
import type { CallOptions, ClientCall } from "./client-call.ts";

const { HEADERS, DATA, RST_STREAM, SETTINGS, GOAWAY, PING, CONTINUATION, PUSH_PROMISE, WINDOW_UPDATE } = FrameType;
const path = "/x.Y/Echo";
const end = Flag.END_STREAM;
const responseFields = [
  [":status", "200"],
  ["content-type", "application/grpc"],
] as const;
const response = frameBytes(HEADERS, Flag.END_HEADERS, 1, headerBlock(responseFields));
const ok = frameBytes(HEADERS, Flag.END_HEADERS | end, 1, headerBlock([["grpc-status", "0"]]));
const message = frameBytes(DATA, 0, 1, grpcMessage(ascii("hi")));

/** A channel whose servers are scripted by the test. */
class Script {
  readonly clock = new ManualClock();
  readonly servers: RawPeer[] = [];
  readonly results: string[] = [];
  readonly channel: Channel;
  /** Refuses connections while it is set. */
  refusal: Error | null = null;
  attempts = 0;

  constructor(options: Partial<ChannelOptions> = {}) {
    this.channel = new Channel({ connect: () => this.#connect(), authority: "test", clock: this.clock, ...options });
  }

  call(options: CallOptions = {}, body = ascii("hello")): ClientCall {
    return this.channel.request(path, body, (error, answer) => this.results.push(outcome(error, answer)), options);
  }

  /** The server of the newest connection; it has sent SETTINGS. */
  async server(settings: readonly (readonly [number, number])[] = []): Promise<RawPeer> {
    await this.clock.settleAsync();
    const server = this.servers.at(-1);
    if (server === undefined) throw new Error("No connection was made");
    server.send(server.settings(settings), server.settingsAck());
    this.clock.settle();
    return server;
  }

  #connect(): Promise<ByteStream> {
    this.attempts++;
    if (this.refusal !== null) return Promise.reject(this.refusal);
    const [client, accepted] = MemoryStream.pair({ clock: this.clock });
    this.servers.push(new RawPeer(accepted, "server"));
    return Promise.resolve(client);
  }
}

function outcome(error: RpcError | null, answer: Uint8Array | null): string {
  return error === null ? `OK ${String.fromCharCode(...(answer ?? []))}` : `${error.codeName} ${error.retryable}: ${error.message}`;
}

test("a call sends preface, SETTINGS, and its request without waiting for the server", async () => {
  const script = new Script();
  script.call({ timeoutMs: 5000 });
  await script.clock.settleAsync();
  const [server] = script.servers;
  expect(server?.frames.map((frame) => frame.type)).toEqual(["SETTINGS", "WINDOW_UPDATE", "HEADERS", "DATA"]);
  expect(Object.entries(server?.frames[2]?.headers ?? {})).toEqual([
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "test"],
    ["grpc-timeout", "5000m"],
    ["te", "trailers"],
    ["content-type", "application/grpc"],
    ["user-agent", "grpc-node-raftkv/1.0.0"],
  ]);
  expect(server?.frames[3]).toMatchObject({ flags: end, payload: grpcMessage(ascii("hello")) });
});

describe("what a server may answer, and what the call makes of it", () => {
  const headers = (fields: readonly (readonly [string, string])[], flags = Flag.END_HEADERS | end): Uint8Array =>
    frameBytes(HEADERS, flags, 1, headerBlock(fields));
  test.each<[string, readonly Uint8Array[], string]>([
    ["a message and OK", [response, message, ok], "OK hi"],
    [
      "padding in every frame",
      [
        frameBytes(HEADERS, 12, 1, [3, ...headerBlock(responseFields), 0, 0, 0]),
        frameBytes(DATA, 8, 1, [255, ...grpcMessage(ascii("hi")), ...new Uint8Array(255)]),
        ok,
      ],
      "OK hi",
    ],
    ["a 103 before the response", [headers([[":status", "103"]], Flag.END_HEADERS), response, message, ok], "OK hi"],
    [
      "a continued header block",
      [
        frameBytes(HEADERS, 0, 1, headerBlock(responseFields).slice(0, 3)),
        frameBytes(CONTINUATION, Flag.END_HEADERS, 1, headerBlock(responseFields).slice(3)),
        message,
        ok,
      ],
      "OK hi",
    ],
    [
      "a ping before each frame",
      [frameBytes(PING, 0, 0, new Uint8Array(8)), response, frameBytes(PING, 0, 0, new Uint8Array(8)), message, ok],
      "OK hi",
    ],
    ["only a status", [headers([...responseFields, ["grpc-status", "5"], ["grpc-message", "not%20here"]])], "NOT_FOUND never: not here"],
    ["a status of 99", [headers([...responseFields, ["grpc-status", "99"]])], "UNKNOWN maybe-applied: "],
    ["a status that is no number", [headers([...responseFields, ["grpc-status", "x"]])], "UNKNOWN maybe-applied: "],
    ["HTTP 503", [headers([[":status", "503"]])], "UNAVAILABLE maybe-applied: Stream ended without a status, HTTP status 503"],
    [
      "HTTP 404 with a page",
      [
        headers(
          [
            [":status", "404"],
            ["content-type", "text/html"],
          ],
          Flag.END_HEADERS,
        ),
      ],
      "UNIMPLEMENTED never: Server answered with HTTP status 404, not gRPC",
    ],
    ["OK without a message", [response, ok], "INTERNAL maybe-applied: Unary call was answered without a message"],
    ["two messages", [response, message, message, ok], "INTERNAL maybe-applied: Unary call was answered with more than one message"],
    [
      "the end inside a message",
      [response, frameBytes(DATA, 0, 1, [0, 0, 0, 0, 9, 1]), ok],
      "INTERNAL maybe-applied: Stream ended inside a message",
    ],
    [
      "the end without a status",
      [response, frameBytes(DATA, end, 1, grpcMessage(ascii("hi")))],
      "UNKNOWN maybe-applied: Stream ended without a status",
    ],
    [
      "a message above the limit",
      [response, frameBytes(DATA, 0, 1, [0, 1, 0, 0, 0])],
      "RESOURCE_EXHAUSTED maybe-applied: grpc: received message larger than max (16777216 vs. 2097152)",
    ],
    ["DATA before HEADERS", [message], "INTERNAL maybe-applied: DATA came before the response's headers"],
    ["a malformed response", [headers([["x", "y"]])], "INTERNAL maybe-applied: Response begins without :status"],
    [
      "compression",
      [headers([...responseFields, ["grpc-encoding", "gzip"]], Flag.END_HEADERS)],
      "INTERNAL maybe-applied: Server compresses with gzip, which was not offered",
    ],
    ["REFUSED_STREAM", [frameBytes(RST_STREAM, 0, 1, uint32(7))], "UNAVAILABLE safe: Stream was reset by the server: REFUSED_STREAM"],
    ["CANCEL", [frameBytes(RST_STREAM, 0, 1, uint32(8))], "CANCELLED maybe-applied: Stream was reset by the server: CANCEL"],
    [
      "ENHANCE_YOUR_CALM",
      [frameBytes(RST_STREAM, 0, 1, uint32(11))],
      "RESOURCE_EXHAUSTED maybe-applied: Stream was reset by the server: ENHANCE_YOUR_CALM",
    ],
    [
      "INTERNAL_ERROR after headers",
      [response, frameBytes(RST_STREAM, 0, 1, uint32(2))],
      "INTERNAL maybe-applied: Stream was reset by the server: INTERNAL_ERROR",
    ],
    ["a reset after the status", [response, message, ok, frameBytes(RST_STREAM, 0, 1, uint32(0))], "OK hi"],
    [
      "GOAWAY that excludes the call",
      [frameBytes(GOAWAY, 0, 0, [...uint32(0), ...uint32(0)])],
      "UNAVAILABLE safe: Server goes away before it saw the call: ",
    ],
    ["GOAWAY that includes it", [frameBytes(GOAWAY, 0, 0, [...uint32(1), ...uint32(0)]), response, message, ok], "OK hi"],
  ])("%s", async (_, frames, result) => {
    const script = new Script();
    script.call();
    const server = await script.server();
    server.send(...frames);
    script.clock.settle();
    expect(script.results).toEqual([result]);
    expect(script.channel.counters.streamsOpen).toBe(0);
  });

  test.each<[string, string, Uint8Array]>([
    ["HEADERS on a stream that nobody opened", "PROTOCOL_ERROR", frameBytes(HEADERS, Flag.END_HEADERS, 3, headerBlock(responseFields))],
    ["HEADERS on an even stream", "PROTOCOL_ERROR", frameBytes(HEADERS, Flag.END_HEADERS, 2, headerBlock(responseFields))],
    ["PUSH_PROMISE", "PROTOCOL_ERROR", frameBytes(PUSH_PROMISE, Flag.END_HEADERS, 1, [0, 0, 0, 2])],
    ["a broken header block", "COMPRESSION_ERROR", frameBytes(HEADERS, Flag.END_HEADERS, 1, [0x80])],
    ["SETTINGS with a window above 2^31-1", "FLOW_CONTROL_ERROR", frameBytes(SETTINGS, 0, 0, [0, 4, 0x80, 0, 0, 0])],
    ["a frame above the limit", "FRAME_SIZE_ERROR", frameBytes(DATA, 0, 1, new Uint8Array(16_385))],
  ])("%s ends the connection: %s", async (_, code, frame) => {
    const script = new Script();
    script.call();
    const server = await script.server();
    server.send(frame);
    script.clock.settle();
    expect([server.goaway, server.closed]).toEqual([code, true]);
    expect(script.results[0]).toMatch(/^UNAVAILABLE maybe-applied: Connection was lost: /);
  });
});

describe("the connection", () => {
  test("is made by the first call, and again after a loss when a call needs it", async () => {
    const script = new Script();
    const states: string[] = [];
    script.channel.onState((state) => states.push(state.kind));
    expect([script.attempts, script.channel.state.kind]).toEqual([0, "idle"]);
    script.call();
    const server = await script.server();
    server.stream.destroy();
    await script.clock.settleAsync();
    expect(script.results).toEqual(["UNAVAILABLE maybe-applied: Connection was lost: Connection was reset"]);
    expect(script.channel.state.kind).toBe("idle");
    script.call();
    const next = await script.server();
    next.send(response, message, ok);
    script.clock.settle();
    expect(script.results[1]).toBe("OK hi");
    expect(states).toEqual(["connecting", "ready", "idle", "connecting", "ready"]);
  });

  test("that cannot be made is tried again after growing waits, while calls wait until their deadline", async () => {
    const script = new Script();
    script.refusal = new Error("connection refused");
    script.call({ timeoutMs: 1000 });
    const waits: number[] = [];
    for (let round = 0; round < 200; round++) {
      const before = script.attempts;
      script.clock.advance(10);
      await script.clock.settleAsync();
      if (script.attempts > before) waits.push(round * 10);
    }
    expect(waits.slice(0, 4)).toEqual([100, 260, 520, 930]);
    expect(script.results).toEqual(["DEADLINE_EXCEEDED safe: context deadline exceeded"]);
    // Nobody waits any more: the channel rests.
    expect([script.channel.state.kind, script.attempts]).toEqual(["idle", 5]);
  });

  test("that cannot be made fails calls that do not want to wait", async () => {
    const script = new Script();
    script.refusal = new Error("connection refused");
    script.call({ failFast: true });
    script.call({ timeoutMs: 10_000 });
    await script.clock.settleAsync();
    script.call({ failFast: true });
    await script.clock.settleAsync();
    const refused = "UNAVAILABLE safe: Server cannot be reached: connection refused";
    expect(script.results).toEqual([refused, refused]);
    script.refusal = null;
    script.clock.advance(200);
    const server = await script.server();
    server.send(response, message, ok);
    script.clock.settle();
    expect(script.results[2]).toBe("OK hi");
  });

  test("that closes before SETTINGS counts as failed", async () => {
    const script = new Script();
    script.call();
    await script.clock.settleAsync();
    script.servers[0]?.stream.destroy();
    await script.clock.settleAsync();
    expect(script.channel.state.kind).toBe("backOff");
  });

  test("with GOAWAY ends its calls and takes no new ones", async () => {
    const script = new Script();
    script.call();
    const old = await script.server();
    old.send(frameBytes(GOAWAY, 0, 0, [...uint32(0x7fffffff), ...uint32(0)]));
    script.clock.settle();
    script.call();
    const fresh = await script.server();
    expect(script.servers.length).toBe(2);
    old.send(response, message, ok);
    script.clock.settle();
    expect([script.results, old.closed]).toEqual([["OK hi"], true]);
    fresh.send(response, message, ok);
    script.clock.settle();
    expect(script.results).toEqual(["OK hi", "OK hi"]);
  });

  test("respects the server's limit of streams: further calls wait in order", async () => {
    const script = new Script();
    for (let count = 0; count < 3; count++) script.call();
    script.channel.connect();
    await script.clock.settleAsync();
    const server = await script.server([[3, 4]]);
    for (let count = 0; count < 3; count++) script.call();
    script.clock.settle();
    expect(server.frames.filter((frame) => frame.type === "HEADERS").map((frame) => frame.streamId)).toEqual([1, 3, 5, 7]);
    server.send(response, message, ok);
    script.clock.settle();
    expect(server.frames.filter((frame) => frame.type === "HEADERS").map((frame) => frame.streamId)).toEqual([1, 3, 5, 7, 9]);
  });

  test("has a limit of calls that wait", async () => {
    const script = new Script({ waitingCallsMax: 2 });
    for (let count = 0; count < 3; count++) script.call();
    script.clock.settle();
    expect(script.results).toEqual(["RESOURCE_EXHAUSTED safe: 2 calls wait for the connection already"]);
  });

  test("is asked with a ping when it is silent, and given up without an answer", async () => {
    const script = new Script({ limits: { keepaliveMs: 10_000, keepaliveTimeoutMs: 3000 } });
    script.call();
    const server = await script.server();
    script.clock.advance(10_500);
    expect(server.summary().at(-1)).toBe("PING 0");
    script.clock.advance(3_500);
    expect(script.results).toEqual(["UNAVAILABLE maybe-applied: Connection was lost: Peer did not answer a keepalive ping within 3000 ms"]);
  });
});

describe("ending a call", () => {
  test("by its deadline resets the stream, and a late answer is dropped", async () => {
    const script = new Script();
    script.call({ timeoutMs: 100 });
    const server = await script.server();
    script.clock.advance(110);
    expect([script.results, server.reset(1)]).toEqual([["DEADLINE_EXCEEDED maybe-applied: context deadline exceeded"], "CANCEL"]);
    server.send(response, message, ok);
    script.clock.settle();
    expect([server.goaway, script.results.length]).toEqual([null, 1]);
  });

  test("by cancel while it waits sends nothing", async () => {
    const script = new Script();
    const call = script.call();
    call.cancel();
    call.cancel();
    const server = await script.server();
    expect(script.results).toEqual(["CANCELLED safe: Call was cancelled"]);
    expect(server.frames.some((frame) => frame.type === "HEADERS")).toBe(false);
  });

  test("whose deadline has passed before it began fails at once", () => {
    const script = new Script();
    script.call({ timeoutMs: 0 });
    expect(script.results).toEqual([]);
    script.clock.settle();
    expect([script.results, script.attempts]).toEqual([["DEADLINE_EXCEEDED safe: context deadline exceeded"], 0]);
  });

  test("without a deadline waits a minute for the connection, not longer", async () => {
    const script = new Script({ connect: () => new Promise(() => undefined) });
    script.call();
    script.clock.advance(61_000);
    expect(script.results).toEqual(["UNAVAILABLE safe: Call without a deadline found no connection"]);
  });

  test("by closing the channel: what runs and what waits fails, the connection says goodbye", async () => {
    const script = new Script();
    script.call();
    const server = await script.server([[3, 1]]);
    script.call();
    const closed = script.channel.close();
    await script.clock.settleAsync();
    await closed;
    expect(script.results).toEqual([
      "CANCELLED safe: Channel is closed",
      "UNAVAILABLE maybe-applied: Connection was lost: closed by the peer",
    ]);
    expect([server.goaway, server.closed]).toEqual(["NO_ERROR", true]);
    script.call();
    script.clock.settle();
    expect(script.results[2]).toBe("CANCELLED safe: Channel is closed");
  });
});

test("a large request waits for the windows of the server", async () => {
  const script = new Script();
  script.call({}, new Uint8Array(200_000));
  const server = await script.server([[4, 100_000]]);
  expect(server.dataBytes(1)).toBe(65_535);
  server.send(frameBytes(WINDOW_UPDATE, 0, 0, uint32(1_000_000)));
  script.clock.settle();
  expect(server.dataBytes(1)).toBe(100_000);
  server.send(frameBytes(WINDOW_UPDATE, 0, 1, uint32(1_000_000)));
  script.clock.settle();
  expect(server.dataBytes(1)).toBe(200_005);
  expect(server.ofStream(1).at(-1)?.flags).toBe(end);
});
