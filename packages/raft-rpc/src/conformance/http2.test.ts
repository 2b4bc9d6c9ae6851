import { describe, expect, test } from "vitest";
import { ErrorCode, Flag, FrameType } from "../http2/frame.ts";
import { ascii, frameBytes, grpcMessage, grpcRequestFields, headerBlock, type RawPeer, uint32 } from "../testing/raw-peer.ts";
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

const { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION } = FrameType;
const end = Flag.END_STREAM;
const endHeaders = Flag.END_HEADERS;
const reset = frame(RST_STREAM, 0, 1, uint32(ErrorCode.CANCEL));
const fields = grpcRequestFields(echo);

type Row = readonly [section: string, title: string, outcome: string, step: Step];

/** A request without this field. */
function without(name: string): Step {
  return fieldsOnly(fields.filter(([key]) => key !== name));
}

/** A request whose field, which may be new, has this value. */
function having(name: string, value: string): Step {
  const rest = fields.filter(([key]) => key !== name);
  return fieldsOnly(name.startsWith(":") ? [[name, value], ...rest] : [...rest, [name, value]]);
}

const first = requestBlock.slice(0, 4);
const rest = requestBlock.slice(4);

describe("frames (3.5 to 5.5)", () => {
  test.each<Row>([
    ["4.1/1", "an unknown frame type is ignored", "grpc-status 0", steps(frame(0x16, 0, 0, new Uint8Array(8)), answered)],
    ["4.1/2", "undefined flags are ignored", "grpc-status 0", steps(frame(PING, 0x16, 0, new Uint8Array(8)), answered)],
    ["4.1/3", "the reserved bit is ignored", "grpc-status 0", steps(frame(PING, 0, 0x80000000, new Uint8Array(8)), answered)],
    [
      "4.2/1",
      "DATA of 2^14 octets is taken",
      "grpc-status 0",
      steps(begin(echo), frame(DATA, end, 1, grpcMessage(new Uint8Array(16_384 - 5)))),
    ],
    ["4.2/2", "DATA above the maximum", "connection FRAME_SIZE_ERROR", steps(begin(echo), frame(DATA, end, 1, new Uint8Array(16_385)))],
    ["4.2/3", "HEADERS above the maximum", "connection FRAME_SIZE_ERROR", frame(HEADERS, endHeaders, 1, new Uint8Array(16_385))],
    ["4.3/1", "a fragment that is no HPACK", "connection COMPRESSION_ERROR", frame(HEADERS, endHeaders | end, 1, [0x40])],
    [
      "4.3/2",
      "PRIORITY inside a header block",
      "connection PROTOCOL_ERROR",
      steps(frame(HEADERS, 0, 1, first), frame(PRIORITY, 0, 1, [0, 0, 0, 0, 255]), frame(CONTINUATION, endHeaders, 1, rest)),
    ],
    [
      "4.3/3",
      "another stream's HEADERS inside a header block",
      "connection PROTOCOL_ERROR",
      steps(frame(HEADERS, 0, 1, first), frame(HEADERS, endHeaders, 3, requestBlock)),
    ],
    ["5.1/1", "DATA on an idle stream", "connection PROTOCOL_ERROR", frame(DATA, end, 1, [1])],
    ["5.1/2", "RST_STREAM on an idle stream", "connection PROTOCOL_ERROR", reset],
    ["5.1/3", "WINDOW_UPDATE on an idle stream", "connection PROTOCOL_ERROR", frame(WINDOW_UPDATE, 0, 1, uint32(100))],
    ["5.1/4", "CONTINUATION on an idle stream", "connection PROTOCOL_ERROR", frame(CONTINUATION, endHeaders, 1, requestBlock)],
    ["5.1/5", "DATA on a half-closed (remote) stream", "stream STREAM_CLOSED", steps(unanswered, frame(DATA, end, 1, [1]))],
    ["5.1/6", "HEADERS on a half-closed (remote) stream", "stream STREAM_CLOSED", steps(unanswered, begin(echo))],
    [
      "5.1/7",
      "CONTINUATION on a half-closed (remote) stream",
      "connection PROTOCOL_ERROR",
      steps(unanswered, frame(CONTINUATION, endHeaders, 1, requestBlock)),
    ],
    ["5.1/8", "DATA on a stream that the client reset", "stream STREAM_CLOSED", steps(begin(wait), reset, frame(DATA, end, 1, [1]))],
    ["5.1/9", "HEADERS on a stream that the client reset", "connection STREAM_CLOSED", steps(begin(wait), reset, begin(echo))],
    [
      "5.1/10",
      "CONTINUATION on a stream that the client reset",
      "connection PROTOCOL_ERROR",
      steps(begin(wait), reset, frame(CONTINUATION, endHeaders, 1, requestBlock)),
    ],
    ["5.1/11", "DATA on a stream that has ended", "stream STREAM_CLOSED", steps(answered, frame(DATA, end, 1, [1]))],
    ["5.1/12", "HEADERS on a stream that has ended", "connection STREAM_CLOSED", steps(answered, begin(echo))],
    [
      "5.1/13",
      "CONTINUATION on a stream that has ended",
      "connection PROTOCOL_ERROR",
      steps(answered, frame(CONTINUATION, endHeaders, 1, requestBlock)),
    ],
    [
      "5.1",
      "HEADERS on a stream that was refused, then reset",
      "connection STREAM_CLOSED",
      steps(begin("/x.Y/Nobody"), reset, begin("/x.Y/Nobody")),
    ],
    [
      "5.1",
      "HEADERS on a stream that was malformed, then reset",
      "connection STREAM_CLOSED",
      steps(frame(HEADERS, endHeaders, 1, headerBlock([["x", "y"]])), reset, begin(echo)),
    ],
    ["5.1.1/1", "an even stream", "connection PROTOCOL_ERROR", begin(echo, 2)],
    ["5.1.1/2", "a stream below the last", "connection PROTOCOL_ERROR", steps(begin(wait, 5), begin(echo, 3))],
    [
      "5.3.1/1",
      "HEADERS that depend on themselves",
      "connection PROTOCOL_ERROR",
      steps(frame(HEADERS, endHeaders | Flag.PRIORITY, 1, [0, 0, 0, 1, 255, ...requestBlock]), finish()),
    ],
    ["5.3.1/2", "PRIORITY that depends on itself", "connection PROTOCOL_ERROR", steps(frame(PRIORITY, 0, 1, [0, 0, 0, 1, 255]), answered)],
    ["5.4.1/1", "an error of the connection closes it", "connection FRAME_SIZE_ERROR", frame(PING, 0, 0, new Uint8Array(6))],
    ["5.5/1", "an unknown frame is ignored", "grpc-status 0", steps(frame(0xff, 0, 0, new Uint8Array(8)), answered)],
    [
      "5.5/2",
      "an unknown frame inside a header block",
      "connection PROTOCOL_ERROR",
      steps(frame(HEADERS, 0, 1, first), frame(0xff, 0, 0, new Uint8Array(8)), frame(CONTINUATION, endHeaders, 1, rest)),
    ],
  ])("http2 %s: %s: %s", (_section, _title, outcome, step) => {
    expect(serverOutcome(step)).toBe(outcome);
  });

  test("http2 3.5/1: the server's first frame is SETTINGS", () => {
    const { clock, peer: accept } = startServer();
    const client = accept();
    client.startClient();
    clock.settle();
    expect([client.frames[0]?.type, client.frames[0]?.flags]).toEqual(["SETTINGS", 0]);
  });

  test("http2 3.5/2: a wrong preface closes the connection", () => {
    const { clock, peer: accept } = startServer();
    const client = accept();
    client.send(ascii("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r"));
    clock.settle();
    expect(client.closed).toBe(true);
  });

  test("http2 5.1.2/1: a stream above the limit is refused", () => {
    const { clock, startedPeer, dispatcher } = startServer({ limits: { concurrentStreamsMax: 2 } });
    dispatcher.addUnary(wait, () => undefined);
    const client = startedPeer();
    for (const id of [1, 3, 5]) begin(wait, id)(client);
    clock.settle();
    expect([client.reset(1), client.reset(3), client.reset(5), client.goaway]).toEqual([null, null, "REFUSED_STREAM", null]);
  });

  test("http2 5.4.1/2: GOAWAY names the last stream that may have been processed", () => {
    const { clock, startedPeer } = startServer();
    const client = startedPeer();
    client.send(...client.unary(1, echo, ascii("a")), ...client.unary(5, echo, ascii("b")), frameBytes(PING, 0, 0, [1]));
    clock.settle();
    expect([...(client.frames.findLast((seen) => seen.type === "GOAWAY")?.payload.slice(0, 4) ?? [])]).toEqual([0, 0, 0, 5]);
  });
});

