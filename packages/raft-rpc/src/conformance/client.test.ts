import { describe, expect, test } from "vitest";
import { ErrorCode, Flag, FrameType } from "../http2/frame.ts";
import { ascii, frameBytes, grpcMessage, headerBlock, hex, uint32 } from "../testing/raw-peer.ts";
import {
  clientOutcome,
  okTrailers,
  responseFields,
  responseHeaders,
  responseMessage,
  ScriptedServer,
  wholeResponse,
} from "./client-script.ts";

const { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION } = FrameType;
const end = Flag.END_STREAM;
const endHeaders = Flag.END_HEADERS;
const block = headerBlock(responseFields);
const frame = frameBytes;
const reset = frame(RST_STREAM, 0, 1, uint32(ErrorCode.CANCEL));

function setting(id: number, value: number): Uint8Array {
  return frame(SETTINGS, 0, 0, [id >> 8, id & 255, ...uint32(value)]);
}

function headers(fields: readonly (readonly [string, string])[], flags: number = endHeaders): Uint8Array {
  return frame(HEADERS, flags, 1, headerBlock(fields));
}

type Row = readonly [section: string, title: string, outcome: string, frames: readonly Uint8Array[]];

test.each([
  ["PING", frame(PING, 0, 0, new Uint8Array(8))],
  ["the ACK of the client's SETTINGS", frame(SETTINGS, Flag.ACK, 0, [])],
  ["a response", responseHeaders],
  ["GOAWAY", frame(GOAWAY, 0, 0, new Uint8Array(8))],
])("client 3.4: %s before the server's SETTINGS: connection PROTOCOL_ERROR", async (_, first) => {
  const script = new ScriptedServer({}, [first]);
  script.call();
  const server = await script.connection();
  expect([server.goaway, server.closed, script.results]).toEqual(["PROTOCOL_ERROR", true, ["UNAVAILABLE maybe-applied"]]);
});

