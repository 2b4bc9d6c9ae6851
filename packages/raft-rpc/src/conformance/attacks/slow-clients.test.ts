import { describe, expect, test } from "vitest";
import { defineService } from "../../grpc/service-definition.ts";
import { clientPreface, Flag, FrameType } from "../../http2/frame.ts";
import { defaultLimits } from "../../limits.ts";
import type { StreamCall } from "../../server/call.ts";
import { ascii, frameBytes, grpcMessage, grpcRequestFields, headerBlock, type RawPeer, uint32 } from "../../testing/raw-peer.ts";
import { type ServerFixture, startServer } from "../../testing/server-fixture.ts";
import { clientOpening, echoPath, joined } from "./frame-floods.ts";
import { grownBytes, printGrowth } from "./memory-growth.ts";

const { DATA, HEADERS } = FrameType;
const marginMs = 50;
const octets = { encode: (value: Uint8Array) => value, decode: (bytes: Uint8Array) => bytes };
const { headerBlockTimeoutMs, prefaceTimeoutMs, settingsTimeoutMs } = defaultLimits;
const requestBlock = headerBlock(grpcRequestFields(echoPath));

/** One octet of `bytes` each `stepMs`, until the server closes; the time until then. */
function dribble({ clock }: ServerFixture, attacker: RawPeer, bytes: Uint8Array, stepMs: number): number {
  let elapsedMs = 0;
  for (const octet of bytes) {
    if (attacker.closed) break;
    attacker.send(Uint8Array.of(octet));
    clock.advance(stepMs);
    elapsedMs += stepMs;
  }
  return elapsedMs;
}

describe("a client that dribbles", () => {
  test.each<[string, Uint8Array, Uint8Array, number]>([
    ["the preface", new Uint8Array(0), clientPreface, prefaceTimeoutMs],
    ["its SETTINGS", clientPreface, frameBytes(FrameType.SETTINGS, 0, 0, new Array<number>(180).fill(0)), settingsTimeoutMs],
  ])("%s is cut off, however regularly an octet comes", (_, first, slow, timeoutMs) => {
    const fixture = startServer();
    const attacker = fixture.peer();
    attacker.send(first);
    const elapsedMs = dribble(fixture, attacker, slow, 500);
    expect(attacker.closed).toBe(true);
    expect(elapsedMs).toBeLessThanOrEqual(timeoutMs + 500);
    expect(fixture.server.counters.connectionsOpen).toBe(0);
  });

  test("CONTINUATION frames is cut off", () => {
    const fixture = startServer();
    const attacker = fixture.startedPeer();
    attacker.send(frameBytes(HEADERS, 0, 1, requestBlock));
    const elapsedMs = dribble(fixture, attacker, frameBytes(FrameType.CONTINUATION, 0, 1, new Uint8Array(200)), 500);
    expect([attacker.goaway, attacker.closed]).toEqual(["ENHANCE_YOUR_CALM", true]);
    expect(elapsedMs).toBeLessThanOrEqual(headerBlockTimeoutMs + 500);
  });
});

test("a thousand clients that say nothing hold little, and are gone after the time for the preface", () => {
  const { clock, peer, server } = startServer({ connections: { perAddressMax: 10_000 } });
  const { result: silent, bytes } = grownBytes(() => Array.from({ length: 1000 }, () => peer()));
  printGrowth("1,000 silent connections, both ends", bytes);
  clock.advance(prefaceTimeoutMs + marginMs);
  expect([silent.filter((attacker) => attacker.closed).length, server.counters.limits.prefaceTimeouts]).toEqual([1000, 1000]);
});

