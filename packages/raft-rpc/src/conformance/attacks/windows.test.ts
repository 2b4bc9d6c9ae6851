import { describe, expect, test } from "vitest";
import { ErrorCode, Flag, FrameType, SettingId } from "../../http2/frame.ts";
import { defaultLimits } from "../../limits.ts";
import { ascii, frameBytes, grpcRequestFields, headerBlock, type RawPeer, uint32 } from "../../testing/raw-peer.ts";
import { type ServerFixture, startServer } from "../../testing/server-fixture.ts";
import { echoPath, waitPath } from "./frame-floods.ts";
import { grownBytes, printGrowth } from "./memory-growth.ts";

const { DATA, HEADERS, WINDOW_UPDATE } = FrameType;
const largest = 0x7fffffff;
const answerBytes = 100;
/** Answers each request with `answerBytes` octets. */
const answerPath = "/x.Y/Answer";
/** Answers with 1 MiB. */
const largeAnswerPath = "/x.Y/LargeAnswer";
const largeAnswerBytes = 1024 * 1024;

function startAnswering(options: Parameters<typeof startServer>[0] = {}): ServerFixture {
  const fixture = startServer(options);
  const large = new Uint8Array(largeAnswerBytes);
  fixture.dispatcher
    .addUnary(answerPath, (_request, call) => call.respond(new Uint8Array(answerBytes - 5)))
    .addUnary(largeAnswerPath, (_request, call) => call.respond(large))
    .addUnary(waitPath, () => undefined);
  return fixture;
}

function windowUpdate(streamId: number, increment: number): Uint8Array {
  return frameBytes(WINDOW_UPDATE, 0, streamId, uint32(increment));
}

/** `connection CODE`, `stream CODE`, or what came of the answer: `20 of 100 bytes`. */
function outcome(settings: readonly (readonly [number, number])[], attack: (attacker: RawPeer, fixture: ServerFixture) => void): string {
  const fixture = startAnswering();
  const attacker = fixture.startedPeer(settings);
  attacker.send(...attacker.unary(1, answerPath, ascii("a")));
  attack(attacker, fixture);
  fixture.clock.settle();
  if (attacker.goaway !== null) return attacker.closed ? `connection ${attacker.goaway}` : "GOAWAY without closing";
  const reset = attacker.reset(1);
  return reset === null ? `${attacker.dataBytes(1)} of ${answerBytes} bytes` : `stream ${reset}`;
}

describe("windows of the server's answers", () => {
  const closedWindow = [[SettingId.INITIAL_WINDOW_SIZE, 0]] as const;

  test.each<[string, readonly (readonly [number, number])[], (attacker: RawPeer, fixture: ServerFixture) => void, string]>([
    ["of 0 keep the answer back", closedWindow, () => undefined, "0 of 100 bytes"],
    ["are obeyed to the octet", closedWindow, (attacker) => attacker.send(windowUpdate(1, 20)), "20 of 100 bytes"],
    [
      "may come in steps of 1",
      closedWindow,
      (attacker) => attacker.send(...Array.from({ length: 100 }, () => windowUpdate(1, 1))),
      "100 of 100 bytes",
    ],
    [
      "may shrink below 0, and what was given then must be earned first",
      [[SettingId.INITIAL_WINDOW_SIZE, 50]],
      (attacker, { clock }) => {
        clock.settle();
        attacker.send(attacker.settings(closedWindow), windowUpdate(1, 50), windowUpdate(1, 7));
      },
      "57 of 100 bytes",
    ],
    [
      "of the connection may not rise above 2^31-1",
      [],
      (attacker) => attacker.send(windowUpdate(0, largest)),
      "connection FLOW_CONTROL_ERROR",
    ],
    ["of the connection do not rise by 0", [], (attacker) => attacker.send(windowUpdate(0, 0)), "connection PROTOCOL_ERROR"],
    ["of a stream do not rise by 0", closedWindow, (attacker) => attacker.send(windowUpdate(1, 0)), "stream PROTOCOL_ERROR"],
    [
      "may not be announced above 2^31-1",
      [],
      (attacker) => attacker.send(attacker.settings([[SettingId.INITIAL_WINDOW_SIZE, 0x80000000]])),
      "connection FLOW_CONTROL_ERROR",
    ],
    [
      "may not be lifted above 2^31-1 by SETTINGS",
      closedWindow,
      (attacker) => attacker.send(windowUpdate(1, 1), attacker.settings([[SettingId.INITIAL_WINDOW_SIZE, largest]])),
      "100 of 100 bytes",
    ],
    ["do not open on streams that nobody opened", [], (attacker) => attacker.send(windowUpdate(9, 1)), "connection PROTOCOL_ERROR"],
  ])("%s", (_, settings, attack, expected) => {
    expect(outcome(settings, attack)).toBe(expected);
  });
});

test("a stream's window may rise to 2^31-1, and not above", () => {
  const { clock, startedPeer } = startAnswering();
  const attacker = startedPeer([[SettingId.INITIAL_WINDOW_SIZE, 0]]);
  attacker.send(...attacker.unary(1, waitPath, ascii("a")), windowUpdate(1, largest));
  clock.settle();
  expect(attacker.reset(1)).toBe(null);
  attacker.send(windowUpdate(1, 1));
  clock.settle();
  expect([attacker.reset(1), attacker.goaway]).toEqual(["FLOW_CONTROL_ERROR", null]);
});