describe("frame definitions (6.1 to 6.10)", () => {
  test.each<Row>([
    ["6.1/1", "DATA on stream 0", "connection PROTOCOL_ERROR", frame(DATA, end, 0, [1])],
    ["6.1/2", "DATA on a stream that is not open", "stream STREAM_CLOSED", steps(unanswered, frame(DATA, end, 1, [1]))],
    [
      "6.1/3",
      "DATA with too much padding",
      "connection PROTOCOL_ERROR",
      steps(begin(echo), frame(DATA, end | Flag.PADDED, 1, [6, 1, 2, 3, 4, 5])),
    ],
    [
      "6.2/1",
      "PRIORITY behind HEADERS without END_HEADERS",
      "connection PROTOCOL_ERROR",
      steps(frame(HEADERS, 0, 1, requestBlock), frame(PRIORITY, 0, 1, [0, 0, 0, 0, 255])),
    ],
    [
      "6.2/2",
      "HEADERS of another stream behind HEADERS without END_HEADERS",
      "connection PROTOCOL_ERROR",
      steps(frame(HEADERS, 0, 1, requestBlock), frame(HEADERS, endHeaders, 3, requestBlock)),
    ],
    ["6.2/3", "HEADERS on stream 0", "connection PROTOCOL_ERROR", begin(echo, 0)],
    [
      "6.2/4",
      "HEADERS with too much padding",
      "connection PROTOCOL_ERROR",
      frame(HEADERS, endHeaders | Flag.PADDED, 1, [requestBlock.length + 1, ...requestBlock]),
    ],
    ["6.3/1", "PRIORITY on stream 0", "connection PROTOCOL_ERROR", frame(PRIORITY, 0, 0, [0, 0, 0, 0, 255])],
    [
      "6.3/2",
      "PRIORITY of 4 octets",
      "stream FRAME_SIZE_ERROR",
      steps(begin(wait), frame(PRIORITY, 0, 1, [0, 0, 0, 0]), frame(DATA, 0, 1, [])),
    ],
    ["6.4/1", "RST_STREAM on stream 0", "connection PROTOCOL_ERROR", frame(RST_STREAM, 0, 0, uint32(8))],
    ["6.4/2", "RST_STREAM on an idle stream", "connection PROTOCOL_ERROR", reset],
    ["6.4/3", "RST_STREAM of 3 octets", "connection FRAME_SIZE_ERROR", steps(begin(echo), frame(RST_STREAM, 0, 1, [0, 0, 8]))],
    ["6.5/1", "SETTINGS with ACK and a payload", "connection FRAME_SIZE_ERROR", frame(SETTINGS, Flag.ACK, 0, [0])],
    ["6.5/2", "SETTINGS on a stream", "connection PROTOCOL_ERROR", frame(SETTINGS, 0, 1, [0, 3, ...uint32(100)])],
    ["6.5/3", "SETTINGS of 3 octets", "connection FRAME_SIZE_ERROR", frame(SETTINGS, 0, 0, [0, 3, 0])],
    ["6.5.2/1", "ENABLE_PUSH 2", "connection PROTOCOL_ERROR", setting(2, 2)],
    ["6.5.2/2", "INITIAL_WINDOW_SIZE above 2^31-1", "connection FLOW_CONTROL_ERROR", setting(4, 0x80000000)],
    ["6.5.2/3", "MAX_FRAME_SIZE below 2^14", "connection PROTOCOL_ERROR", setting(5, 16_383)],
    ["6.5.2/4", "MAX_FRAME_SIZE above 2^24-1", "connection PROTOCOL_ERROR", setting(5, 16_777_216)],
    ["6.5.2/5", "an unknown setting is ignored", "grpc-status 0", steps(setting(0xff, 1), answered)],
    ["6.7/3", "PING on a stream", "connection PROTOCOL_ERROR", frame(PING, 0, 1, new Uint8Array(8))],
    ["6.7/4", "PING of 6 octets", "connection FRAME_SIZE_ERROR", frame(PING, 0, 0, new Uint8Array(6))],
    ["6.8/1", "GOAWAY on a stream", "connection PROTOCOL_ERROR", frame(GOAWAY, 0, 1, new Uint8Array(8))],
    ["6.9/1", "WINDOW_UPDATE of 0 on the connection", "connection PROTOCOL_ERROR", frame(WINDOW_UPDATE, 0, 0, uint32(0))],
    ["6.9/2", "WINDOW_UPDATE of 0 on a stream", "stream PROTOCOL_ERROR", steps(begin(wait), frame(WINDOW_UPDATE, 0, 1, uint32(0)))],
    ["6.9/3", "WINDOW_UPDATE of 3 octets", "connection FRAME_SIZE_ERROR", frame(WINDOW_UPDATE, 0, 0, [0, 0, 1])],
    [
      "6.9.1/2",
      "a connection window above 2^31-1",
      "connection FLOW_CONTROL_ERROR",
      steps(frame(WINDOW_UPDATE, 0, 0, uint32(0x7fffffff)), frame(WINDOW_UPDATE, 0, 0, uint32(0x7fffffff))),
    ],
    [
      "6.9.1/3",
      "a stream window above 2^31-1",
      "stream FLOW_CONTROL_ERROR",
      steps(begin(wait), frame(WINDOW_UPDATE, 0, 1, uint32(0x7fffffff)), frame(WINDOW_UPDATE, 0, 1, uint32(0x7fffffff))),
    ],
    ["6.9.2/3", "INITIAL_WINDOW_SIZE above 2^31-1", "connection FLOW_CONTROL_ERROR", setting(4, 0xffffffff)],
    [
      "6.10/1",
      "several CONTINUATION frames are taken",
      "grpc-status 0",
      steps(
        frame(HEADERS, 0, 1, first),
        frame(CONTINUATION, 0, 1, rest.slice(0, 3)),
        frame(CONTINUATION, endHeaders, 1, rest.slice(3)),
        finish(),
      ),
    ],
    [
      "6.10/2",
      "CONTINUATION, then another frame than CONTINUATION",
      "connection PROTOCOL_ERROR",
      steps(frame(HEADERS, 0, 1, first), frame(CONTINUATION, 0, 1, rest), frame(DATA, end, 1, [1])),
    ],
    [
      "6.10/3",
      "CONTINUATION on stream 0",
      "connection PROTOCOL_ERROR",
      steps(frame(HEADERS, 0, 1, first), frame(CONTINUATION, endHeaders, 0, rest)),
    ],
    [
      "6.10/4",
      "CONTINUATION behind HEADERS with END_HEADERS",
      "connection PROTOCOL_ERROR",
      steps(begin(wait), frame(CONTINUATION, endHeaders, 1, requestBlock)),
    ],
    [
      "6.10/5",
      "CONTINUATION behind CONTINUATION with END_HEADERS",
      "connection PROTOCOL_ERROR",
      steps(frame(HEADERS, 0, 1, first), frame(CONTINUATION, endHeaders, 1, rest), frame(CONTINUATION, endHeaders, 1, requestBlock)),
    ],
    [
      "6.10/6",
      "CONTINUATION behind DATA",
      "connection PROTOCOL_ERROR",
      steps(begin(wait), frame(DATA, 0, 1, [0]), frame(CONTINUATION, endHeaders, 1, requestBlock)),
    ],
  ])("http2 %s: %s: %s", (_section, _title, outcome, step) => {
    expect(serverOutcome(step)).toBe(outcome);
  });

  /** A client with these SETTINGS, on which the steps were taken. */
  function run(settings: readonly (readonly [number, number])[], ...all: readonly Step[]): RawPeer {
    const { clock, startedPeer } = startServer();
    const client = startedPeer(settings);
    client.frames.length = 0;
    for (const step of all) {
      step(client);
      clock.settle();
    }
    return client;
  }

  test("http2 6.5.3/1: of several values of a setting the last one counts", () => {
    const twice = frame(SETTINGS, 0, 0, [0, 4, ...uint32(100), 0, 4, ...uint32(1)]);
    expect(run([], twice, answered).dataBytes(1)).toBe(1);
  });

  test("http2 6.5.3/2: SETTINGS are acknowledged", () => {
    const [ack] = run([], setting(3, 100)).frames;
    expect([ack?.type, ack?.flags, ack?.payload.length]).toEqual(["SETTINGS", Flag.ACK, 0]);
  });

  test("http2 6.5.3: what a larger INITIAL_WINDOW_SIZE allows comes behind its ACK", () => {
    const client = run([[4, 0]], answered, setting(4, 100));
    const types = client.frames.map(({ type, flags }) => (type === "SETTINGS" && flags === Flag.ACK ? "ACK" : type));
    expect(types).toEqual(["HEADERS", "ACK", "DATA", "HEADERS"]);
  });

  test("http2 6.7/1: PING is answered with its payload", () => {
    const [answer] = run([], frame(PING, 0, 0, ascii("h2spec!!"))).frames;
    expect([answer?.type, answer?.flags, answer?.payload]).toEqual(["PING", Flag.ACK, ascii("h2spec!!")]);
  });

  test("http2 6.7/2: PING with ACK is not answered", () => {
    expect(run([], frame(PING, Flag.ACK, 0, ascii("invalid!"))).frames).toEqual([]);
  });

  test("http2 6.9.1/1: a window of 1 gives DATA of 1", () => {
    const client = run([[4, 1]], answered);
    expect(client.ofStream(1).map((seen) => [seen.type, seen.payload.length > 1])).toEqual([
      ["HEADERS", true],
      ["DATA", false],
    ]);
  });

  test("http2 6.9.2/1: a changed INITIAL_WINDOW_SIZE counts for streams that are open", () => {
    const client = run([[4, 0]], answered, setting(4, 1));
    expect([client.dataBytes(1), client.status(1)]).toEqual([1, null]);
  });

  test("http2 6.9.2/2: a window may go below 0, and is counted on from there", () => {
    const client = run([[4, 3]], answered, setting(4, 2), frame(WINDOW_UPDATE, 0, 1, uint32(2)));
    expect(client.ofStream(1).map((seen) => seen.payload.length)).toEqual([expect.any(Number), 3, 1]);
  });
});