describe("frames that a server sends", () => {
  test.each<Row>([
    ["4.1", "an unknown frame type is ignored", "OK hi", [frame(0x16, 0, 0, new Uint8Array(8)), ...wholeResponse]],
    ["4.1", "undefined flags are ignored", "OK hi", [frame(PING, 0x16, 0, new Uint8Array(8)), ...wholeResponse]],
    ["4.1", "the reserved bit is ignored", "OK hi", [frame(PING, 0, 0x80000000, new Uint8Array(8)), ...wholeResponse]],
    ["4.2", "DATA above the maximum", "connection FRAME_SIZE_ERROR", [responseHeaders, frame(DATA, 0, 1, new Uint8Array(16_385))]],
    ["4.2", "HEADERS above the maximum", "connection FRAME_SIZE_ERROR", [frame(HEADERS, endHeaders, 1, new Uint8Array(16_385))]],
    ["4.2", "HEADERS too short for its priority", "connection FRAME_SIZE_ERROR", [frame(HEADERS, endHeaders | Flag.PRIORITY, 1, [0, 0])]],
    ["4.2", "padded DATA without a pad length", "connection FRAME_SIZE_ERROR", [responseHeaders, frame(DATA, Flag.PADDED, 1, [])]],
    ["4.3", "a fragment that is no HPACK", "connection COMPRESSION_ERROR", [frame(HEADERS, endHeaders, 1, [0x40])]],
    [
      "4.3",
      "PRIORITY inside a header block",
      "connection PROTOCOL_ERROR",
      [frame(HEADERS, 0, 1, block), frame(PRIORITY, 0, 1, [0, 0, 0, 0, 255])],
    ],
    ["4.3", "HEADERS inside a header block", "connection PROTOCOL_ERROR", [frame(HEADERS, 0, 1, block), headers(responseFields)]],
    ["5.1", "DATA on an idle stream", "connection PROTOCOL_ERROR", [frame(DATA, 0, 3, [1])]],
    ["5.1", "HEADERS on an idle stream", "connection PROTOCOL_ERROR", [frame(HEADERS, endHeaders, 3, block)]],
    ["5.1", "RST_STREAM on an idle stream", "connection PROTOCOL_ERROR", [frame(RST_STREAM, 0, 3, uint32(8))]],
    ["5.1", "WINDOW_UPDATE on an idle stream", "connection PROTOCOL_ERROR", [frame(WINDOW_UPDATE, 0, 3, uint32(1))]],
    ["5.1", "CONTINUATION on an idle stream", "connection PROTOCOL_ERROR", [frame(CONTINUATION, endHeaders, 3, block)]],
    ["5.1", "PRIORITY on an idle stream", "OK hi", [frame(PRIORITY, 0, 3, [0, 0, 0, 0, 255]), ...wholeResponse]],
    ["5.1", "DATA behind the end of the response", "OK hi", [...wholeResponse, frame(DATA, 0, 1, [1])]],
    ["5.1", "HEADERS behind the end of the response", "connection STREAM_CLOSED", [...wholeResponse, headers(responseFields)]],
    ["5.1", "HEADERS behind the server's own reset", "connection STREAM_CLOSED", [reset, headers(responseFields)]],
    ["5.1", "WINDOW_UPDATE behind the end of the response", "OK hi", [...wholeResponse, frame(WINDOW_UPDATE, 0, 1, uint32(1))]],
    ["5.1", "RST_STREAM behind the end of the response", "OK hi", [...wholeResponse, frame(RST_STREAM, 0, 1, uint32(0))]],
    ["5.1.1", "HEADERS on an even stream", "connection PROTOCOL_ERROR", [frame(HEADERS, endHeaders, 2, block)]],
    ["5.4.1", "an error of the connection closes it", "connection FRAME_SIZE_ERROR", [frame(PING, 0, 0, new Uint8Array(6))]],
    ["5.5", "an unknown frame on a stream is ignored", "OK hi", [frame(0xff, 0xff, 1, new Uint8Array(8)), ...wholeResponse]],
    [
      "5.5",
      "an unknown frame inside a header block",
      "connection PROTOCOL_ERROR",
      [frame(HEADERS, 0, 1, block), frame(0xff, 0, 0, new Uint8Array(8))],
    ],
    ["6.1", "DATA on stream 0", "connection PROTOCOL_ERROR", [frame(DATA, 0, 0, [1])]],
    ["6.1", "DATA with too much padding", "connection PROTOCOL_ERROR", [responseHeaders, frame(DATA, Flag.PADDED, 1, [6, 1, 2, 3, 4, 5])]],
    ["6.2", "HEADERS on stream 0", "connection PROTOCOL_ERROR", [frame(HEADERS, endHeaders, 0, block)]],
    [
      "6.2",
      "HEADERS with too much padding",
      "connection PROTOCOL_ERROR",
      [frame(HEADERS, endHeaders | Flag.PADDED, 1, [block.length + 1, ...block])],
    ],
    [
      "6.2",
      "HEADERS whose padding reaches into its priority",
      "connection PROTOCOL_ERROR",
      [frame(HEADERS, endHeaders | Flag.PADDED | Flag.PRIORITY, 1, [3, 0, 0, 0, 0, 0, 0, 0])],
    ],
    ["6.3", "PRIORITY on stream 0", "connection PROTOCOL_ERROR", [frame(PRIORITY, 0, 0, [0, 0, 0, 0, 255])]],
    ["6.3", "PRIORITY of 4 octets", "stream FRAME_SIZE_ERROR", [frame(PRIORITY, 0, 1, [0, 0, 0, 0])]],
    ["6.4", "RST_STREAM on stream 0", "connection PROTOCOL_ERROR", [frame(RST_STREAM, 0, 0, uint32(8))]],
    ["6.4", "RST_STREAM of 3 octets", "connection FRAME_SIZE_ERROR", [frame(RST_STREAM, 0, 1, [0, 0, 8])]],
    ["6.5", "SETTINGS with ACK and a payload", "connection FRAME_SIZE_ERROR", [frame(SETTINGS, Flag.ACK, 0, [0])]],
    ["6.5", "SETTINGS on a stream", "connection PROTOCOL_ERROR", [frame(SETTINGS, 0, 1, [])]],
    ["6.5", "SETTINGS of 3 octets", "connection FRAME_SIZE_ERROR", [frame(SETTINGS, 0, 0, [0, 3, 0])]],
    ["6.5.2", "ENABLE_PUSH 0", "OK hi", [setting(2, 0), ...wholeResponse]],
    ["6.5.2", "ENABLE_PUSH 1, which a server may not send", "connection PROTOCOL_ERROR", [setting(2, 1)]],
    ["6.5.2", "INITIAL_WINDOW_SIZE above 2^31-1", "connection FLOW_CONTROL_ERROR", [setting(4, 0x80000000)]],
    ["6.5.2", "MAX_FRAME_SIZE below 2^14", "connection PROTOCOL_ERROR", [setting(5, 16_383)]],
    ["6.5.2", "MAX_FRAME_SIZE above 2^24-1", "connection PROTOCOL_ERROR", [setting(5, 16_777_216)]],
    ["6.5.2", "an unknown setting is ignored", "OK hi", [setting(0xff, 1), ...wholeResponse]],
    ["6.6", "PUSH_PROMISE", "connection PROTOCOL_ERROR", [frame(PUSH_PROMISE, endHeaders, 1, [0, 0, 0, 2, ...block])]],
    ["6.7", "PING on a stream", "connection PROTOCOL_ERROR", [frame(PING, 0, 1, new Uint8Array(8))]],
    ["6.7", "PING of 6 octets", "connection FRAME_SIZE_ERROR", [frame(PING, 0, 0, new Uint8Array(6))]],
    ["6.8", "GOAWAY on a stream", "connection PROTOCOL_ERROR", [frame(GOAWAY, 0, 1, new Uint8Array(8))]],
    ["6.8", "GOAWAY of 7 octets", "connection FRAME_SIZE_ERROR", [frame(GOAWAY, 0, 0, new Uint8Array(7))]],
    ["6.9", "WINDOW_UPDATE of 0 on the connection", "connection PROTOCOL_ERROR", [frame(WINDOW_UPDATE, 0, 0, uint32(0))]],
    ["6.9", "WINDOW_UPDATE of 3 octets", "connection FRAME_SIZE_ERROR", [frame(WINDOW_UPDATE, 0, 0, [0, 0, 1])]],
    ["6.9", "WINDOW_UPDATE of 0 on a stream", "stream PROTOCOL_ERROR", [frame(WINDOW_UPDATE, 0, 1, uint32(0))]],
    ["6.9.1", "a connection window above 2^31-1", "connection FLOW_CONTROL_ERROR", [frame(WINDOW_UPDATE, 0, 0, uint32(0x7fffffff))]],
    ["6.9.1", "a stream window above 2^31-1", "stream FLOW_CONTROL_ERROR", [frame(WINDOW_UPDATE, 0, 1, uint32(0x7fffffff))]],
    [
      "6.9.2",
      "INITIAL_WINDOW_SIZE that lifts a stream above 2^31-1",
      "connection FLOW_CONTROL_ERROR",
      [frame(WINDOW_UPDATE, 0, 1, uint32(100_000)), setting(4, 0x7fffffff)],
    ],
    [
      "6.10",
      "CONTINUATION of another stream",
      "connection PROTOCOL_ERROR",
      [frame(HEADERS, 0, 1, block), frame(CONTINUATION, endHeaders, 3, [])],
    ],
    ["6.10", "CONTINUATION behind END_HEADERS", "connection PROTOCOL_ERROR", [responseHeaders, frame(CONTINUATION, endHeaders, 1, block)]],
    [
      "6.10",
      "several CONTINUATION frames",
      "OK hi",
      [
        frame(HEADERS, 0, 1, block.slice(0, 3)),
        frame(CONTINUATION, 0, 1, block.slice(3, 5)),
        frame(CONTINUATION, endHeaders, 1, block.slice(5)),
        responseMessage,
        okTrailers,
      ],
    ],
    ["7", "an unknown error code in RST_STREAM", "INTERNAL maybe-applied", [frame(RST_STREAM, 0, 1, uint32(0xff))]],
    ["HPACK 2.3.3", "an index above the tables", "connection COMPRESSION_ERROR", [frame(HEADERS, endHeaders, 1, hex("88c6"))]],
    ["HPACK 4.2", "a size update behind a field", "connection COMPRESSION_ERROR", [frame(HEADERS, endHeaders, 1, hex("8820"))]],
    ["HPACK 6.3", "a size update above the setting", "connection COMPRESSION_ERROR", [frame(HEADERS, endHeaders, 1, hex("3fe21f88"))]],
  ])("client %s: %s: %s", async (_section, _title, outcome, frames) => {
    expect(await clientOutcome(frames)).toBe(outcome);
  });
});

