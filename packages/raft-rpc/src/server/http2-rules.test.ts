import { describe, expect, test } from "vitest";
import { Flag, FrameType } from "../http2/frame.ts";
import { ascii, frameBytes, grpcMessage, grpcRequestFields, headerBlock, hex, type RawPeer, uint32 } from "../testing/raw-peer.ts";
import { startServer } from "../testing/server-fixture.ts";

const { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION } = FrameType;
const end = Flag.END_STREAM;
const endHeaders = Flag.END_HEADERS;
const body = ascii("hello");
const echo = "/x.Y/Echo";
const request = headerBlock(grpcRequestFields(echo));

type Send = (peer: RawPeer) => void;

/** Runs the frames against a fresh connection on which the preface was exchanged. */
function run(send: Send): RawPeer {
  const { clock, startedPeer } = startServer();
  const peer = startedPeer();
  peer.frames.length = 0;
  send(peer);
  clock.settle();
  return peer;
}

/** A request with this replaced (or added, or left out with null). */
function fields(change: Readonly<Record<string, string | null>>): (readonly [string, string])[] {
  const map = new Map(grpcRequestFields(echo));
  for (const [name, value] of Object.entries(change)) {
    if (value === null) map.delete(name);
    else map.set(name, value);
  }
  return [...map];
}

const raw =
  (type: number, flags: number, streamId: number, payload: readonly number[] | Uint8Array): Send =>
  (peer) =>
    peer.send(frameBytes(type, flags, streamId, payload));
const open: Send = (peer) => peer.send(peer.headers(1, grpcRequestFields(echo)));
const half: Send = (peer) => {
  // A handler that does not answer keeps the stream half-closed: the message is missing, so use a stream that waits.
  peer.send(peer.headers(1, grpcRequestFields("/x.Y/Wait")), peer.data(1, grpcMessage(body), end));
};
const finished: Send = (peer) => peer.send(...peer.unary(1, echo, body));
const then =
  (...steps: readonly Send[]): Send =>
  (peer) => {
    for (const step of steps) step(peer);
  };
const setting = (id: number, value: number): Send => raw(SETTINGS, 0, 0, [id >> 8, id & 255, ...uint32(value)]);