describe("requests whose end does not come", () => {
  /** Begins `count` requests; each declares `declaredBytes` and sends as much of them as one frame holds, less one. */
  function beginRequests(attacker: RawPeer, count: number, declaredBytes: number): void {
    const sent = Math.min(declaredBytes - 1, 16_000);
    const data = joined(Uint8Array.of(0, ...uint32(declaredBytes)), new Uint8Array(sent));
    for (let place = 0; place < count; place++) {
      attacker.send(frameBytes(HEADERS, Flag.END_HEADERS, 1 + 2 * place, requestBlock), frameBytes(DATA, 0, 1 + 2 * place, data));
    }
  }

  test("hold what their streams' windows allow: up to the limit of streams", () => {
    const { clock, peer, server } = startServer();
    const attacker = peer();
    attacker.send(clientOpening());
    const { bytes } = grownBytes(() => {
      beginRequests(attacker, 1000, 16_000);
      clock.settle();
    });
    expect(server.counters.streamsOpen).toBe(1000);
    printGrowth("1,000 requests of 16,000 bytes, less one", bytes);
    expect(bytes).toBeLessThan(64 * 1024 * 1024);
    attacker.stream.destroy();
    clock.settle();
    expect(server.counters.streamsOpen).toBe(0);
  });

  test("with large messages share the connection's budget", () => {
    const { clock, peer, server } = startServer();
    const attacker = peer();
    attacker.send(clientOpening());
    const { bytes } = grownBytes(() => {
      beginRequests(attacker, 1000, 2_000_000);
      clock.settle();
    });
    expect([server.counters.streamsOpen, attacker.goaway]).toEqual([1000, null]);
    printGrowth("1,000 requests of 2 MB, of which 16 KB came", bytes);
    // Twice what came, whatever was declared.
    expect(bytes).toBeLessThan(64 * 1024 * 1024);
    const small = 2001;
    attacker.send(frameBytes(FrameType.RST_STREAM, 0, 1, uint32(8)), ...attacker.unary(small, echoPath, ascii("a")));
    clock.settle();
    expect(attacker.status(small)).toBe("0");
  });

  test("cost memory for what came, not for what was declared", () => {
    const { clock, peer, server } = startServer();
    const attacker = peer();
    attacker.send(clientOpening());
    for (let streamId = 1; streamId < 2000; streamId += 2) {
      attacker.send(frameBytes(HEADERS, Flag.END_HEADERS, streamId, requestBlock));
      attacker.send(frameBytes(DATA, 0, streamId, [0, ...uint32(2_000_000), 0]));
    }
    clock.settle();
    expect([server.counters.streamsOpen, attacker.goaway]).toEqual([1000, null]);
    expect(server.heldBytes).toBeLessThanOrEqual(1000 * 16_384);
  });

  test("on many connections share what the server may hold: those that hold the most end", () => {
    const heldBytesMax = 16 * 1024 * 1024;
    const { clock, peer, server, startedPeer } = startServer({ connections: { heldBytesMax } });
    const modest = startedPeer();
    modest.send(modest.headers(1, grpcRequestFields(echoPath)), modest.data(1, grpcMessage(new Uint8Array(1000)).subarray(0, 500)));
    clock.settle();
    let attackers: readonly RawPeer[] = [];
    const { bytes } = grownBytes(() => {
      attackers = Array.from({ length: 8 }, () => {
        const attacker = peer();
        attacker.send(clientOpening());
        beginRequests(attacker, 250, 2_000_000);
        clock.settle();
        expect(server.heldBytes).toBeLessThanOrEqual(heldBytesMax);
        return attacker;
      });
    });
    printGrowth(`8 connections with 250 requests of 2 MB each, ${server.counters.limits.heldBytes} of them closed`, bytes);
    expect(bytes).toBeLessThan(heldBytesMax + 32 * 1024 * 1024);
    const closed = attackers.filter((attacker) => attacker.goaway === "ENHANCE_YOUR_CALM" && attacker.closed);
    expect(closed.length).toBe(server.counters.limits.heldBytes);
    expect(closed.length).toBeGreaterThan(0);
    modest.send(modest.data(1, grpcMessage(new Uint8Array(1000)).subarray(500), Flag.END_STREAM));
    clock.settle();
    expect([modest.status(1), modest.dataBytes(1)]).toEqual(["0", 1005]);
    for (const attacker of attackers) attacker.stream.destroy();
    clock.settle();
    expect([server.heldBytes, server.counters.streamsOpen]).toEqual([0, 0]);
  });

  test("with whole messages are counted until they end", () => {
    const { clock, startedPeer, server } = startServer();
    const attacker = startedPeer();
    const ids = Array.from({ length: 100 }, (_, place) => 1 + 2 * place);
    const message = grpcMessage(new Uint8Array(15_000));
    for (const id of ids) attacker.send(frameBytes(HEADERS, Flag.END_HEADERS, id, requestBlock), attacker.data(id, message));
    clock.settle();
    expect([server.heldBytes, server.counters.handlersRunning]).toEqual([1_500_000, 0]);
    const half = ids.slice(50);
    attacker.send(frameBytes(FrameType.WINDOW_UPDATE, 0, 0, uint32(1_500_000)));
    for (const id of half) attacker.send(attacker.data(id, new Uint8Array(0), Flag.END_STREAM));
    for (const id of ids.slice(0, 50)) attacker.send(frameBytes(FrameType.RST_STREAM, 0, id, uint32(8)));
    clock.settle();
    expect([half.every((id) => attacker.status(id) === "0"), attacker.goaway, server.counters.streamsOpen]).toEqual([true, null, 0]);
    attacker.send(frameBytes(FrameType.WINDOW_UPDATE, 0, 0, uint32(1)));
    clock.settle();
    expect(server.heldBytes).toBe(0);
  });

  test("with whole messages share what the server may hold", () => {
    const { clock, startedPeer, server } = startServer({ connections: { heldBytesMax: 4 * 1024 * 1024 } });
    const attacker = startedPeer();
    const message = grpcMessage(new Uint8Array(15_000));
    for (let id = 1; id < 800; id += 2) attacker.send(frameBytes(HEADERS, Flag.END_HEADERS, id, requestBlock), attacker.data(id, message));
    clock.settle();
    expect([attacker.goaway, server.counters.limits.heldBytes, server.heldBytes]).toEqual(["ENHANCE_YOUR_CALM", 1, 0]);
  });

  test("with a deadline end at it", () => {
    const { clock, startedPeer, server } = startServer();
    const attacker = startedPeer();
    attacker.send(attacker.headers(1, grpcRequestFields(echoPath, [["grpc-timeout", "1S"]])), frameBytes(DATA, 0, 1, [0]));
    clock.advance(1000 + marginMs);
    expect([attacker.status(1), server.counters.streamsOpen]).toEqual(["4", 0]);
  });

  test("to a method that streams its answers end at the server's, and what came of them is counted until then", () => {
    const { clock, startedPeer, server, dispatcher } = startServer({ limits: { requestMs: 5_000 } });
    const spell = { name: "Spell", kind: "serverStreaming", request: octets, response: octets } as const;
    let begun = 0;
    dispatcher.add(defineService({ typeName: "x.Z", methods: { spell } }), {
      async *spell(request) {
        begun++;
        yield request;
      },
    });
    const attacker = startedPeer();
    attacker.send(attacker.headers(1, grpcRequestFields("/x.Z/Spell")), attacker.data(1, grpcMessage(new Uint8Array(10_000))));
    clock.settle();
    expect([server.heldBytes, server.counters.handlersRunning]).toEqual([10_000, 0]);
    clock.advance(5_000 + marginMs);
    // What a connection holds is looked at when something comes.
    attacker.send(frameBytes(FrameType.WINDOW_UPDATE, 0, 0, uint32(1)));
    clock.settle();
    expect([attacker.status(1), server.counters.limits.requestTimeouts, server.heldBytes, begun]).toEqual(["4", 1, 0, 0]);
  });

  test("without a deadline end at the server's", () => {
    const { clock, startedPeer, server } = startServer({ limits: { requestMs: 5_000 } });
    const attacker = startedPeer();
    const message = grpcMessage(new Uint8Array(60));
    attacker.send(frameBytes(HEADERS, Flag.END_HEADERS, 1, requestBlock));
    for (let at = 0; at < message.length && attacker.status(1) === null; at++) {
      attacker.send(frameBytes(DATA, 0, 1, message.subarray(at, at + 1)));
      clock.advance(1000);
    }
    expect([attacker.status(1), attacker.statusMessage(1), server.counters.streamsOpen]).toEqual([
      "4",
      "Request was not complete within 5000 ms",
      0,
    ]);
  });
});

test("short messages that wait do not hold the long chunks that they came in", () => {
  const { clock, startedPeer, dispatcher } = startServer();
  const calls: StreamCall[] = [];
  const heldBytes: number[] = [];
  dispatcher.addStream("/x.Y/Stand", (call) => {
    calls.push(call);
    const onMessage = (message: Uint8Array): void => void heldBytes.push(message.buffer.byteLength);
    call.setHandlers({ onMessage, onEnd: () => undefined, onCancel: () => undefined, onDrain: () => undefined });
    call.pause();
  });
  const attacker = startedPeer();
  attacker.send(attacker.headers(1, grpcRequestFields("/x.Y/Stand")), attacker.headers(3, grpcRequestFields("/x.Y/Nobody")));
  // The call on stream 3 was answered: what still comes of it is read over.
  const chunk = joined(attacker.data(1, grpcMessage(ascii("short"))), attacker.data(3, new Uint8Array(16_000)));
  for (let count = 0; count < 3; count++) attacker.send(chunk.slice());
  clock.settle();
  for (const call of calls) call.resume();
  expect(heldBytes).toEqual([5, 5, 5]);
});
