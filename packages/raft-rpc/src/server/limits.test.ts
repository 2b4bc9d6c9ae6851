import { describe, expect, test } from "vitest";
import { clientPreface, Flag, FrameType } from "../http2/frame.ts";
import { ascii, frameBytes, grpcMessage, grpcRequestFields, headerBlock, type RawPeer, uint32 } from "../testing/raw-peer.ts";
import { type ServerFixture, startServer } from "../testing/server-fixture.ts";

const { DATA, HEADERS, PRIORITY, RST_STREAM, PING, WINDOW_UPDATE, CONTINUATION } = FrameType;
const echo = "/x.Y/Echo";
const request = headerBlock(grpcRequestFields(echo));

/** Sends `frame(n)` for n = 0.. until the connection ends; how many were taken. */
function flood(fixture: ServerFixture, peer: RawPeer, frame: (count: number) => readonly Uint8Array[], countMax = 20_000): number {
  let count = 0;
  while (count < countMax && peer.goaway === null) {
    for (let burst = 0; burst < 10; burst++) peer.send(...frame(count++));
    fixture.clock.settle();
  }
  return count;
}

describe("a flood ends the connection with ENHANCE_YOUR_CALM, and the server goes on", () => {
  test.each<[string, number, (count: number) => readonly Uint8Array[]]>([
    [
      "rapid reset (CVE-2023-44487)",
      1010,
      (count) => [frameBytes(HEADERS, Flag.END_HEADERS, 1 + 2 * count, request), frameBytes(RST_STREAM, 0, 1 + 2 * count, uint32(8))],
    ],
    [
      "resets that the client makes us send (CVE-2025-8671)",
      1010,
      (count) => [frameBytes(HEADERS, Flag.END_HEADERS, 1 + 2 * count, request), frameBytes(WINDOW_UPDATE, 0, 1 + 2 * count, uint32(0))],
    ],
    ["malformed requests", 1010, (count) => [frameBytes(HEADERS, Flag.END_HEADERS, 1 + 2 * count, headerBlock([["x", "y"]]))]],
    ["SETTINGS (CVE-2019-9515)", 70, () => [frameBytes(FrameType.SETTINGS, 0, 0, [])]],
    [
      "empty DATA (CVE-2019-9518)",
      110,
      (count) => [...(count === 0 ? [frameBytes(HEADERS, Flag.END_HEADERS, 1, request)] : []), frameBytes(DATA, 0, 1, [])],
    ],
    ["PRIORITY (CVE-2019-9513)", 1010, () => [frameBytes(PRIORITY, 0, 1, [0, 0, 0, 0, 1])]],
    ["unknown frames", 1010, () => [frameBytes(0x55, 0, 0, [])]],
    ["WINDOW_UPDATE without requests", 10_010, () => [frameBytes(WINDOW_UPDATE, 0, 0, uint32(1))]],
    [
      "padding",
      300,
      (count) => [
        ...(count === 0 ? [frameBytes(HEADERS, Flag.END_HEADERS, 1, request)] : []),
        frameBytes(DATA, Flag.PADDED, 1, [255, 0, ...new Uint8Array(255)]),
      ],
    ],
  ])("%s", (_, countMax, frame) => {
    const fixture = startServer();
    const peer = fixture.startedPeer();
    const count = flood(fixture, peer, frame);
    expect([peer.goaway, peer.closed]).toEqual(["ENHANCE_YOUR_CALM", true]);
    expect(count).toBeLessThanOrEqual(countMax);
    const good = fixture.startedPeer();
    good.send(...good.unary(1, echo, ascii("a")));
    fixture.clock.settle();
    expect(good.status(1)).toBe("0");
    expect(fixture.server.counters.streamsOpen).toBe(0);
  });

  test("the same frames are allowed slowly", () => {
    const { clock, startedPeer } = startServer();
    const peer = startedPeer();
    for (let count = 0; count < 2000; count++) {
      peer.send(frameBytes(HEADERS, Flag.END_HEADERS, 1 + 2 * count, request), frameBytes(RST_STREAM, 0, 1 + 2 * count, uint32(8)));
      clock.advance(40);
    }
    expect(peer.goaway).toBe(null);
  });
});