describe("a connection error ends the connection with GOAWAY", () => {
  test.each<[string, string, Send]>([
    ["DATA on stream 0", "PROTOCOL_ERROR", raw(DATA, 0, 0, [1])],
    ["DATA on an idle stream", "PROTOCOL_ERROR", raw(DATA, 0, 1, [1])],
    ["padding as long as the payload", "PROTOCOL_ERROR", then(open, raw(DATA, Flag.PADDED, 1, [3, 1, 2]))],
    ["padded DATA without a pad length", "FRAME_SIZE_ERROR", then(open, raw(DATA, Flag.PADDED, 1, []))],
    ["HEADERS on stream 0", "PROTOCOL_ERROR", raw(HEADERS, endHeaders, 0, request)],
    ["HEADERS on an even stream", "PROTOCOL_ERROR", raw(HEADERS, endHeaders, 2, request)],
    ["HEADERS below the last stream", "PROTOCOL_ERROR", then(raw(HEADERS, endHeaders, 5, request), raw(HEADERS, endHeaders, 3, request))],
    ["HEADERS on a finished stream", "STREAM_CLOSED", then(finished, raw(HEADERS, endHeaders | end, 1, request))],
    ["HEADERS with too much padding", "PROTOCOL_ERROR", raw(HEADERS, endHeaders | Flag.PADDED, 1, [200, ...request])],
    ["HEADERS too short for its priority", "FRAME_SIZE_ERROR", raw(HEADERS, endHeaders | Flag.PRIORITY, 1, [0, 0, 0])],
    ["HEADERS that is no HPACK", "COMPRESSION_ERROR", raw(HEADERS, endHeaders, 1, [0x80])],
    ["HEADERS above the frame size", "FRAME_SIZE_ERROR", raw(HEADERS, endHeaders, 1, new Uint8Array(16_385))],
    ["DATA above the frame size", "FRAME_SIZE_ERROR", then(open, raw(DATA, 0, 1, new Uint8Array(16_385)))],
    ["PRIORITY on stream 0", "PROTOCOL_ERROR", raw(PRIORITY, 0, 0, [0, 0, 0, 0, 1])],
    ["RST_STREAM on stream 0", "PROTOCOL_ERROR", raw(RST_STREAM, 0, 0, uint32(8))],
    ["RST_STREAM on an idle stream", "PROTOCOL_ERROR", raw(RST_STREAM, 0, 1, uint32(8))],
    ["RST_STREAM of 3 bytes", "FRAME_SIZE_ERROR", then(open, raw(RST_STREAM, 0, 1, [0, 0, 0]))],
    ["SETTINGS on a stream", "PROTOCOL_ERROR", raw(SETTINGS, 0, 1, [])],
    ["SETTINGS of 5 bytes", "FRAME_SIZE_ERROR", raw(SETTINGS, 0, 0, [0, 1, 0, 0, 0])],
    ["a SETTINGS ACK with a payload", "FRAME_SIZE_ERROR", raw(SETTINGS, Flag.ACK, 0, [0, 1, 0, 0, 0, 0])],
    ["ENABLE_PUSH 2", "PROTOCOL_ERROR", setting(2, 2)],
    ["MAX_FRAME_SIZE below the minimum", "PROTOCOL_ERROR", setting(5, 16_383)],
    ["MAX_FRAME_SIZE above the maximum", "PROTOCOL_ERROR", setting(5, 16_777_216)],
    ["INITIAL_WINDOW_SIZE above 2^31-1", "FLOW_CONTROL_ERROR", setting(4, 0x80000000)],
    [
      "INITIAL_WINDOW_SIZE that lifts a stream above 2^31-1",
      "FLOW_CONTROL_ERROR",
      then(open, raw(WINDOW_UPDATE, 0, 1, uint32(100_000)), setting(4, 0x7fffffff)),
    ],
    ["PUSH_PROMISE", "PROTOCOL_ERROR", raw(PUSH_PROMISE, endHeaders, 1, [0, 0, 0, 2, ...request])],
    ["PING on a stream", "PROTOCOL_ERROR", raw(PING, 0, 1, new Uint8Array(8))],
    ["PING of 6 bytes", "FRAME_SIZE_ERROR", raw(PING, 0, 0, new Uint8Array(6))],
    ["GOAWAY on a stream", "PROTOCOL_ERROR", raw(GOAWAY, 0, 1, new Uint8Array(8))],
    ["GOAWAY of 7 bytes", "FRAME_SIZE_ERROR", raw(GOAWAY, 0, 0, new Uint8Array(7))],
    ["WINDOW_UPDATE of 3 bytes", "FRAME_SIZE_ERROR", raw(WINDOW_UPDATE, 0, 0, [0, 0, 1])],
    ["WINDOW_UPDATE of 0 on the connection", "PROTOCOL_ERROR", raw(WINDOW_UPDATE, 0, 0, uint32(0))],
    ["WINDOW_UPDATE on an idle stream", "PROTOCOL_ERROR", raw(WINDOW_UPDATE, 0, 1, uint32(1))],
    ["WINDOW_UPDATE above 2^31-1 on the connection", "FLOW_CONTROL_ERROR", raw(WINDOW_UPDATE, 0, 0, uint32(0x7fffffff))],
    ["CONTINUATION without a header block", "PROTOCOL_ERROR", raw(CONTINUATION, endHeaders, 1, request)],
    ["CONTINUATION after END_HEADERS", "PROTOCOL_ERROR", then(open, raw(CONTINUATION, endHeaders, 1, request))],
    ["CONTINUATION on stream 0 inside a block", "PROTOCOL_ERROR", then(raw(HEADERS, 0, 1, request), raw(CONTINUATION, endHeaders, 0, []))],
    ["CONTINUATION of another stream", "PROTOCOL_ERROR", then(raw(HEADERS, 0, 1, request), raw(CONTINUATION, endHeaders, 3, [0x82]))],
    ["PRIORITY inside a header block", "PROTOCOL_ERROR", then(raw(HEADERS, 0, 1, request), raw(PRIORITY, 0, 1, [0, 0, 0, 0, 1]))],
    ["HEADERS inside a header block", "PROTOCOL_ERROR", then(raw(HEADERS, 0, 1, request), raw(HEADERS, endHeaders, 3, request))],
    ["DATA inside a header block", "PROTOCOL_ERROR", then(raw(HEADERS, 0, 1, request), raw(DATA, 0, 1, [1]))],
    ["an unknown frame inside a header block", "PROTOCOL_ERROR", then(raw(HEADERS, 0, 1, request), raw(0x42, 0, 1, []))],
  ])("%s: %s", (_, code, send) => {
    const peer = run(send);
    expect(peer.goaway).toBe(code);
    expect(peer.closed).toBe(true);
  });
});

