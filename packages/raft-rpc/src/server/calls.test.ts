import { describe, expect, test } from "vitest";
import { Metadata } from "../grpc/metadata.ts";
import { RpcError } from "../grpc/rpc-error.ts";
import { StatusCode } from "../grpc/status.ts";
import { clientPreface, Flag, FrameType } from "../http2/frame.ts";
import { ascii, frameBytes, grpcMessage, grpcRequestFields, type RawPeer, uint32 } from "../testing/raw-peer.ts";
import { startServer } from "../testing/server-fixture.ts";
import type { UnaryCall } from "./call.ts";

const end = Flag.END_STREAM;
const body = ascii("hello");
const echo = "/x.Y/Echo";
/** Its client sends one message. */
const spell = "/x.Y/Spell";

function answer(peer: RawPeer, streamId = 1): { status: string | null; message: string | null; frames: string[] } {
  return { status: peer.status(streamId), message: peer.statusMessage(streamId), frames: peer.summary() };
}

test("a unary answer is HEADERS, DATA and trailers", () => {
  const { clock, startedPeer, server } = startServer();
  const peer = startedPeer();
  peer.send(...peer.unary(1, echo, body));
  clock.settle();
  expect(peer.summary()).toEqual(["HEADERS 1 :status=200 content-type=application/grpc", "DATA 1 10 bytes", "HEADERS 1 grpc-status=0 END"]);
  expect(peer.ofStream(1)[1]?.payload).toEqual(grpcMessage(body));
  expect([server.counters.callsByStatus[0], server.counters.streamsOpen, server.counters.handlersRunning]).toEqual([1, 0, 0]);
});

test("an equal header block is found in the cache, and a block that changes the table is not kept", () => {
  const { clock, startedPeer, server } = startServer();
  const peer = startedPeer();
  peer.send(...peer.unary(1, echo, body), ...peer.unary(3, echo, body), ...peer.unary(5, echo, body));
  clock.settle();
  expect([server.counters.headerBlockHits, server.counters.headerBlockMisses]).toEqual([2, 1]);
});