describe("header blocks", () => {
  test.each<[string, (peer: RawPeer) => void]>([
    [
      "of more than 16 KiB (CVE-2024-28182)",
      (peer) => {
        peer.send(frameBytes(HEADERS, 0, 1, request));
        peer.send(frameBytes(CONTINUATION, 0, 1, new Uint8Array(16_384)));
      },
    ],
    [
      "in more than 8 CONTINUATIONs (CVE-2024-27983)",
      (peer) => {
        peer.send(frameBytes(HEADERS, 0, 1, request));
        for (let count = 0; count < 9; count++) peer.send(frameBytes(CONTINUATION, 0, 1, [0x82]));
      },
    ],
    [
      "in more than 8 CONTINUATIONs without bytes (CVE-2024-28182)",
      (peer) => {
        peer.send(frameBytes(HEADERS, 0, 1, request));
        for (let count = 0; count < 9; count++) peer.send(frameBytes(CONTINUATION, 0, 1, []));
      },
    ],
  ])("%s end the connection", (_, send) => {
    const { clock, startedPeer } = startServer();
    const peer = startedPeer();
    send(peer);
    clock.settle();
    expect([peer.goaway, peer.closed]).toEqual(["ENHANCE_YOUR_CALM", true]);
  });

  test("may have a few CONTINUATIONs without bytes, of which RFC 9113 6.10 says nothing", () => {
    const { clock, startedPeer } = startServer();
    const peer = startedPeer();
    peer.send(frameBytes(HEADERS, 0, 1, request));
    for (let count = 0; count < 7; count++) peer.send(frameBytes(CONTINUATION, 0, 1, []));
    peer.send(frameBytes(CONTINUATION, Flag.END_HEADERS, 1, []), peer.data(1, grpcMessage(ascii("a")), Flag.END_STREAM));
    clock.settle();
    expect([peer.status(1), peer.goaway]).toEqual(["0", null]);
  });

  test("that are not complete in 10 s end the connection", () => {
    const { clock, startedPeer } = startServer();
    const peer = startedPeer();
    peer.send(frameBytes(HEADERS, 0, 1, request));
    clock.advance(9_990);
    expect(peer.goaway).toBe(null);
    clock.advance(20);
    expect(peer.goaway).toBe("ENHANCE_YOUR_CALM");
  });
});

describe("silence", () => {
  test("a preface that does not come in 10 s closes the stream", () => {
    const { clock, peer: accept } = startServer();
    const peer = accept();
    peer.send(clientPreface.slice(0, 10));
    clock.advance(9_990);
    expect(peer.closed).toBe(false);
    clock.advance(20);
    expect(peer.closed).toBe(true);
  });

  test("SETTINGS that do not come in 10 s end the connection", () => {
    const { clock, peer: accept } = startServer();
    const peer = accept();
    peer.send(clientPreface);
    clock.advance(10_020);
    expect([peer.goaway, peer.closed]).toEqual(["SETTINGS_TIMEOUT", true]);
  });

  test("SETTINGS of ours that are not acknowledged in 10 s are a SETTINGS_TIMEOUT", () => {
    const { clock, peer: accept } = startServer();
    const peer = accept();
    peer.send(clientPreface, peer.settings([]));
    clock.advance(10_020);
    expect(peer.goaway).toBe("SETTINGS_TIMEOUT");
  });

  test("data that is not taken for 60 s ends the connection (CVE-2019-9517)", () => {
    const { clock, startedPeer } = startServer();
    const peer = startedPeer([[4, 0]]);
    peer.send(...peer.unary(1, echo, ascii("a")));
    clock.advance(59_000);
    expect(peer.goaway).toBe(null);
    peer.send(frameBytes(WINDOW_UPDATE, 0, 1, uint32(1)));
    clock.advance(59_000);
    expect(peer.goaway).toBe(null);
    clock.advance(62_000);
    expect(peer.goaway).toBe("ENHANCE_YOUR_CALM");
  });

  test("a client that is silent for 2 h is asked, and dropped 20 s later; one that answers stays", () => {
    const { clock, startedPeer, server, reports } = startServer();
    const silent = startedPeer();
    const alive = startedPeer();
    clock.advance(2 * 3_600_000 + 10);
    expect([silent.summary(), alive.summary()]).toEqual([["PING 0"], ["PING 0"]]);
    alive.send(frameBytes(PING, Flag.ACK, 0, alive.frames.at(-1)?.payload ?? []));
    clock.advance(20_020);
    expect([silent.closed, alive.closed, server.counters.connectionsOpen]).toEqual([true, false, 1]);
    expect(reports).toEqual(["Peer did not answer a keepalive ping within 20000 ms"]);
    expect(server.counters.limits.keepaliveTimeouts).toBe(1);
  });
});