describe("responses (8.1 to 8.6)", () => {
  const withField = (name: string, value: string): Uint8Array => headers([...responseFields, [name, value]]);
  const withLength = (length: string, ...data: readonly Uint8Array[]): readonly Uint8Array[] => [
    withField("content-length", length),
    ...data,
    okTrailers,
  ];
  test.each<Row>([
    [
      "8.1",
      "informational responses, then the final one",
      "OK hi",
      [headers([[":status", "100"]]), headers([[":status", "103"]]), ...wholeResponse],
    ],
    ["8.1", "an informational response that ends the stream", "stream PROTOCOL_ERROR", [headers([[":status", "103"]], endHeaders | end)]],
    ["8.1", "an informational response behind the final one", "stream PROTOCOL_ERROR", [responseHeaders, headers([[":status", "103"]])]],
    ["8.1", "DATA behind an informational response", "stream PROTOCOL_ERROR", [headers([[":status", "103"]]), responseMessage]],
    ["8.1", "trailers that do not end the stream", "stream PROTOCOL_ERROR", [responseHeaders, headers([["grpc-status", "0"]])]],
    ["8.1", "trailers with :status", "stream PROTOCOL_ERROR", [responseHeaders, headers([[":status", "200"]], endHeaders | end)]],
    ["8.1", "a response that is complete before the request, and a reset", "OK hi", [...wholeResponse, frame(RST_STREAM, 0, 1, uint32(0))]],
    ["8.1.1", "a content-length that fits", "OK hi", withLength("7", responseMessage)],
    ["8.1.1", "more DATA than the content-length", "stream PROTOCOL_ERROR", withLength("6", responseMessage)],
    ["8.1.1", "less DATA than the content-length", "stream PROTOCOL_ERROR", withLength("8", responseMessage)],
    ["8.1.1", "a content-length that is no number", "stream PROTOCOL_ERROR", withLength("-7", responseMessage)],
    [
      "8.1.1",
      "two content-lengths that differ",
      "stream PROTOCOL_ERROR",
      [headers([...responseFields, ["content-length", "7"], ["content-length", "8"]])],
    ],
    [
      "8.1.1",
      "a content-length without DATA",
      "stream PROTOCOL_ERROR",
      [headers([...responseFields, ["content-length", "3"], ["grpc-status", "5"]], endHeaders | end)],
    ],
    [
      "8.1.1",
      "a content-length of 0 without DATA",
      "NOT_FOUND never",
      [headers([...responseFields, ["content-length", "0"], ["grpc-status", "5"]], endHeaders | end)],
    ],
    ["8.2", "an upper-case name", "stream PROTOCOL_ERROR", [withField("X-Test", "1")]],
    ["8.2.1", "a line feed in a value", "stream PROTOCOL_ERROR", [withField("x-test", "a\nb")]],
    ["8.2.1", "NUL in a value", "stream PROTOCOL_ERROR", [withField("x-test", "a\0b")]],
    ["8.2.1", "a value with an outer space", "stream PROTOCOL_ERROR", [withField("x-test", "a ")]],
    ["8.2.1", "a colon inside a name", "stream PROTOCOL_ERROR", [withField("x:test", "a")]],
    ["8.2.2", "connection", "stream PROTOCOL_ERROR", [withField("connection", "close")]],
    [
      "8.2.2",
      "transfer-encoding in trailers",
      "stream PROTOCOL_ERROR",
      [
        responseHeaders,
        headers(
          [
            ["grpc-status", "0"],
            ["transfer-encoding", "chunked"],
          ],
          endHeaders | end,
        ),
      ],
    ],
    ["8.3", "an unknown pseudo header", "stream PROTOCOL_ERROR", [headers([[":test", "1"], ...responseFields])]],
    ["8.3", "a pseudo header of requests", "stream PROTOCOL_ERROR", [headers([[":path", "/"], ...responseFields])]],
    ["8.3", "a pseudo header behind another field", "stream PROTOCOL_ERROR", [headers([["x", "y"], ...responseFields])]],
    ["8.3.2", "no :status", "stream PROTOCOL_ERROR", [headers([["content-type", "application/grpc"]])]],
    ["8.3.2", "two :status", "stream PROTOCOL_ERROR", [headers([[":status", "200"], ...responseFields])]],
    ["8.3.2", "a :status that is no number of three digits", "stream PROTOCOL_ERROR", [headers([[":status", "20"]])]],
    ["8.6", "101 Switching Protocols", "stream PROTOCOL_ERROR", [headers([[":status", "101"]])]],
  ])("client %s: %s: %s", async (_section, _title, outcome, frames) => {
    expect(await clientOutcome(frames)).toBe(outcome);
  });
});

