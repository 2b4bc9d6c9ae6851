import { describe, expect, test } from "vitest";
import { clientPreface, ErrorCode, Flag, FrameType, readUint32 } from "../http2/frame.ts";
import { ascii, frameBytes, grpcMessage, grpcRequestFields, headerBlock, hex, type RawPeer, uint32 } from "../testing/raw-peer.ts";
import { startServer } from "../testing/server-fixture.ts";
import {
  answered,
  begin,
  echo,
  fieldsOnly,
  finish,
  frame,
  requestBlock,
  type Step,
  serverOutcome,
  setting,
  steps,
  unanswered,
  wait,
} from "./server-script.ts";

const { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, GOAWAY, WINDOW_UPDATE, CONTINUATION, PING } = FrameType;
const end = Flag.END_STREAM;
const endHeaders = Flag.END_HEADERS;
const message = grpcMessage(ascii("hello"));
const fields = grpcRequestFields(echo);

type Row = readonly [section: string, title: string, outcome: string, step: Step];

function trailers(...more: readonly (readonly [string, string])[]): Step {
  return steps(begin(wait), finish(1, 0), frame(HEADERS, endHeaders | end, 1, headerBlock(more)));
}

test.each([
  ["PING", frameBytes(PING, 0, 0, new Uint8Array(8))],
  ["the ACK of the server's SETTINGS", frameBytes(SETTINGS, Flag.ACK, 0, [])],
  ["a request", frameBytes(HEADERS, endHeaders, 1, requestBlock)],
  ["an unknown frame", frameBytes(0x42, 0, 0, [])],
])("server 3.4: %s before the client's SETTINGS: connection PROTOCOL_ERROR", (_, first) => {
  const { clock, peer: accept } = startServer();
  const client = accept();
  client.send(clientPreface, first);
  clock.settle();
  expect([client.goaway, client.closed]).toEqual(["PROTOCOL_ERROR", true]);
});