describe("pings (gRPC A8)", () => {
  const ping = frameBytes(PING, 0, 0, new Uint8Array(8));

  test("the fourth of quick pings without calls brings too_many_pings", () => {
    const { clock, startedPeer } = startServer();
    const peer = startedPeer();
    for (let count = 0; count < 3; count++) peer.send(ping);
    clock.settle();
    expect(peer.goaway).toBe(null);
    peer.send(ping);
    clock.settle();
    expect([peer.goaway, String.fromCharCode(...(peer.frames.at(-1)?.payload.slice(8) ?? []))]).toEqual([
      "ENHANCE_YOUR_CALM",
      "too_many_pings",
    ]);
  });

  test("with a call that runs, one in 5 s is allowed", () => {
    const { clock, startedPeer, dispatcher } = startServer();
    dispatcher.addUnary("/x.Y/Wait", () => undefined);
    const peer = startedPeer();
    peer.send(...peer.unary(1, "/x.Y/Wait", ascii("a")));
    for (let count = 0; count < 20; count++) {
      peer.send(ping);
      clock.advance(5_000);
    }
    expect(peer.goaway).toBe(null);
    for (let count = 0; count < 4; count++) {
      peer.send(ping);
      clock.advance(1_000);
    }
    expect(peer.goaway).toBe("ENHANCE_YOUR_CALM");
  });

  test("each answer allows pings again, as peers measure bandwidth with them", () => {
    const { clock, startedPeer } = startServer();
    const peer = startedPeer();
    for (let count = 0; count < 50; count++) {
      peer.send(...peer.unary(1 + 2 * count, echo, ascii("a")), ping);
      clock.settle();
    }
    expect(peer.goaway).toBe(null);
  });
});

test("a client that reads nothing is read no further, and loses nothing when it reads again", () => {
  const { clock, startedPeer, server } = startServer({ stream: { highWaterBytes: 10_000 }, limits: { concurrentStreamsMax: 100 } });
  const peer = startedPeer([[4, 1_000_000]]);
  peer.send(frameBytes(WINDOW_UPDATE, 0, 0, uint32(1_000_000_000)));
  clock.settle();
  peer.stream.pause();
  const missing = "/x.Y/None";
  for (let count = 0; count < 8_000; count++) {
    peer.send(frameBytes(HEADERS, Flag.END_HEADERS | Flag.END_STREAM, 1 + 2 * count, headerBlock(grpcRequestFields(missing))));
    if (count % 100 === 0) clock.settle();
  }
  clock.settle();
  // Each answer has about 90 bytes: 256 KiB wait, and the rest of the requests in the client's own pipe.
  expect(server.counters.callsByStatus[12]).toBeLessThan(5000);
  peer.stream.resume();
  clock.settle();
  expect(server.counters.callsByStatus[12]).toBe(8_000);
  expect([peer.status(15_999), peer.goaway]).toEqual(["12", null]);
});

test("answers to a client that reads nothing are limited (CVE-2019-9512)", () => {
  const fixture = startServer({ stream: { highWaterBytes: 100 }, limits: { pingIntervalMinMs: 0.001 } });
  fixture.dispatcher.addUnary("/x.Y/Wait", () => undefined);
  const peer = fixture.startedPeer();
  peer.send(...peer.unary(1, "/x.Y/Wait", ascii("a")));
  fixture.clock.settle();
  peer.stream.pause();
  for (let count = 0; count < 1100; count++) {
    peer.send(frameBytes(PING, 0, 0, new Uint8Array(8)));
    fixture.clock.advance(1);
  }
  expect(fixture.server.counters.connectionErrors[11]).toBe(1);
});