describe("GOAWAY at the client (6.8)", () => {
  const goaway = (lastStreamId: number): Uint8Array => frame(GOAWAY, 0, 0, [...uint32(lastStreamId), ...uint32(0)]);

  test("a call that begins another when it ends as not processed gets a new connection", async () => {
    const script = new ScriptedServer();
    let again = false;
    script.call((result) => {
      again = result === "UNAVAILABLE safe";
      if (again) script.call();
    });
    const old = await script.connection();
    old.send(goaway(0));
    const fresh = await script.connection();
    expect([again, script.connections.length, old.ofStream(3).length]).toEqual([true, 2, 0]);
    fresh.send(...wholeResponse);
    await script.clock.settleAsync();
    expect(script.results).toEqual(["UNAVAILABLE safe", "OK hi"]);
  });

  test("only streams above the last one are not processed; the others are answered, then the connection closes", async () => {
    const script = new ScriptedServer();
    for (let count = 0; count < 3; count++) script.call();
    const old = await script.connection();
    old.send(goaway(1));
    await script.clock.settleAsync();
    expect([script.results, old.closed]).toEqual([["UNAVAILABLE safe", "UNAVAILABLE safe"], false]);
    old.send(...wholeResponse);
    await script.clock.settleAsync();
    expect([script.results.at(-1), old.closed]).toEqual(["OK hi", true]);
  });

  test("the second, lower GOAWAY of a graceful end takes the calls between them out", async () => {
    const script = new ScriptedServer();
    script.call();
    script.call();
    const old = await script.connection();
    old.send(goaway(0x7fffffff));
    await script.clock.settleAsync();
    expect(script.results).toEqual([]);
    old.send(goaway(1), ...wholeResponse);
    await script.clock.settleAsync();
    expect(script.results).toEqual(["UNAVAILABLE safe", "OK hi"]);
  });

  test("what comes all the same for a call that was not processed is dropped", async () => {
    const script = new ScriptedServer();
    script.call();
    script.call();
    const old = await script.connection();
    const late = wholeResponse.map((part) => part.slice());
    for (const part of late) part[8] = 3;
    old.send(goaway(1), ...late, ...wholeResponse);
    await script.clock.settleAsync();
    expect([script.results, old.goaway]).toEqual([["UNAVAILABLE safe", "OK hi"], null]);
  });

  test("calls that wait for a free stream go to the new connection", async () => {
    const script = new ScriptedServer();
    script.call();
    const old = await script.connection();
    old.send(setting(3, 1));
    await script.clock.settleAsync();
    script.call();
    old.send(goaway(1));
    const fresh = await script.connection();
    expect([old.ofStream(3).length, fresh.ofStream(1)[0]?.type]).toEqual([0, "HEADERS"]);
  });
});