describe("windows of the client's requests", () => {
  test("bind each stream, whatever the connection's window has left", () => {
    const { clock, startedPeer, dispatcher } = startServer({ limits: { streamWindowBytes: 1000 } });
    dispatcher.addStream(waitPath, (call) => call.pause());
    const attacker = startedPeer();
    attacker.send(attacker.headers(1, grpcRequestFields(waitPath)), attacker.data(1, new Uint8Array(1001)));
    clock.settle();
    expect([attacker.reset(1), attacker.goaway]).toEqual(["FLOW_CONTROL_ERROR", null]);
  });

  test("bind the connection", () => {
    const { clock, startedPeer, dispatcher, server } = startServer({ limits: { connectionWindowBytes: 65_535 } });
    dispatcher.addStream(waitPath, (call) => call.pause());
    const attacker = startedPeer();
    for (let streamId = 1; streamId <= 11; streamId += 2) {
      attacker.send(attacker.headers(streamId, grpcRequestFields(waitPath)));
      // A whole message of 15,000 bytes, which waits for the handler.
      attacker.send(attacker.data(streamId, Uint8Array.of(0, ...uint32(14_995), ...new Uint8Array(14_995))));
    }
    clock.settle();
    expect([attacker.goaway, attacker.closed]).toEqual(["FLOW_CONTROL_ERROR", true]);
    expect(server.counters.connectionErrors[ErrorCode.FLOW_CONTROL_ERROR]).toBe(1);
  });
});

describe("slow readers", () => {
  test("hold no more answers than the connection's queue allows, and lose their connection in the end", () => {
    const { clock, startedPeer, server } = startAnswering();
    const bystander = startedPeer();
    const attacker = startedPeer([[SettingId.INITIAL_WINDOW_SIZE, 0]]);
    const { bytes } = grownBytes(() => {
      for (let streamId = 1; streamId < 400; streamId += 2) attacker.send(...attacker.unary(streamId, largeAnswerPath, ascii("a")));
      clock.settle();
    });
    const answered = server.counters.callsByStatus[0] ?? 0;
    expect(answered * largeAnswerBytes).toBeLessThanOrEqual(defaultLimits.connectionQueueBytesMax + largeAnswerBytes);
    expect([attacker.reset(399) ?? attacker.goaway]).toEqual(["ENHANCE_YOUR_CALM"]);
    bystander.send(...bystander.unary(1, echoPath, ascii("a")));
    clock.settle();
    expect([bystander.status(1), server.counters.connectionsOpen]).toEqual(["0", 1]);
    printGrowth("200 answers of 1 MiB that nobody reads", bytes);
  });

  test("are cut off after a minute without progress", () => {
    const { clock, startedPeer, server } = startAnswering();
    const attacker = startedPeer([[SettingId.INITIAL_WINDOW_SIZE, 0]]);
    for (let streamId = 1; streamId < 100; streamId += 2) attacker.send(...attacker.unary(streamId, answerPath, ascii("a")));
    clock.advance(defaultLimits.stallMs + 100);
    expect([attacker.goaway, attacker.closed, server.counters.streamsOpen]).toEqual(["ENHANCE_YOUR_CALM", true, 0]);
  });

  test("of plain HTTP are cut off too", () => {
    const { clock, startedPeer, server } = startAnswering();
    const attacker = startedPeer([[SettingId.INITIAL_WINDOW_SIZE, 0]]);
    const request = headerBlock([
      [":method", "GET"],
      [":scheme", "http"],
      [":path", "/"],
      [":authority", "test"],
    ]);
    attacker.send(frameBytes(HEADERS, Flag.END_HEADERS | Flag.END_STREAM, 1, request));
    clock.advance(defaultLimits.stallMs + 100);
    expect([attacker.goaway, attacker.closed, server.counters.streamsOpen]).toEqual(["ENHANCE_YOUR_CALM", true, 0]);
  });

  test("that take an octet now and then are cut off too", () => {
    const { clock, startedPeer, server } = startAnswering();
    const attacker = startedPeer([[SettingId.INITIAL_WINDOW_SIZE, 0]]);
    for (let streamId = 1; streamId < 60; streamId += 2) attacker.send(...attacker.unary(streamId, largeAnswerPath, ascii("a")));
    for (let elapsedMs = 0; elapsedMs < 10 * defaultLimits.stallMs && !attacker.closed; elapsedMs += 10_000) {
      attacker.send(windowUpdate(1, 1));
      clock.advance(10_000);
    }
    expect([attacker.goaway, attacker.closed, server.counters.streamsOpen]).toEqual(["ENHANCE_YOUR_CALM", true, 0]);
  });
});

test("DATA of one octet each costs its sender more than the server", () => {
  const { clock, startedPeer, server } = startServer();
  const attacker = startedPeer();
  const { bytes } = grownBytes(() => {
    attacker.send(frameBytes(HEADERS, Flag.END_HEADERS, 1, headerBlock(grpcRequestFields(echoPath))));
    attacker.send(frameBytes(DATA, 0, 1, [0, ...uint32(1_000_000)]));
    for (let count = 0; count < 100_000; count++) {
      attacker.send(frameBytes(DATA, 0, 1, [0]));
      if (count % 1000 === 0) clock.settle();
    }
    clock.settle();
  });
  expect([server.counters.streamsOpen, attacker.goaway]).toEqual([1, null]);
  printGrowth("100,000 DATA frames of one octet, of a message of 1 MB", bytes);
  expect(bytes).toBeLessThan(16 * 1024 * 1024);
});

test("a client that takes the last of little, octet by octet, is given the time", () => {
  const { clock, startedPeer } = startAnswering();
  const attacker = startedPeer([[SettingId.INITIAL_WINDOW_SIZE, 0]]);
  attacker.send(...attacker.unary(1, answerPath, ascii("a")));
  for (let count = 0; count < answerBytes; count++) {
    clock.advance(defaultLimits.stallMs - 100);
    attacker.send(windowUpdate(1, 1));
  }
  clock.settle();
  expect([attacker.dataBytes(1), attacker.status(1)]).toEqual([answerBytes, "0"]);
});