test("streams above the limit are refused, also while handlers of reset streams run", () => {
  const { clock, startedPeer, dispatcher, server } = startServer({ limits: { concurrentStreamsMax: 2 } });
  const answers: (() => void)[] = [];
  dispatcher.addUnary("/x.Y/Wait", (message, call) => answers.push(() => call.respond(message)));
  const peer = startedPeer();
  peer.send(...peer.unary(1, "/x.Y/Wait", ascii("a")), ...peer.unary(3, "/x.Y/Wait", ascii("a")), ...peer.unary(5, echo, ascii("a")));
  clock.settle();
  expect(peer.reset(5)).toBe("REFUSED_STREAM");
  peer.send(frameBytes(RST_STREAM, 0, 1, uint32(8)), frameBytes(RST_STREAM, 0, 3, uint32(8)), ...peer.unary(7, echo, ascii("a")));
  clock.settle();
  expect([peer.reset(7), server.counters.refusals]).toEqual(["REFUSED_STREAM", 2]);
  for (const answer of answers) answer();
  peer.send(...peer.unary(9, echo, ascii("a")));
  clock.settle();
  expect(peer.status(9)).toBe("0");
});

describe("what is not HTTP/2", () => {
  test.each<[string, Uint8Array, number]>([
    ["HTTP/1.1", ascii("GET / HTTP/1.1\r\nhost: x\r\n\r\n"), 1],
    ["a method that begins like the preface", ascii("PUT / HTTP/1.1\r\n\r\n"), 1],
    ["a TLS hello", Uint8Array.of(0x16, 3, 1, 2, 0), 1],
    ["the preface with a wrong end", Uint8Array.of(...clientPreface.slice(0, 23), 0), 23],
  ])("%s is handed over with all of its bytes, however it is cut", (_, bytes, cut) => {
    const seen: Uint8Array[] = [];
    const {
      clock,
      peer: accept,
      server,
    } = startServer({ onOtherProtocol: (stream, first) => (seen.push(first), stream.destroy()), stream: { cut: () => cut } });
    const peer = accept();
    peer.send(bytes);
    clock.settle();
    expect(seen.map((first) => [...first])).toEqual([[...bytes.slice(0, seen[0]?.length)]]);
    expect(server.counters.otherProtocols).toBe(1);
  });

  test("it is closed if nobody takes it", () => {
    const { clock, peer: accept, server } = startServer();
    const peer = accept();
    peer.send(ascii("hello"));
    clock.settle();
    expect([peer.closed, server.counters.connectionsOpen]).toEqual([true, 0]);
  });
});

test("limits that make no sense are refused", () => {
  expect(() => startServer({ limits: { messageBytesMax: 0 } })).toThrow("Limit messageBytesMax is 0");
  expect(() => startServer({ limits: { frameBytesMax: 100 } })).toThrow("frameBytesMax 100");
  expect(() => startServer({ limits: { resetRate: { burst: 0, perSecond: 1 } } })).toThrow("Limit resetRate is 0");
  expect(() => startServer({ limits: { resetRate: { burst: 1, perSecond: Number.NaN } } })).toThrow("Limit resetRate allows NaN a second");
  expect(() => startServer({ limits: { connectionWindowBytes: 100 } })).toThrow("connectionWindowBytes 100");
});

test("a request message may come in as many frames as it likes", () => {
  const { clock, startedPeer } = startServer();
  const peer = startedPeer();
  peer.send(frameBytes(HEADERS, Flag.END_HEADERS, 1, request));
  const message = grpcMessage(new Uint8Array(5000));
  for (const octet of message) peer.send(frameBytes(DATA, 0, 1, [octet]));
  peer.send(frameBytes(DATA, Flag.END_STREAM, 1, []));
  clock.settle();
  expect([peer.status(1), peer.dataBytes(1)]).toEqual(["0", 5005]);
});