describe("rules of RFC 9113 beyond h2spec's list", () => {
  test.each<Row>([
    ["4.2", "padded DATA without a pad length", "connection FRAME_SIZE_ERROR", steps(begin(wait), frame(DATA, Flag.PADDED, 1, []))],
    ["4.2", "padded HEADERS without a pad length", "connection FRAME_SIZE_ERROR", frame(HEADERS, endHeaders | Flag.PADDED, 1, [])],
    [
      "4.2",
      "HEADERS too short for priority behind the pad length",
      "connection FRAME_SIZE_ERROR",
      frame(HEADERS, endHeaders | Flag.PADDED | Flag.PRIORITY, 1, [0, 0, 0, 0, 0]),
    ],
    ["4.2", "HEADERS too short for priority", "connection FRAME_SIZE_ERROR", frame(HEADERS, endHeaders | Flag.PRIORITY, 1, [0, 0, 0])],
    [
      "6.2",
      "padded HEADERS with priority",
      "grpc-status 0",
      steps(frame(HEADERS, endHeaders | Flag.PADDED | Flag.PRIORITY, 1, [2, 0x80, 0, 0, 3, 15, ...requestBlock, 0, 0]), finish()),
    ],
    ["6.8", "GOAWAY of 7 octets", "connection FRAME_SIZE_ERROR", frame(GOAWAY, 0, 0, new Uint8Array(7))],
    [
      "6.9.2",
      "INITIAL_WINDOW_SIZE that lifts a stream above 2^31-1",
      "connection FLOW_CONTROL_ERROR",
      steps(begin(wait), frame(WINDOW_UPDATE, 0, 1, uint32(100_000)), setting(4, 0x7fffffff)),
    ],
    [
      "6.10",
      "CONTINUATION of another stream",
      "connection PROTOCOL_ERROR",
      steps(frame(HEADERS, 0, 1, requestBlock), frame(CONTINUATION, endHeaders, 3, [0x82])),
    ],
    ["5.1.1", "ids that begin anywhere", "accepted", steps(begin(echo, 13), finish(13), begin(echo, 101), finish(101))],
    ["4.2", "an unknown frame above the maximum", "connection FRAME_SIZE_ERROR", frame(0x42, 0, 0, new Uint8Array(16_385))],
    [
      "4.3",
      "a header block that ends inside a field",
      "connection COMPRESSION_ERROR",
      frame(HEADERS, endHeaders, 1, requestBlock.slice(0, -1)),
    ],
    ["5.1", "DATA on an even stream", "connection PROTOCOL_ERROR", frame(DATA, 0, 2, [1])],
    ["5.1", "RST_STREAM on an even stream", "connection PROTOCOL_ERROR", frame(RST_STREAM, 0, 2, uint32(8))],
    ["5.1", "WINDOW_UPDATE on an even stream", "connection PROTOCOL_ERROR", frame(WINDOW_UPDATE, 0, 2, uint32(1))],
    [
      "5.1.1",
      "WINDOW_UPDATE on a lower stream, which a higher one closed",
      "accepted",
      steps(begin(wait, 5), frame(WINDOW_UPDATE, 0, 1, uint32(1))),
    ],
    [
      "5.1.1",
      "RST_STREAM on a lower stream, which a higher one closed",
      "accepted",
      steps(begin(wait, 5), frame(RST_STREAM, 0, 1, uint32(8))),
    ],
    ["5.1.1", "DATA on a lower stream, which a higher one closed", "stream STREAM_CLOSED", steps(begin(wait, 5), frame(DATA, 0, 1, [1]))],
    ["5.1", "RST_STREAM on a stream that has ended", "grpc-status 0", steps(answered, frame(RST_STREAM, 0, 1, uint32(8)))],
    ["5.1", "two RST_STREAM", "accepted", steps(begin(wait), frame(RST_STREAM, 0, 1, uint32(8)), frame(RST_STREAM, 0, 1, uint32(8)))],
    ["5.1", "a whole request, reset at once", "accepted", steps(unanswered, frame(RST_STREAM, 0, 1, uint32(8)))],
    ["6.1", "DATA that is padding alone", "grpc-status 0", steps(begin(echo), frame(DATA, Flag.PADDED, 1, [2, 0, 0]), finish())],
    ["6.3", "PRIORITY of 4 octets on a stream that cannot be reset", "connection FRAME_SIZE_ERROR", frame(PRIORITY, 0, 1, [0, 0, 0, 0])],
    ["6.5", "SETTINGS of 32 entries", "grpc-status 0", steps(frame(SETTINGS, 0, 0, new Uint8Array(32 * 6)), answered)],
    ["10.5", "SETTINGS of more entries", "connection ENHANCE_YOUR_CALM", frame(SETTINGS, 0, 0, new Uint8Array(33 * 6))],
    ["6.5.2", "ENABLE_PUSH 1, which a client may send", "grpc-status 0", steps(setting(2, 1), answered)],
    ["6.5.2", "MAX_CONCURRENT_STREAMS 0, which concerns pushes", "grpc-status 0", steps(setting(3, 0), answered)],
    ["6.5.2", "the largest MAX_FRAME_SIZE", "grpc-status 0", steps(setting(5, 16_777_215), answered)],
    ["6.5.2", "HEADER_TABLE_SIZE of any value", "grpc-status 0", steps(setting(1, 0), setting(1, 0xffffffff), answered)],
    ["6.9", "WINDOW_UPDATE of 0 on a stream that has ended", "grpc-status 0", steps(answered, frame(WINDOW_UPDATE, 0, 1, uint32(0)))],
    ["6.9", "WINDOW_UPDATE with the reserved bit", "grpc-status 0", steps(frame(WINDOW_UPDATE, 0, 0, uint32(0x80000001)), answered)],
    ["6.9", "WINDOW_UPDATE of 0 but for the reserved bit", "connection PROTOCOL_ERROR", frame(WINDOW_UPDATE, 0, 0, uint32(0x80000000))],
    ["8.1", "trailers", "grpc-status 0", steps(begin(echo), finish(1, 0), frame(HEADERS, endHeaders | end, 1, headerBlock([["x", "y"]])))],
    ["8.1", "empty trailers", "grpc-status 0", steps(begin(echo), finish(1, 0), frame(HEADERS, endHeaders | end, 1, []))],
    ["8.1.1", "a content-length without DATA", "stream PROTOCOL_ERROR", fieldsOnly([...fields, ["content-length", "1"]])],
    [
      "8.1.1",
      "a content-length that differs, behind trailers",
      "stream PROTOCOL_ERROR",
      steps(begin(wait, 1, [["content-length", "11"]]), finish(1, 0), frame(HEADERS, endHeaders | end, 1, [])),
    ],
    [
      "8.1.1",
      "a content-length that counts padding",
      "stream PROTOCOL_ERROR",
      steps(begin(wait, 1, [["content-length", "13"]]), frame(DATA, end | Flag.PADDED, 1, [2, ...message, 0, 0])),
    ],
    [
      "8.1.1",
      "a content-length without the padding",
      "grpc-status 0",
      steps(begin(echo, 1, [["content-length", "10"]]), frame(DATA, end | Flag.PADDED, 1, [2, ...message, 0, 0])),
    ],
    [
      "8.1.1",
      "two content-lengths that agree",
      "grpc-status 0",
      steps(
        begin(echo, 1, [
          ["content-length", "10"],
          ["content-length", "10"],
        ]),
        finish(),
      ),
    ],
    [
      "8.1.1",
      "two content-lengths that differ",
      "stream PROTOCOL_ERROR",
      steps(
        begin(echo, 1, [
          ["content-length", "10"],
          ["content-length", "9"],
        ]),
        finish(),
      ),
    ],
    ["8.1.1", "a content-length with a sign", "stream PROTOCOL_ERROR", begin(wait, 1, [["content-length", "+10"]])],
    ["8.2", "an upper-case name in trailers", "stream PROTOCOL_ERROR", trailers(["X", "y"])],
    ["8.2.2", "proxy-connection", "stream PROTOCOL_ERROR", begin(wait, 1, [["proxy-connection", "close"]])],
    ["8.2.2", "keep-alive", "stream PROTOCOL_ERROR", begin(wait, 1, [["keep-alive", "1"]])],
    ["8.2.2", "transfer-encoding", "stream PROTOCOL_ERROR", begin(wait, 1, [["transfer-encoding", "chunked"]])],
    ["8.2.2", "upgrade", "stream PROTOCOL_ERROR", begin(wait, 1, [["upgrade", "h2c"]])],
    ["8.2.2", "connection in trailers", "stream PROTOCOL_ERROR", trailers(["connection", "close"])],
    ["8.3", "an empty pseudo name", "stream PROTOCOL_ERROR", fieldsOnly([[":", "x"], ...fields])],
    ["8.3", "an unknown pseudo header in trailers", "stream PROTOCOL_ERROR", trailers([":x", "y"])],
    ["8.3.1", "two :authority", "stream PROTOCOL_ERROR", fieldsOnly([[":authority", "test"], ...fields])],
    ["8.3.1", "a host that differs from :authority", "stream PROTOCOL_ERROR", begin(wait, 1, [["host", "other"]])],
    ["8.3.1", "a host that equals :authority", "grpc-status 0", steps(begin(echo, 1, [["host", "test"]]), finish())],
    [
      "8.3.1",
      "neither host nor :authority",
      "grpc-status 0",
      steps(frame(HEADERS, endHeaders, 1, headerBlock(fields.filter(([name]) => name !== ":authority"))), finish()),
    ],
    [
      "8.5",
      "CONNECT, which gRPC does not know",
      "status 405",
      fieldsOnly([
        [":method", "CONNECT"],
        [":authority", "test:1"],
      ]),
    ],
    [
      "8.5",
      "CONNECT with :path",
      "stream PROTOCOL_ERROR",
      fieldsOnly([
        [":method", "CONNECT"],
        [":authority", "test:1"],
        [":path", "/"],
      ]),
    ],
    [
      "8.5",
      "CONNECT with :scheme",
      "stream PROTOCOL_ERROR",
      fieldsOnly([
        [":method", "CONNECT"],
        [":authority", "test:1"],
        [":scheme", "http"],
      ]),
    ],
    ["8.5", "CONNECT without :authority", "stream PROTOCOL_ERROR", fieldsOnly([[":method", "CONNECT"]])],
    [
      "8.5",
      "extended CONNECT, which nobody allowed",
      "stream PROTOCOL_ERROR",
      fieldsOnly([[":method", "CONNECT"], [":protocol", "websocket"], ...fields.slice(1)]),
    ],
  ])("server %s: %s: %s", (_section, _title, outcome, step) => {
    expect(serverOutcome(step)).toBe(outcome);
  });
});