test("the server goes on after a connection error", () => {
  const { clock, startedPeer, server } = startServer();
  const bad = startedPeer();
  bad.send(frameBytes(PING, 0, 1, new Uint8Array(8)));
  clock.settle();
  expect(bad.closed).toBe(true);
  const good = startedPeer();
  good.send(...good.unary(1, echo, body));
  clock.settle();
  expect(good.status(1)).toBe("0");
  expect(server.counters.connectionErrors[1]).toBe(1);
  expect(server.counters.connectionsOpen).toBe(1);
});

describe("a stream error resets the stream, and the connection goes on", () => {
  const malformed = (change: Readonly<Record<string, string | null>>): Send => {
    const sorted = fields(change).sort(([a], [b]) => Number(b.startsWith(":")) - Number(a.startsWith(":")));
    return (peer) => peer.send(peer.headers(1, sorted, endHeaders | end));
  };
  const list = (...pairs: readonly (readonly [string, string])[]): Send => {
    return (peer) => peer.send(peer.headers(1, pairs, endHeaders | end));
  };
  const base = grpcRequestFields(echo);
  test.each<[string, string, Send]>([
    ["DATA after END_STREAM", "STREAM_CLOSED", then(half, raw(DATA, 0, 1, [1]))],
    ["HEADERS after END_STREAM", "STREAM_CLOSED", then(half, raw(HEADERS, endHeaders | end, 1, request))],
    ["DATA on a finished stream", "STREAM_CLOSED", then(finished, raw(DATA, 0, 1, [1]))],
    ["DATA after the client's own reset", "STREAM_CLOSED", then(open, raw(RST_STREAM, 0, 1, uint32(8)), raw(DATA, 0, 1, [1]))],
    ["WINDOW_UPDATE of 0", "PROTOCOL_ERROR", then(open, raw(WINDOW_UPDATE, 0, 1, uint32(0)))],
    ["a stream window above 2^31-1", "FLOW_CONTROL_ERROR", then(open, raw(WINDOW_UPDATE, 0, 1, uint32(0x7fffffff)))],
    ["PRIORITY of 4 bytes", "FRAME_SIZE_ERROR", then(open, raw(PRIORITY, 0, 1, [0, 0, 0, 0]))],
    ["second HEADERS without END_STREAM", "PROTOCOL_ERROR", then(open, raw(HEADERS, endHeaders, 1, headerBlock([["x", "y"]])))],
    ["a pseudo header in trailers", "PROTOCOL_ERROR", then(open, raw(HEADERS, endHeaders | end, 1, headerBlock([[":method", "POST"]])))],
    ["an upper-case name", "PROTOCOL_ERROR", malformed({ "X-Test": "1" })],
    ["an unknown pseudo header", "PROTOCOL_ERROR", malformed({ ":test": "1" })],
    ["a pseudo header of responses", "PROTOCOL_ERROR", malformed({ ":status": "200" })],
    ["a pseudo header behind others", "PROTOCOL_ERROR", list(...base.slice(1), [":method", "POST"])],
    ["connection", "PROTOCOL_ERROR", malformed({ connection: "keep-alive" })],
    ["transfer-encoding", "PROTOCOL_ERROR", malformed({ "transfer-encoding": "chunked" })],
    ["te other than trailers", "PROTOCOL_ERROR", malformed({ te: "gzip" })],
    ["an empty :path", "PROTOCOL_ERROR", malformed({ ":path": "" })],
    ["no :method", "PROTOCOL_ERROR", malformed({ ":method": null })],
    ["no :scheme", "PROTOCOL_ERROR", malformed({ ":scheme": null })],
    ["no :path", "PROTOCOL_ERROR", malformed({ ":path": null })],
    ["two :method", "PROTOCOL_ERROR", list([":method", "POST"], ...base)],
    ["two :scheme", "PROTOCOL_ERROR", list([":scheme", "http"], ...base)],
    ["two :path", "PROTOCOL_ERROR", list([":path", echo], ...base)],
    ["a line feed in a value", "PROTOCOL_ERROR", malformed({ x: "a\nb" })],
    ["a value with an outer space", "PROTOCOL_ERROR", malformed({ x: " a" })],
    ["a host that differs from :authority", "PROTOCOL_ERROR", malformed({ host: "other" })],
    ["a content-length that is no number", "PROTOCOL_ERROR", malformed({ "content-length": "1x" })],
    ["a content-length without DATA", "PROTOCOL_ERROR", malformed({ "content-length": "10" })],
    [
      "less DATA than the content-length",
      "PROTOCOL_ERROR",
      (peer) => peer.send(peer.headers(1, fields({ "content-length": "11" })), peer.data(1, grpcMessage(body), end)),
    ],
    [
      "more DATA than the content-length, in two frames",
      "PROTOCOL_ERROR",
      (peer) =>
        peer.send(
          peer.headers(1, fields({ "content-length": "6" })),
          peer.data(1, new Uint8Array(4)),
          peer.data(1, new Uint8Array(4), end),
        ),
    ],
  ])("%s: %s", (_, code, send) => {
    const { clock, startedPeer, dispatcher } = startServer();
    dispatcher.addUnary("/x.Y/Wait", () => undefined);
    const peer = startedPeer();
    send(peer);
    clock.settle();
    expect(peer.reset(1)).toBe(code);
    expect(peer.goaway).toBe(null);
    peer.send(...peer.unary(7, echo, body));
    clock.settle();
    expect(peer.status(7)).toBe("0");
  });
});