describe("errors are told as grpc-go tells them, in one block with END_STREAM", () => {
  test.each<[string, string, (peer: RawPeer) => Uint8Array[]]>([
    ["12", "unknown service x.Z", (peer) => peer.unary(1, "/x.Z/Echo", body)],
    ["12", "unknown method None for service x.Y", (peer) => peer.unary(1, "/x.Y/None", body)],
    ["12", 'malformed method name: "echo"', (peer) => peer.unary(1, "echo", body)],
    [
      "12",
      'grpc: Decompressor is not installed for grpc-encoding "gzip"',
      (peer) => peer.unary(1, echo, body, [["grpc-encoding", "gzip"]]),
    ],
    ["13", 'malformed grpc-timeout "5x"', (peer) => peer.unary(1, echo, body, [["grpc-timeout", "5x"]])],
    ["13", "Binary metadata is not base64", (peer) => peer.unary(1, echo, body, [["x-bin", "!"]])],
    ["4", "context deadline exceeded", (peer) => peer.unary(1, echo, body, [["grpc-timeout", "0n"]])],
    [
      "8",
      "grpc: received message larger than max (2097153 vs. 2097152)",
      (peer) => [peer.headers(1, grpcRequestFields(echo)), peer.data(1, Uint8Array.of(0, ...uint32(2_097_153), 1))],
    ],
    [
      "13",
      "Compressed flag is set, but the call has no grpc-encoding",
      (peer) => [peer.headers(1, grpcRequestFields(echo)), peer.data(1, Uint8Array.of(1, 0, 0, 0, 0), end)],
    ],
    [
      "13",
      "Compressed flag is 2, not 0 or 1",
      (peer) => [peer.headers(1, grpcRequestFields(echo)), peer.data(1, Uint8Array.of(2, 0, 0, 0, 0), end)],
    ],
    [
      "13",
      "Stream ended inside a message",
      (peer) => [peer.headers(1, grpcRequestFields(echo)), peer.data(1, grpcMessage(body).slice(0, 7), end)],
    ],
    ["12", "Unary call has no message", (peer) => [peer.headers(1, grpcRequestFields(echo), Flag.END_HEADERS | end)]],
    [
      "12",
      "Unary call has more than one message",
      (peer) => [peer.headers(1, grpcRequestFields(echo)), peer.data(1, Uint8Array.of(...grpcMessage(body), ...grpcMessage(body)), end)],
    ],
    ["12", "Server-streaming call has no message", (peer) => [peer.headers(1, grpcRequestFields(spell), Flag.END_HEADERS | end)]],
    [
      "12",
      "Server-streaming call has more than one message",
      (peer) => [peer.headers(1, grpcRequestFields(spell)), peer.data(1, Uint8Array.of(...grpcMessage(body), ...grpcMessage(body)), end)],
    ],
    ["8", "Path of 2000 bytes is above 1024", (peer) => peer.unary(1, `/${"p".repeat(1999)}`, body)],
    [
      "8",
      "Header list of 20280 bytes is above the limits, 16384 bytes and 100 fields",
      (peer) =>
        peer.unary(
          1,
          echo,
          body,
          Array.from({ length: 20 }, () => ["x", "0".repeat(967)] as const),
        ),
    ],
  ])("%s %s", (status, message, send) => {
    const { clock, startedPeer, dispatcher } = startServer();
    dispatcher.addStream(spell, () => expect.unreachable("The request is not right"), { requests: "one" });
    const peer = startedPeer();
    peer.send(...send(peer));
    clock.settle();
    const seen = answer(peer);
    expect([seen.status, seen.message]).toEqual([status, message]);
    const [headers] = peer.ofStream(1);
    expect([headers?.headers[":status"], (headers?.flags ?? 0) & end]).toEqual(["200", end]);
  });

  test.each<[string, string, string]>([
    ["405", ":method", "GET"],
    ["415", "content-type", "application/json"],
    ["415", "content-type", "application/grpc-web"],
  ])("HTTP status %s for %s %s", (status, name, value) => {
    const { clock, startedPeer } = startServer();
    const peer = startedPeer();
    const fields = grpcRequestFields(echo).map((field) => (field[0] === name ? ([name, value] as const) : field));
    peer.send(peer.headers(1, fields, Flag.END_HEADERS | end));
    clock.settle();
    expect(peer.ofStream(1).map(({ headers }) => headers[":status"])).toEqual([status, undefined]);
  });

  test("application/grpc+proto and parameters are gRPC", () => {
    const { clock, startedPeer } = startServer();
    const peer = startedPeer();
    for (const [place, type] of ["application/grpc+proto", "application/grpc;charset=utf-8"].entries()) {
      const fields = grpcRequestFields(echo).map((field) => (field[0] === "content-type" ? (["content-type", type] as const) : field));
      peer.send(peer.headers(1 + 2 * place, fields), peer.data(1 + 2 * place, grpcMessage(body), end));
    }
    clock.settle();
    expect([peer.status(1), peer.status(3)]).toEqual(["0", "0"]);
  });
});

test("a handler's error is told with its message percent-encoded and its metadata", () => {
  const { clock, startedPeer, dispatcher } = startServer();
  dispatcher.addUnary("/x.Y/Fail", () => {
    const metadata = Metadata.of({ "x-detail": "more", "x-raw-bin": Uint8Array.of(255, 0) });
    throw new RpcError(StatusCode.FAILED_PRECONDITION, "\ttab, 100 % and ☺", { metadata });
  });
  const peer = startedPeer();
  peer.send(...peer.unary(1, "/x.Y/Fail", body));
  clock.settle();
  expect(peer.ofStream(1)[0]?.headers).toEqual({
    ":status": "200",
    "content-type": "application/grpc",
    "grpc-status": "9",
    "grpc-message": "%09tab, 100 %25 and %E2%98%BA",
    "x-detail": "more",
    "x-raw-bin": "/wA",
  });
});

test("what else a handler throws is reported, and hidden from the client", () => {
  const { clock, startedPeer, dispatcher, reports, server } = startServer();
  dispatcher.addUnary("/x.Y/Fail", () => {
    throw new TypeError("secret");
  });
  const peer = startedPeer();
  peer.send(...peer.unary(1, "/x.Y/Fail", body));
  clock.settle();
  expect(answer(peer)).toMatchObject({ status: "2", message: "handler failed" });
  expect([reports, server.counters.handlerFailures]).toEqual([["/x.Y/Fail: secret"], 1]);
});