describe("octets of names and values (8.2.1)", () => {
  function takes(name: string, value: string): boolean {
    return serverOutcome(steps(begin(echo, 1, [[name, value]]), finish())) === "grpc-status 0";
  }
  const octets = Array.from({ length: 256 }, (_, code) => code);

  test("a name holds no controls, spaces, upper-case letters, colons, nor octets above 7e", () => {
    const taken = octets.filter((code) => takes(`x${String.fromCharCode(code)}y`, "1"));
    expect(taken).toEqual(octets.filter((code) => code > 0x20 && code < 0x7f && code !== 0x3a && !(code >= 0x41 && code <= 0x5a)));
  });

  test("a value holds no NUL, line feed and carriage return", () => {
    const taken = octets.filter((code) => takes("x", `a${String.fromCharCode(code)}b`));
    expect(octets.filter((code) => !taken.includes(code))).toEqual([0x00, 0x0a, 0x0d]);
  });

  test("a value neither begins nor ends with a blank", () => {
    expect([" a", "a ", "\ta", "a\t", "", "a b"].map((value) => takes("x", value))).toEqual([false, false, false, false, true, true]);
  });
});

test("the server begins with SETTINGS and its window, and acknowledges the client's SETTINGS (3.4)", () => {
  const { clock, peer: accept } = startServer();
  const client = accept();
  client.startClient([[4, 100]]);
  clock.settle();
  expect(client.frames.map(({ type, flags }) => `${type} ${flags}`)).toEqual(["SETTINGS 0", "WINDOW_UPDATE 0", "SETTINGS 1"]);
});