describe("what is allowed is accepted", () => {
  const outcome = (send: Send, streamId: number): (string | null)[] => {
    const peer = run(send);
    return [peer.status(streamId), peer.goaway];
  };
  const data = (payload: Uint8Array | readonly number[], flags: number, streamId = 1): Send => raw(DATA, flags, streamId, payload);

  test.each<[string, Send]>([
    ["a request in one DATA frame", finished],
    ["a request in many DATA frames", then(open, ...[...grpcMessage(body)].map((octet) => data([octet], 0)), data([], end))],
    ["padded DATA", then(open, data([4, ...grpcMessage(body), 0, 0, 0, 0], Flag.PADDED | end))],
    [
      "padded HEADERS with priority",
      then(
        raw(HEADERS, endHeaders | Flag.PADDED | Flag.PRIORITY, 1, [2, 0x80, 0, 0, 3, 15, ...request, 0, 0]),
        data(grpcMessage(body), end),
      ),
    ],
    [
      "HEADERS in three pieces",
      then(
        raw(HEADERS, 0, 1, request.slice(0, 5)),
        raw(CONTINUATION, 0, 1, request.slice(5, 9)),
        raw(CONTINUATION, endHeaders, 1, request.slice(9)),
        data(grpcMessage(body), end),
      ),
    ],
    ["PRIORITY on an idle stream", then(raw(PRIORITY, 0, 3, [0, 0, 0, 0, 15]), finished)],
    ["an unknown frame type", then(raw(0x16, 0xff, 0, [1, 2]), finished)],
    ["undefined flags", then(raw(PING, 0x16, 0, new Uint8Array(8)), finished)],
    ["an unknown setting", then(setting(0xfe03, 7), finished)],
    ["trailers of the client", then(open, data(grpcMessage(body), 0), raw(HEADERS, endHeaders | end, 1, headerBlock([["x", "y"]])))],
    [
      "a content-length that fits",
      (peer) => peer.send(peer.headers(1, fields({ "content-length": "10" })), peer.data(1, grpcMessage(body), end)),
    ],
    [
      "an unknown error code in RST_STREAM",
      then(raw(HEADERS, endHeaders, 1, request), raw(RST_STREAM, 0, 1, uint32(0xff)), (peer) => peer.send(...peer.unary(3, echo, body))),
    ],
  ])("%s", (title, send) => {
    expect(outcome(send, title.includes("RST_STREAM") ? 3 : 1)).toEqual(["0", null]);
  });

  test("ids may begin anywhere and skip", () => {
    const send: Send = (peer) => peer.send(...peer.unary(13, echo, body), ...peer.unary(101, echo, body));
    expect(outcome(send, 101)).toEqual(["0", null]);
  });

  test("frames that cross our own reset are dropped silently", () => {
    const peer = run((sender) => {
      // No such method: answered and reset before the message comes.
      sender.send(
        sender.headers(1, grpcRequestFields("/x.Y/None")),
        sender.data(1, grpcMessage(body)),
        sender.headers(1, [["x", "y"]], endHeaders | end),
      );
    });
    expect(peer.summary().slice(1)).toEqual(["RST_STREAM 1 NO_ERROR"]);
  });

  test("a table size update that is owed opens a block", () => {
    const block = Uint8Array.of(0x20, 0x3f, 0xe1, 0x1f, ...request);
    const send: Send = (peer) => peer.send(frameBytes(HEADERS, endHeaders, 1, block), peer.data(1, grpcMessage(body), end));
    expect(outcome(send, 1)).toEqual(["0", null]);
  });
});