test("a handler sees path, authority, metadata and deadline, and may answer later with metadata of its own", () => {
  const { clock, startedPeer, dispatcher } = startServer();
  const calls: UnaryCall[] = [];
  dispatcher.addUnary("/x.Y/Later", (_message, call) => calls.push(call));
  const peer = startedPeer();
  peer.send(
    ...peer.unary(1, "/x.Y/Later", body, [
      ["grpc-timeout", "250m"],
      ["token", "abc"],
      ["data-bin", "AQI,Aw=="],
    ]),
  );
  clock.settle();
  const [call] = calls;
  if (call === undefined) throw new Error("The handler was not called");
  expect([call.path, call.authority, call.metadata.get("token"), call.deadlineMs - clock.monotonicMs()]).toEqual([
    "/x.Y/Later",
    "test",
    "abc",
    250,
  ]);
  expect(call.metadata.getAll("data-bin")).toEqual([Uint8Array.of(1, 2), Uint8Array.of(3)]);
  clock.advance(100);
  call.sendMetadata(Metadata.of({ "x-served-by": "a" }));
  call.respond(body, Metadata.of({ "x-cost": "7" }));
  clock.settle();
  expect(peer.summary()).toEqual([
    "HEADERS 1 :status=200 content-type=application/grpc x-served-by=a",
    "DATA 1 10 bytes",
    "HEADERS 1 grpc-status=0 x-cost=7 END",
  ]);
  expect(() => call.respond(body)).toThrow("answered twice");
});

test("a deadline answers 4 and tells the handler, whose answer is dropped", () => {
  const { clock, startedPeer, dispatcher, server } = startServer();
  const calls: UnaryCall[] = [];
  let cancels = 0;
  dispatcher.addUnary("/x.Y/Slow", (_message, call) => {
    calls.push(call);
    call.onCancel = () => cancels++;
  });
  const peer = startedPeer();
  peer.send(...peer.unary(1, "/x.Y/Slow", body, [["grpc-timeout", "100m"]]));
  clock.settle();
  clock.advance(99);
  expect([peer.status(1), cancels]).toEqual([null, 0]);
  clock.advance(9);
  expect([peer.status(1), peer.statusMessage(1), cancels]).toEqual(["4", "context deadline exceeded", 1]);
  expect([calls[0]?.cancelled, server.counters.handlersRunning]).toEqual([true, 1]);
  const before = peer.frames.length;
  calls[0]?.respond(body);
  clock.settle();
  expect([peer.frames.length, server.counters.handlersRunning]).toEqual([before, 0]);
});

test("RST_STREAM and the loss of the connection cancel the handler", () => {
  const { clock, startedPeer, dispatcher, server } = startServer();
  const cancelled: string[] = [];
  dispatcher.addUnary("/x.Y/Slow", (message, call) => {
    call.onCancel = () => cancelled.push(String.fromCharCode(...message));
  });
  const peer = startedPeer();
  peer.send(...peer.unary(1, "/x.Y/Slow", ascii("a")), ...peer.unary(3, "/x.Y/Slow", ascii("b")));
  peer.send(frameBytes(FrameType.RST_STREAM, 0, 1, uint32(8)));
  clock.settle();
  expect(cancelled).toEqual(["a"]);
  peer.stream.destroy();
  clock.settle();
  expect(cancelled).toEqual(["a", "b"]);
  expect([server.counters.connectionsOpen, server.counters.streamsOpen]).toEqual([0, 0]);
});

