import { describe, expect, test } from "vitest";
import { DeadlineWheel } from "../grpc/deadline-wheel.ts";
import { clientPreface, FrameType } from "../http2/frame.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { MemoryStream } from "../testing/memory-stream.ts";
import { ascii, frameBytes, type RawPeer } from "../testing/raw-peer.ts";
import { type ServerFixture, startServer } from "../testing/server-fixture.ts";
import { DelayedConnection } from "./delayed-connection.ts";
import { TurnLine } from "./turn-line.ts";

const connections = { faultRate: { burst: 5, perSecond: 5 }, delayMaxMs: 1000 };
const { PING } = FrameType;
/** On stream 1, where it must not be. */
const misplacedPing = frameBytes(PING, 0, 1, new Uint8Array(8));

/** A connection that begins, and does what it wants. */
function connection({ clock, startedPeer }: ServerFixture, act: (peer: RawPeer) => void): RawPeer {
  const peer = startedPeer();
  clock.advance(2000);
  act(peer);
  clock.settle();
  return peer;
}

/** So many connections that end badly in one moment: no time passes between them. */
function misbehave({ clock, startedPeer }: ServerFixture, times: number): void {
  for (let count = 0; count < times; count++) {
    startedPeer().send(misplacedPing);
    clock.settle();
  }
}

/** How long a new connection waits for its first answer. */
function delayMs({ clock, startedPeer }: ServerFixture): number {
  const beganMs = clock.monotonicMs();
  const peer = startedPeer();
  peer.send(...peer.unary(1, "/x.Y/Echo", ascii("a")));
  clock.settle();
  while (peer.status(1) === null && clock.monotonicMs() < beganMs + 5000) clock.advance(10);
  expect(peer.status(1)).toBe("0");
  return clock.monotonicMs() - beganMs;
}

describe("what takes an address's new connections their time is", () => {
  test.each<[string, (peer: RawPeer) => void]>([
    ["a broken rule, whatever came before", (peer) => peer.send(...peer.unary(1, "/x.Y/Echo", ascii("a")), misplacedPing)],
    ["a flood", (peer) => peer.send(...Array.from({ length: 5 }, () => frameBytes(PING, 0, 0, new Uint8Array(8))))],
    ["an end before any call", (peer) => peer.stream.destroy()],
  ])("%s", (_what, act) => {
    const fixture = startServer({ connections: { ...connections, faultRate: { burst: 5, perSecond: 0.001 }, delayMaxMs: 500 } });
    for (let count = 0; count < 7; count++) connection(fixture, act);
    expect(delayMs(fixture)).toBeGreaterThanOrEqual(490);
  });

  test.each<[string, Uint8Array, number]>([
    ["silence instead of a preface", new Uint8Array(0), 10_010],
    ["half a preface", clientPreface.subarray(0, 10), 10_010],
    ["something that nobody here speaks", ascii("GET / HTTP/1.1\r\n\r\n"), 0],
  ])("%s", (_what, bytes, untilMs) => {
    const fixture = startServer({ connections: { ...connections, faultRate: { burst: 5, perSecond: 0.001 }, delayMaxMs: 500 } });
    for (let count = 0; count < 7; count++) fixture.peer().send(bytes);
    fixture.clock.advance(untilMs);
    expect(delayMs(fixture)).toBeGreaterThanOrEqual(490);
  });

  test("not to look whether somebody listens, as load balancers do", () => {
    const fixture = startServer({ connections: { ...connections, faultRate: { burst: 5, perSecond: 0.001 } } });
    for (let count = 0; count < 20; count++) {
      fixture.peer().stream.destroy();
      fixture.clock.settle();
    }
    expect(delayMs(fixture)).toBe(0);
  });

  test.each<[string, (peer: RawPeer) => void]>([
    ["calls", (peer) => peer.send(...peer.unary(1, "/x.Y/Echo", ascii("a")))],
    ["a call that fails", (peer) => peer.send(...peer.unary(1, "/x.Y/Unknown", ascii("a")))],
  ])("not %s, however many connections are made for them", (_what, act) => {
    const fixture = startServer({ connections: { ...connections, faultRate: { burst: 5, perSecond: 0.001 } } });
    for (let count = 0; count < 20; count++) connection(fixture, act).stream.destroy();
    expect(delayMs(fixture)).toBe(0);
  });
});

describe("while connections of its address end badly", () => {
  test("a new one waits, is counted and told, and is served in the end", () => {
    const told: string[] = [];
    const fixture = startServer({ connections, onLimit: (limit, address) => told.push(`${limit} ${address}`) });
    misbehave(fixture, 5);
    expect(delayMs(fixture)).toBe(0);
    misbehave(fixture, 2);
    expect(delayMs(fixture)).toBeGreaterThanOrEqual(200);
    expect([told.at(-1), fixture.server.counters.limits.connectionsDelayed]).toEqual(["connectionsDelayed client:1", 2]);
  });

  test("one that is open is served as ever", () => {
    const fixture = startServer({ connections });
    const client = fixture.startedPeer();
    misbehave(fixture, 10);
    client.send(...client.unary(1, "/x.Y/Echo", ascii("a")));
    fixture.clock.settle();
    expect(client.status(1)).toBe("0");
  });

  test("those that wait count as connections, and end with the server", async () => {
    const fixture = startServer({ connections: { ...connections, perAddressMax: 3 } });
    misbehave(fixture, 6);
    const waiting = Array.from({ length: 4 }, () => fixture.startedPeer());
    expect(waiting.map(({ closed }) => closed)).toEqual([false, false, false, true]);
    await fixture.server.close(0);
    fixture.clock.settle();
    expect(waiting.every(({ closed }) => closed)).toBe(true);
  });

  test("nothing of those that wait is read", () => {
    const fixture = startServer({ connections });
    misbehave(fixture, 6);
    const before = fixture.server.counters.bytesReceived;
    fixture.startedPeer();
    expect(fixture.server.counters.bytesReceived).toBe(before);
    fixture.clock.advance(300);
    expect(fixture.server.counters.bytesReceived).toBeGreaterThan(before);
  });
});

test("connections whose time comes together begin one in a turn, and those that are gone by then do not", () => {
  const clock = new ManualClock();
  const line = new TurnLine(clock);
  const wheel = new DeadlineWheel(clock);
  const turns: number[] = [];
  let closed = 0;
  const clients = Array.from({ length: 50 }, () => {
    const [client, stream] = MemoryStream.pair({ clock });
    const onBegin = (): void => {
      turns.push(line.current());
    };
    new DelayedConnection({ origin: "client", stream, wheel, line, untilMs: clock.monotonicMs() + 100, onBegin, onClosed: () => closed++ });
    return client;
  });
  for (const client of clients.slice(0, 10)) client.destroy();
  clock.advance(90);
  expect([turns.length, closed]).toEqual([0, 10]);
  clock.advance(20);
  expect([turns.length, new Set(turns).size]).toEqual([40, 40]);
});