test("the server begins with SETTINGS, and acknowledges the client's", () => {
  const { clock, peer: open1 } = startServer();
  const peer = open1();
  peer.startClient([[4, 100]]);
  clock.settle();
  expect(peer.frames.map((frame) => `${frame.type} ${frame.flags}`)).toEqual(["SETTINGS 0", "WINDOW_UPDATE 0", "SETTINGS 1"]);
});

test("a first frame that is not SETTINGS is a PROTOCOL_ERROR", () => {
  const { clock, peer: open1 } = startServer();
  const peer = open1();
  peer.send(ascii("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frameBytes(PING, 0, 0, new Uint8Array(8)));
  clock.settle();
  expect([peer.goaway, peer.closed]).toEqual(["PROTOCOL_ERROR", true]);
});

test("PING is answered with its payload, and an ACK is not", () => {
  const payload = hex("0102030405060708");
  const peer = run(then(raw(PING, 0, 0, payload), raw(PING, Flag.ACK, 0, payload)));
  expect(peer.frames.map((frame) => [frame.type, frame.flags, [...frame.payload]])).toEqual([["PING", Flag.ACK, [...payload]]]);
});

test("the header block is decoded even if the stream is refused", () => {
  const { clock, startedPeer, dispatcher } = startServer({ limits: { concurrentStreamsMax: 1 } });
  dispatcher.addUnary("/x.Y/Wait", () => undefined);
  const peer = startedPeer();
  peer.send(...peer.unary(1, "/x.Y/Wait", body));
  // The refused request inserts a field, which the next one refers to.
  const inserting = Uint8Array.of(...request, ...hex("4001780179"));
  peer.send(frameBytes(HEADERS, endHeaders | end, 3, inserting), frameBytes(RST_STREAM, 0, 1, uint32(8)));
  clock.settle();
  expect(peer.reset(3)).toBe("REFUSED_STREAM");
  peer.send(frameBytes(HEADERS, endHeaders | end, 5, Uint8Array.of(...request, 0xbe)));
  clock.settle();
  expect(peer.goaway).toBe(null);
});