describe("flow control", () => {
  test("a response waits for the stream's window and leaves octet by octet", () => {
    const { clock, startedPeer } = startServer();
    const peer = startedPeer([[4, 1]]);
    peer.send(...peer.unary(1, echo, body));
    clock.settle();
    expect(peer.dataBytes(1)).toBe(1);
    peer.send(frameBytes(FrameType.WINDOW_UPDATE, 0, 1, uint32(3)));
    clock.settle();
    expect(peer.dataBytes(1)).toBe(4);
    peer.send(frameBytes(FrameType.WINDOW_UPDATE, 0, 1, uint32(100)));
    clock.settle();
    expect([peer.dataBytes(1), peer.status(1)]).toEqual([10, "0"]);
  });

  test("a lower INITIAL_WINDOW_SIZE makes the window negative, which is remembered", () => {
    const { clock, startedPeer } = startServer();
    const peer = startedPeer([[4, 8]]);
    peer.send(...peer.unary(1, echo, body));
    clock.settle();
    peer.send(peer.settings([[4, 3]]), frameBytes(FrameType.WINDOW_UPDATE, 0, 1, uint32(5)));
    clock.settle();
    expect(peer.dataBytes(1)).toBe(8);
    peer.send(frameBytes(FrameType.WINDOW_UPDATE, 0, 1, uint32(1)));
    clock.settle();
    expect(peer.dataBytes(1)).toBe(9);
    peer.send(peer.settings([[4, 4]]));
    clock.settle();
    expect([peer.dataBytes(1), peer.status(1)]).toEqual([10, "0"]);
  });

  test("the connection's window is shared fairly, a frame of each stream in turn", () => {
    const { clock, startedPeer } = startServer();
    const peer = startedPeer([[4, 10_000_000]]);
    const large = new Uint8Array(100_000);
    peer.send(...chunks(peer, 1, large), ...chunks(peer, 3, large));
    clock.settle();
    expect(peer.dataBytes(1) + peer.dataBytes(3)).toBe(65_535);
    peer.send(frameBytes(FrameType.WINDOW_UPDATE, 0, 0, uint32(65_536)));
    clock.settle();
    expect([peer.dataBytes(1), peer.dataBytes(3)]).toEqual([98_303, 32_768]);
    peer.send(frameBytes(FrameType.WINDOW_UPDATE, 0, 0, uint32(200_000)));
    clock.settle();
    expect([peer.dataBytes(1), peer.dataBytes(3), peer.status(1), peer.status(3)]).toEqual([100_005, 100_005, "0", "0"]);
  });

  test("a message larger than the stream's window gets the window it needs as soon as its length is known", () => {
    const { clock, startedPeer } = startServer({ limits: { streamWindowBytes: 1000 } });
    const peer = startedPeer();
    const prefix = Uint8Array.of(0, ...uint32(5000));
    peer.send(peer.headers(1, grpcRequestFields(echo)), peer.data(1, prefix));
    clock.settle();
    expect(peer.summary()).toEqual(["WINDOW_UPDATE 1 4005"]);
    peer.send(peer.data(1, new Uint8Array(5000), end));
    clock.settle();
    expect(peer.status(1)).toBe("0");
  });

  test("a peer that overruns the stream's window loses the stream, the connection's window the connection", () => {
    const { clock, startedPeer } = startServer({ limits: { streamWindowBytes: 10, connectionWindowBytes: 65_535 } });
    const peer = startedPeer();
    peer.send(peer.headers(1, grpcRequestFields(echo)), peer.data(1, new Uint8Array(11)));
    clock.settle();
    expect([peer.reset(1), peer.goaway]).toEqual(["FLOW_CONTROL_ERROR", null]);
  });

  test("a client may use the initial window until it has acknowledged a smaller one", () => {
    const { clock, peer: accept } = startServer({ limits: { streamWindowBytes: 100 } });
    const peer = accept();
    peer.send(clientPreface, peer.settings([]), ...chunks(peer, 1, new Uint8Array(40_000)));
    peer.send(peer.headers(3, grpcRequestFields(echo)), peer.data(3, Uint8Array.of(0, ...uint32(20_000))));
    clock.settle();
    expect([peer.status(1), peer.reset(3)]).toEqual(["0", null]);
    peer.frames.length = 0;
    peer.send(peer.settingsAck());
    clock.settle();
    // 65,535 - 5 were left, 65,435 of them are taken away, and the message needs 20,000.
    expect(peer.summary()).toEqual(["WINDOW_UPDATE 3 19905"]);
    peer.send(peer.headers(5, grpcRequestFields(echo)), peer.data(5, new Uint8Array(101)));
    clock.settle();
    expect(peer.reset(5)).toBe("FLOW_CONTROL_ERROR");
  });

  test("connection window comes back for DATA of finished and unknown streams too", () => {
    const { clock, startedPeer } = startServer({ limits: { connectionWindowBytes: 65_535 } });
    const peer = startedPeer();
    peer.send(...peer.unary(1, echo, body));
    for (let frame = 0; frame < 20; frame++) {
      peer.send(peer.data(1, new Uint8Array(16_000)));
      clock.settle();
    }
    expect(peer.goaway).toBe(null);
    const credit = peer.frames.filter((frame) => frame.type === "WINDOW_UPDATE" && frame.streamId === 0);
    expect(credit.length).toBeGreaterThanOrEqual(6);
  });
});

function chunks(peer: RawPeer, streamId: number, message: Uint8Array): Uint8Array[] {
  const bytes = grpcMessage(message);
  const frames = [peer.headers(streamId, grpcRequestFields(echo))];
  for (let at = 0; at < bytes.length; at += 16_384) {
    frames.push(peer.data(streamId, bytes.slice(at, at + 16_384), at + 16_384 >= bytes.length ? end : 0));
  }
  return frames;
}