test("the header block is decoded even if the stream is refused (4.3)", () => {
  const { clock, startedPeer, dispatcher } = startServer({ limits: { concurrentStreamsMax: 1 } });
  dispatcher.addUnary(wait, () => undefined);
  const client = startedPeer();
  unanswered(client);
  // The refused request inserts a field, which the next one refers to.
  client.send(frameBytes(HEADERS, endHeaders | end, 3, [...requestBlock, ...hex("4001780179")]), frameBytes(RST_STREAM, 0, 1, uint32(8)));
  client.send(frameBytes(HEADERS, endHeaders | end, 5, [...requestBlock, 0xbe]));
  clock.settle();
  expect([client.reset(3), client.goaway]).toEqual(["REFUSED_STREAM", null]);
});

test("a malformed request starts no handler", () => {
  const { clock, startedPeer, dispatcher } = startServer();
  const started: string[] = [];
  dispatcher.addStream("/x.Y/Stream", (call) => {
    started.push(call.path);
  });
  const client = startedPeer();
  const malformed = headerBlock(grpcRequestFields("/x.Y/Stream", [["content-length", "5"]]));
  client.send(frameBytes(HEADERS, endHeaders | end, 1, malformed));
  clock.settle();
  expect([started, client.reset(1)]).toEqual([[], "PROTOCOL_ERROR"]);
});

describe("our own SETTINGS bind the client from its ACK on (6.5.3)", () => {
  const limits = { streamWindowBytes: 1000 };

  function opened(): { readonly client: RawPeer; readonly settle: () => void } {
    const { clock, peer: accept, dispatcher } = startServer({ limits });
    dispatcher.addUnary(wait, () => undefined);
    const client = accept();
    client.send(clientPreface, client.settings([]));
    begin(wait)(client);
    return { client, settle: () => clock.settle() };
  }

  test("before it a stream takes the initial window", () => {
    const { client, settle } = opened();
    client.send(client.data(1, Uint8Array.of(0, ...uint32(65_530), ...new Uint8Array(16_379))));
    for (let count = 0; count < 3; count++) client.send(client.data(1, new Uint8Array(16_383)));
    settle();
    expect([client.reset(1), client.goaway]).toEqual([null, null]);
  });

  test("after it the window of open streams is lowered, below 0 if need be, and what overruns it is an error of the stream", () => {
    const { client, settle } = opened();
    client.send(client.data(1, Uint8Array.of(0, 0, 0, 0x40, 0, ...new Uint8Array(3000))), client.settingsAck());
    settle();
    expect(client.reset(1)).toBe(null);
    // The message still needs 13,384 octets, for which there is window now; one more is too much.
    client.send(client.data(1, new Uint8Array(13_385)));
    settle();
    expect([client.reset(1), client.goaway]).toEqual(["FLOW_CONTROL_ERROR", null]);
  });
});

describe("what comes behind our own reset (5.1, 5.4.2)", () => {
  test("is dropped, counted for the connection, and decoded", () => {
    const { clock, startedPeer } = startServer({ limits: { connectionWindowBytes: 65_535 } });
    const client = startedPeer();
    // Nobody knows the method: the answer and the reset are out before the rest comes.
    begin("/x.Y/None")(client);
    clock.settle();
    for (let count = 0; count < 10; count++) {
      client.send(client.data(1, new Uint8Array(16_384)));
      clock.settle();
    }
    client.send(frameBytes(HEADERS, endHeaders | end, 1, hex("4001780179")));
    client.send(frameBytes(HEADERS, endHeaders, 3, [...requestBlock, 0xbe]), client.data(3, message, end));
    clock.settle();
    expect([client.goaway, client.status(3), client.frames.filter((seen) => seen.type === "RST_STREAM").length]).toEqual([null, "0", 1]);
  });

  test("is no fault of the client, however many streams it concerns", () => {
    const { clock, startedPeer, dispatcher } = startServer();
    dispatcher.addUnary(wait, () => undefined);
    const client = startedPeer();
    for (let id = 1; id < 2000; id += 2) begin(wait, id, [["grpc-timeout", "1S"]])(client);
    clock.advance(1100);
    for (let id = 1; id < 2000; id += 2) client.send(client.data(id, new Uint8Array(100)), client.data(id, new Uint8Array(100)));
    clock.settle();
    expect([client.goaway, client.status(1), client.reset(1999)]).toEqual([null, "4", "NO_ERROR"]);
  });
});