describe("flow control at the client (6.9)", () => {
  test("padding alone is given back too", async () => {
    const script = new ScriptedServer({ limits: { streamWindowBytes: 65_535 } });
    script.call();
    const server = await script.connection();
    server.send(responseHeaders);
    const padding = frame(DATA, Flag.PADDED, 1, new Uint8Array(256).fill(255, 0, 1));
    for (let count = 0; count < 1000; count++) server.send(padding);
    server.send(responseMessage, okTrailers);
    await script.clock.settleAsync();
    expect([script.results, server.goaway]).toEqual([["OK hi"], null]);
  });

  test("what comes for calls that were given up counts for the connection, and is given back", async () => {
    const script = new ScriptedServer({ limits: { connectionWindowBytes: 65_535 } });
    const call = script.channel.request("/x.Y/Echo", ascii("a"), () => undefined);
    const server = await script.connection();
    call.cancel();
    await script.clock.settleAsync();
    for (let count = 0; count < 20; count++) {
      server.send(frame(DATA, 0, 1, new Uint8Array(16_384)));
      await script.clock.settleAsync();
    }
    expect([server.goaway, server.reset(1)]).toEqual([null, "CANCEL"]);
    const given = server.frames.filter((seen) => seen.type === "WINDOW_UPDATE" && seen.streamId === 0);
    expect(given.length).toBeGreaterThan(4);
  });

  test("many calls that are given up at once leave the connection alone, whatever still comes for them", async () => {
    const script = new ScriptedServer();
    const calls = Array.from({ length: 2000 }, () => script.channel.request("/x.Y/Echo", ascii("a"), () => undefined));
    const server = await script.connection();
    for (const call of calls) call.cancel();
    await script.clock.settleAsync();
    for (let place = 0; place < calls.length; place++) {
      const id = 2 * place + 1;
      server.send(
        frame(HEADERS, endHeaders, id, block),
        frame(DATA, 0, id, grpcMessage(ascii("a"))),
        frame(HEADERS, endHeaders | end, id, headerBlock([["grpc-status", "0"]])),
      );
    }
    await script.clock.settleAsync();
    expect([server.goaway, server.frames.filter((seen) => seen.type === "RST_STREAM").length]).toEqual([null, 2000]);
  });
});

test("calls that pass their deadline while the server reads nothing all end, without an error of ours", async () => {
  const script = new ScriptedServer();
  script.call();
  const server = await script.connection();
  server.stream.pause();
  let ended = 0;
  for (let count = 0; count < 3000; count++) {
    script.channel.request("/x.Y/Echo", new Uint8Array(100), () => ended++, { timeoutMs: 1000 });
    script.clock.settle();
  }
  script.clock.advance(2000);
  expect(ended).toBe(3000);
  // The calls were ours to end: a server that comes back is a good one.
  server.send(frame(PING, 0, 0, new Uint8Array(8)));
  await script.clock.settleAsync();
  server.stream.resume();
  await script.clock.settleAsync();
  expect([server.goaway, server.closed, server.frames.at(-1)?.type]).toEqual([null, false, "PING"]);
});