describe("a push stream", () => {
  test("gives messages while it is not paused, and window only for what was taken", () => {
    const { clock, startedPeer, dispatcher } = startServer({ limits: { streamWindowBytes: 100 } });
    const seen: number[] = [];
    let resume = (): void => undefined;
    dispatcher.addStream("/x.Y/Sink", (call) => {
      call.setHandlers({
        onMessage: (message) => {
          seen.push(message.length);
          call.pause();
          resume = () => call.resume();
        },
        onEnd: () => call.end(),
        onCancel: () => seen.push(-1),
        onDrain: () => undefined,
      });
    });
    const peer = startedPeer();
    peer.send(peer.headers(1, grpcRequestFields("/x.Y/Sink")));
    for (let count = 0; count < 4; count++) peer.send(peer.data(1, grpcMessage(new Uint8Array(20))));
    clock.settle();
    // The first was taken, three wait.
    expect([seen, peer.summary()]).toEqual([[20], []]);
    resume();
    resume();
    clock.settle();
    expect([seen, peer.summary()]).toEqual([[20, 20, 20], ["WINDOW_UPDATE 1 50"]]);
    peer.send(peer.data(1, new Uint8Array(0), end));
    clock.settle();
    expect(peer.status(1)).toBe(null);
    resume();
    resume();
    clock.settle();
    expect([seen, peer.status(1)]).toEqual([[20, 20, 20, 20], "0"]);
  });

  test("asks to stop when the client does not read, and says when to go on", () => {
    const { clock, startedPeer, dispatcher, server } = startServer();
    let sent = 0;
    let drains = 0;
    dispatcher.addStream("/x.Y/Source", (call) => {
      const fill = (): void => {
        while (sent < 100 && call.send(new Uint8Array(10_000))) sent++;
        if (sent === 100) call.end();
      };
      call.setHandlers({ onMessage: fill, onEnd: () => undefined, onCancel: () => undefined, onDrain: () => (drains++, fill()) });
    });
    const peer = startedPeer();
    peer.send(peer.headers(1, grpcRequestFields("/x.Y/Source")), peer.data(1, grpcMessage(body), end));
    clock.settle();
    expect(sent).toBeLessThan(20);
    for (let turn = 0; turn < 100; turn++) {
      peer.send(frameBytes(FrameType.WINDOW_UPDATE, 0, 0, uint32(20_000)), frameBytes(FrameType.WINDOW_UPDATE, 0, 1, uint32(20_000)));
      clock.settle();
    }
    expect([sent, peer.status(1)]).toEqual([100, "0"]);
    expect(drains).toBeGreaterThan(5);
    expect(server.counters.streamsOpen).toBe(0);
  });

  test("loses a handler that ignores the signal to stop", () => {
    const { clock, startedPeer, dispatcher } = startServer({ limits: { streamQueueBytesMax: 200_000 } });
    let cancels = 0;
    dispatcher.addStream("/x.Y/Flood", (call) => {
      call.setHandlers({ onMessage: () => undefined, onEnd: () => undefined, onCancel: () => cancels++, onDrain: () => undefined });
      for (let count = 0; count < 100; count++) call.send(new Uint8Array(10_000));
    });
    const peer = startedPeer();
    peer.send(peer.headers(1, grpcRequestFields("/x.Y/Flood")));
    clock.settle();
    expect([peer.reset(1), cancels]).toEqual(["CANCEL", 1]);
  });

  test("ended early by the handler, is ended with its status and a reset that asks for no more", () => {
    const { clock, startedPeer, dispatcher } = startServer();
    dispatcher.addStream("/x.Y/Deny", (call) => {
      call.setHandlers({ onMessage: () => undefined, onEnd: () => undefined, onCancel: () => undefined, onDrain: () => undefined });
      call.end(StatusCode.PERMISSION_DENIED, "no");
    });
    const peer = startedPeer();
    peer.send(peer.headers(1, grpcRequestFields("/x.Y/Deny")));
    clock.settle();
    expect(peer.summary()).toEqual([
      "HEADERS 1 :status=200 content-type=application/grpc grpc-status=7 grpc-message=no END",
      "RST_STREAM 1 NO_ERROR",
    ]);
  });
});