describe("GOAWAY of the server (6.8)", () => {
  function lastIds(client: RawPeer): number[] {
    return client.frames.filter((seen) => seen.type === "GOAWAY").map((seen) => readUint32(seen.payload, 0));
  }

  /** A server that has announced its end on a connection with a call that waits on stream 1. */
  function draining(): { readonly client: RawPeer; readonly settle: () => void; readonly finish: () => void } {
    const fixture = startServer();
    fixture.dispatcher.addUnary(wait, () => undefined);
    const client = fixture.startedPeer();
    begin(wait)(client);
    fixture.clock.settle();
    void fixture.server.close(10_000);
    fixture.clock.settle();
    const drainPing = client.frames.findLast((seen) => seen.type === "PING");
    client.send(frameBytes(PING, Flag.ACK, 0, drainPing?.payload ?? []));
    fixture.clock.settle();
    return { client, settle: () => fixture.clock.settle(), finish: () => fixture.clock.advance(11_000) };
  }

  test("the first names all streams, the second the last that is processed", () => {
    const { client } = draining();
    expect([lastIds(client), client.goaway, client.closed]).toEqual([[0x7fffffff, 1], "NO_ERROR", false]);
  });

  test("streams above the last are ignored, whatever comes for them, and the call below it ends", () => {
    const { client, settle, finish: shutDown } = draining();
    client.frames.length = 0;
    client.send(...client.unary(3, echo, ascii("late")), frameBytes(HEADERS, endHeaders | end, 3, headerBlock([["x", "y"]])));
    begin(echo, 5)(client);
    client.send(
      client.data(5, new Uint8Array(16_384)),
      frameBytes(RST_STREAM, 0, 5, uint32(8)),
      frameBytes(WINDOW_UPDATE, 0, 3, uint32(1)),
    );
    settle();
    expect(client.frames).toEqual([]);
    shutDown();
    expect([client.status(1), client.closed]).toEqual(["14", true]);
  });

  test("the last id never grows", () => {
    const { client, finish: shutDown } = draining();
    begin(echo, 7)(client);
    shutDown();
    expect(lastIds(client)).toEqual([0x7fffffff, 1, 1]);
  });

  test("their header blocks are decoded, for those of streams below refer to them", () => {
    const { client, settle } = draining();
    client.send(frameBytes(HEADERS, endHeaders | end, 3, [...requestBlock, ...hex("4001780179")]));
    client.send(frameBytes(HEADERS, endHeaders | end, 1, [0xbe]));
    settle();
    expect(client.goaway).toBe("NO_ERROR");
  });

  test("GOAWAY of the client lets its calls go on", () => {
    const goaway = frame(GOAWAY, 0, 0, [...uint32(0), ...uint32(ErrorCode.NO_ERROR), ...ascii("bye")]);
    expect(serverOutcome(steps(begin(echo), goaway, finish()))).toBe("grpc-status 0");
  });
});

describe("flow control of the server (6.9)", () => {
  test("more than the connection's window is an error of the connection", () => {
    const { clock, startedPeer, dispatcher } = startServer({ limits: { connectionWindowBytes: 65_535, streamWindowBytes: 100_000 } });
    // Messages that nobody takes are not given back.
    dispatcher.addStream("/x.Y/Paused", (call) => call.pause());
    const client = startedPeer();
    begin("/x.Y/Paused")(client);
    const held = grpcMessage(new Uint8Array(16_384 - 5));
    for (let count = 0; count < 3; count++) client.send(client.data(1, held));
    clock.settle();
    expect(client.goaway).toBe(null);
    client.send(client.data(1, held));
    clock.settle();
    expect([client.goaway, client.closed]).toEqual(["FLOW_CONTROL_ERROR", true]);
  });

  test("more than a stream's window is an error of the stream", () => {
    const { clock, startedPeer } = startServer({ limits: { streamWindowBytes: 1000 } });
    const client = startedPeer();
    begin(echo)(client);
    client.send(client.data(1, new Uint8Array(1001)));
    clock.settle();
    expect([client.reset(1), client.goaway]).toEqual(["FLOW_CONTROL_ERROR", null]);
  });
});
