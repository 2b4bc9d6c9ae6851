import { describe, expect, test } from "vitest";
import { Flag, FrameType } from "../../http2/frame.ts";
import { defaultLimits } from "../../limits.ts";
import { ascii, frameBytes, grpcMessage, grpcRequestFields, headerBlock, type RawPeer, uint32 } from "../../testing/raw-peer.ts";
import { startServer } from "../../testing/server-fixture.ts";
import { clientOpening, echoPath, joined } from "./frame-floods.ts";

const { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION } = FrameType;
const requestBlock = headerBlock(grpcRequestFields(echoPath));
const allTypes = Object.entries(FrameType);

/** `connection CODE`, or `open` if the server serves on. */
function outcome(send: (attacker: RawPeer) => void): string {
  const { clock, peer } = startServer();
  const attacker = peer();
  attacker.send(clientOpening());
  send(attacker);
  clock.settle();
  if (attacker.goaway !== null) return attacker.closed ? `connection ${attacker.goaway}` : "GOAWAY without closing";
  return "open";
}

describe("frames", () => {
  test.each(allTypes)("%s above the announced size end the connection at their header", (_, type) => {
    const header = frameBytes(type, 0, 1, new Uint8Array(defaultLimits.frameBytesMax + 1)).subarray(0, 9);
    expect(outcome((attacker) => attacker.send(header))).toBe("connection FRAME_SIZE_ERROR");
  });

  test.each<[string, number, number, number, readonly number[]]>([
    ["PING of 7 octets", PING, 0, 0, [1, 2, 3, 4, 5, 6, 7]],
    ["RST_STREAM of 3 octets", RST_STREAM, 0, 1, [0, 0, 8]],
    ["WINDOW_UPDATE of 5 octets", WINDOW_UPDATE, 0, 0, [0, 0, 0, 1, 0]],
    ["SETTINGS of 5 octets", SETTINGS, 0, 0, [0, 1, 0, 0, 0]],
    ["SETTINGS with ACK and a payload", SETTINGS, Flag.ACK, 0, [0, 1, 0, 0, 0, 0]],
    ["GOAWAY of 7 octets", GOAWAY, 0, 0, [0, 0, 0, 0, 0, 0, 0]],
    ["PRIORITY of 4 octets on an idle stream", PRIORITY, 0, 1, [0, 0, 0, 0]],
    ["HEADERS that are too short for their priority", HEADERS, Flag.PRIORITY | Flag.END_HEADERS, 1, [0, 0]],
    ["DATA that is too short for its padding", DATA, Flag.PADDED, 1, []],
  ])("that are too short or too long end the connection: %s", (_, type, flags, streamId, payload) => {
    expect(outcome((attacker) => attacker.send(frameBytes(type, flags, streamId, payload)))).toBe("connection FRAME_SIZE_ERROR");
  });

  test("that are cut off keep the server waiting for no more than their size, and end with the connection", () => {
    for (let cut = 1; cut < 9 + requestBlock.length; cut++) {
      const { clock, peer, server } = startServer();
      const attacker = peer();
      attacker.send(clientOpening(), frameBytes(HEADERS, Flag.END_HEADERS, 1, requestBlock).subarray(0, cut));
      clock.settle();
      expect([attacker.goaway, server.counters.streamsOpen]).toEqual([null, 0]);
      attacker.stream.destroy();
      clock.settle();
      expect(server.counters.connectionsOpen).toBe(0);
    }
  });

  test("with more SETTINGS than anybody has end the connection", () => {
    const many = frameBytes(SETTINGS, 0, 0, new Array<number>(33 * 6).fill(0));
    expect(outcome((attacker) => attacker.send(many))).toBe("connection ENHANCE_YOUR_CALM");
  });

  test("of a header block that belong to another stream end the connection", () => {
    const frames = joined(frameBytes(HEADERS, 0, 1, requestBlock), frameBytes(CONTINUATION, Flag.END_HEADERS, 3, [0x82]));
    expect(outcome((attacker) => attacker.send(frames))).toBe("connection PROTOCOL_ERROR");
  });
});

describe("messages", () => {
  const aboveLimit = [0, ...uint32(defaultLimits.messageBytesMax + 1)];

  test.each<[string, Uint8Array, string, number]>([
    ["that declare more than the limit are refused before a byte of them came", Uint8Array.from(aboveLimit), "8", 0],
    ["that declare 4 GiB are refused", Uint8Array.of(0, 255, 255, 255, 255), "8", 0],
    ["with an unknown flag are refused", Uint8Array.of(7, 0, 0, 0, 0), "13", 0],
    ["with the compressed flag, of a call without grpc-encoding, are refused", Uint8Array.of(1, 0, 0, 0, 1, 0), "13", 0],
    ["that are cut off fail their call", grpcMessage(ascii("hello")).subarray(0, 7), "13", Flag.END_STREAM],
    ["whose prefix is cut off fail their call", Uint8Array.of(0, 0), "13", Flag.END_STREAM],
    ["of which a unary call has two fail their call", joined(grpcMessage(ascii("a")), grpcMessage(ascii("b"))), "12", Flag.END_STREAM],
  ])("%s", (_, data, status, flags) => {
    const { clock, startedPeer, server } = startServer();
    const attacker = startedPeer();
    attacker.send(frameBytes(HEADERS, Flag.END_HEADERS, 1, requestBlock), frameBytes(DATA, flags, 1, data));
    attacker.send(...attacker.unary(3, echoPath, ascii("b")));
    clock.settle();
    expect([attacker.status(1), attacker.status(3), attacker.goaway]).toEqual([status, "0", null]);
    expect([server.heldBytes, server.counters.streamsOpen]).toEqual([0, 0]);
  });

  test("that are too large are counted", () => {
    const { clock, startedPeer, server } = startServer();
    const attacker = startedPeer();
    attacker.send(frameBytes(HEADERS, Flag.END_HEADERS, 1, requestBlock), frameBytes(DATA, 0, 1, aboveLimit));
    clock.settle();
    expect(server.counters.limits.messageBytes).toBe(1);
  });
});

test("the last stream id ends what a connection can open, and nothing else", () => {
  const { clock, startedPeer } = startServer();
  const attacker = startedPeer();
  attacker.send(...attacker.unary(0x7fffffff, echoPath, ascii("a")));
  clock.settle();
  expect(attacker.status(0x7fffffff)).toBe("0");
  attacker.send(...attacker.unary(1, echoPath, ascii("a")));
  clock.settle();
  expect([attacker.goaway, attacker.closed]).toEqual(["PROTOCOL_ERROR", true]);
});