describe("messages (7 to 8.2)", () => {
  test.each<Row>([
    ["7/1", "an unknown error code in GOAWAY", "grpc-status 0", steps(frame(GOAWAY, 0, 0, [...uint32(0), ...uint32(0xff)]), answered)],
    ["7/2", "an unknown error code in RST_STREAM", "accepted", steps(begin(wait), frame(RST_STREAM, 0, 1, uint32(0xff)))],
    [
      "8.1/1",
      "a second HEADERS without END_STREAM",
      "stream PROTOCOL_ERROR",
      steps(begin(wait), frame(HEADERS, endHeaders, 1, headerBlock([["x", "y"]]))),
    ],
    ["8.1.2/1", "an upper-case name", "stream PROTOCOL_ERROR", having("X-TEST", "ok")],
    ["8.1.2.1/1", "an unknown pseudo header", "stream PROTOCOL_ERROR", having(":test", "ok")],
    ["8.1.2.1/2", "a pseudo header of responses", "stream PROTOCOL_ERROR", having(":status", "200")],
    [
      "8.1.2.1/3",
      "a pseudo header in trailers",
      "stream PROTOCOL_ERROR",
      steps(begin(wait), frame(HEADERS, endHeaders | end, 1, headerBlock([[":method", "POST"]]))),
    ],
    ["8.1.2.1/4", "a pseudo header behind another field", "stream PROTOCOL_ERROR", fieldsOnly([["x-test", "ok"], ...fields])],
    ["8.1.2.2/1", "connection", "stream PROTOCOL_ERROR", having("connection", "keep-alive")],
    ["8.1.2.2/2", "te other than trailers", "stream PROTOCOL_ERROR", having("te", "trailers, deflate;q=0.5")],
    ["8.1.2.3/1", "an empty :path", "stream PROTOCOL_ERROR", having(":path", "")],
    ["8.1.2.3/2", "no :method", "stream PROTOCOL_ERROR", without(":method")],
    ["8.1.2.3/3", "no :scheme", "stream PROTOCOL_ERROR", without(":scheme")],
    ["8.1.2.3/4", "no :path", "stream PROTOCOL_ERROR", without(":path")],
    ["8.1.2.3/5", "two :method", "stream PROTOCOL_ERROR", fieldsOnly([[":method", "POST"], ...fields])],
    ["8.1.2.3/6", "two :scheme", "stream PROTOCOL_ERROR", fieldsOnly([[":scheme", "http"], ...fields])],
    ["8.1.2.3/7", "two :path", "stream PROTOCOL_ERROR", fieldsOnly([[":path", echo], ...fields])],
    [
      "8.1.2.6/1",
      "a content-length that differs from one DATA frame",
      "stream PROTOCOL_ERROR",
      steps(begin(wait, 1, [["content-length", "1"]]), finish()),
    ],
    [
      "8.1.2.6/2",
      "a content-length that differs from several DATA frames",
      "stream PROTOCOL_ERROR",
      steps(begin(wait, 1, [["content-length", "11"]]), finish(1, 0), frame(DATA, end, 1, [0, 0])),
    ],
    ["8.2/1", "PUSH_PROMISE", "connection PROTOCOL_ERROR", frame(PUSH_PROMISE, endHeaders, 1, [0, 0, 0, 2, ...requestBlock])],
  ])("http2 %s: %s: %s", (_section, _title, outcome, step) => {
    expect(serverOutcome(step)).toBe(outcome);
  });
});
