import { describe, expect, test } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { MemoryStream } from "../testing/memory-stream.ts";
import { ascii, grpcRequestFields, RawPeer } from "../testing/raw-peer.ts";
import { startServer } from "../testing/server-fixture.ts";
import { ConnectionAdmission, resolveConnectionLimits } from "./connection-admission.ts";
import { Dispatcher } from "./dispatcher.ts";
import type { LimitName } from "./limit-counters.ts";
import { RpcServer } from "./rpc-server.ts";

const body = ascii("hello");

describe("the number of connections", () => {
  test("is 4,096 in all and 256 from an address if nothing else is said", () => {
    expect(resolveConnectionLimits({})).toMatchObject({ max: 4096, perAddressMax: 256 });
    expect(() => resolveConnectionLimits({ max: 0 })).toThrow(RangeError);
  });

  test("is limited by address, whatever the port, and those that left make room", () => {
    const admission = new ConnectionAdmission(resolveConnectionLimits({ max: 5, perAddressMax: 2 }));
    const enter = (address: string): string => {
      const broken = admission.brokenLimit(address);
      if (broken === null) admission.enter(address);
      return broken ?? "in";
    };
    expect(["10.0.0.1:1", "10.0.0.1:2", "10.0.0.1:3", "10.0.0.2:1"].map(enter)).toEqual(["in", "in", "connectionsPerAddress", "in"]);
    expect(["::1:5", "::1:6", "::1:7", "::2:7"].map(enter)).toEqual(["in", "in", "connections", "connections"]);
    admission.leave("10.0.0.1:1");
    expect(["10.0.0.1:9", "10.0.0.1:8"].map(enter)).toEqual(["in", "connections"]);
  });

  test("above the limit gets nothing, is counted and told, and one that closes makes room", () => {
    const told: [LimitName, string][] = [];
    const { clock, startedPeer, peer, server } = startServer({
      connections: { perAddressMax: 2 },
      onLimit: (limit, address) => told.push([limit, address]),
    });
    const first = startedPeer();
    peer();
    const refused = startedPeer();
    clock.settle();
    expect([refused.closed, refused.frames]).toEqual([true, []]);
    expect([told, server.counters.limits.connectionsPerAddress]).toEqual([[["connectionsPerAddress", "client:1"]], 1]);
    expect(server.counters.connectionsAccepted).toBe(2);
    first.stream.end();
    clock.settle();
    const next = startedPeer();
    next.send(...next.unary(1, "/x.Y/Echo", body));
    clock.settle();
    expect(next.status(1)).toBe("0");
  });

  test("does not count those that were handed over or said nothing", () => {
    const { clock, peer, startedPeer, server } = startServer({ connections: { max: 1 }, onOtherProtocol: () => {} });
    peer().send(ascii("GET / HTTP/1.1\r\n"));
    clock.settle();
    peer();
    const refused = startedPeer();
    expect([refused.closed, server.counters.connectionsAccepted]).toEqual([true, 2]);
    clock.advance(20_000);
    expect([startedPeer().closed, server.counters.limits.prefaceTimeouts]).toEqual([false, 1]);
  });
});

describe("a connection that is told to go", () => {
  const reasons = (peer: RawPeer): string[] =>
    peer.frames.filter(({ type }) => type === "GOAWAY").map(({ payload }) => Buffer.from(payload.subarray(8)).toString());

  test("was idle for long enough since its last call, or since it began", () => {
    const { clock, startedPeer, dispatcher, server } = startServer({ connections: { idleMs: 10_000 } });
    const calls: { respond(message: Uint8Array): void }[] = [];
    dispatcher.addUnary("/x.Y/Long", (_message, call) => calls.push(call));
    const busy = startedPeer();
    const silent = startedPeer();
    busy.send(...busy.unary(1, "/x.Y/Long", body));
    clock.advance(9_000);
    expect([reasons(silent), silent.closed]).toEqual([[], false]);
    clock.advance(1_100);
    expect(reasons(silent)).toEqual(["max_idle"]);
    clock.advance(100_000);
    expect([reasons(busy), silent.closed]).toEqual([[], true]);
    calls[0]?.respond(body);
    clock.advance(9_900);
    expect(reasons(busy)).toEqual([]);
    clock.advance(200);
    expect([reasons(busy)[0], server.counters.limits.connectionIdle]).toEqual(["max_idle", 2]);
  });

  test("is old, and ends with its last call", () => {
    const { clock, startedPeer, dispatcher, server } = startServer({ connections: { ageMs: 60_000 } });
    const calls: { respond(message: Uint8Array): void }[] = [];
    dispatcher.addUnary("/x.Y/Long", (_message, call) => calls.push(call));
    const peer = startedPeer();
    peer.send(...peer.unary(1, "/x.Y/Long", body));
    clock.advance(59_900);
    expect(reasons(peer)).toEqual([]);
    clock.advance(200);
    expect([reasons(peer), peer.closed]).toEqual([["max_age"], false]);
    clock.advance(10_000);
    calls[0]?.respond(body);
    clock.settle();
    expect([peer.status(1), peer.closed, server.counters.limits.connectionAge]).toEqual(["0", true, 1]);
    // The wheel of deadlines finds out at its next turn that nothing is left.
    clock.advance(10_000);
    expect(clock.timerCount).toBe(0);
  });

  test("is told a little earlier or later than others of its age", () => {
    const clock = new ManualClock();
    let drawn = 0;
    const random = { below: (limit: number) => (drawn++ === 0 ? 0 : limit - 1) };
    const { startedPeer } = startServer({ clock, connections: { ageMs: 100_000 }, random });
    const [early, late] = [startedPeer(), startedPeer()];
    clock.advance(90_100);
    expect([reasons(early), reasons(late)]).toEqual([["max_age"], []]);
    clock.advance(19_000);
    expect(reasons(late)).toEqual([]);
    clock.advance(1_100);
    expect(reasons(late)).toEqual(["max_age"]);
  });
});

describe("limits that refuse something", () => {
  test("are counted by their names, and told with the client's address", () => {
    const told: string[] = [];
    const { clock, startedPeer, server, dispatcher } = startServer({
      limits: { concurrentStreamsMax: 1, messageBytesMax: 100, streamQueueBytesMax: 10 },
      onLimit: (limit) => told.push(limit),
    });
    dispatcher.addStream("/x.Y/Flood", (call) => {
      call.setHandlers({ onMessage: () => {}, onEnd: () => {}, onCancel: () => {}, onDrain: () => {} });
      for (let count = 0; count < 100; count++) call.send(new Uint8Array(10_000));
    });
    dispatcher.addUnary("/x.Y/Never", () => {});
    const peer = startedPeer();
    peer.send(...peer.unary(1, "/x.Y/Echo", new Uint8Array(101)));
    clock.settle();
    peer.send(peer.headers(3, grpcRequestFields(`/x.Y/${"a".repeat(2000)}`)));
    clock.settle();
    peer.send(peer.headers(5, grpcRequestFields("/x.Y/Never")), peer.headers(7, grpcRequestFields("/x.Y/Never")));
    clock.settle();
    const { limits } = server.counters;
    expect([limits.messageBytes, limits.requestHeadBytes, limits.concurrentStreams]).toEqual([1, 1, 1]);
    const flooded = startedPeer();
    flooded.send(flooded.headers(1, grpcRequestFields("/x.Y/Flood")));
    clock.settle();
    expect([limits.streamQueueBytes, told.slice(0, 4)]).toEqual([
      1,
      ["messageBytes", "requestHeadBytes", "concurrentStreams", "streamQueueBytes"],
    ]);
    const pinging = startedPeer();
    for (let count = 0; count < 5; count++) pinging.send(Uint8Array.of(0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8));
    clock.settle();
    expect([pinging.goaway, limits.pingFlood]).toEqual(["ENHANCE_YOUR_CALM", 1]);
  });
});

describe("a server that closes gracefully", () => {
  /** Calls of each kind that are under way, and what ends them. */
  function startCalls() {
    const clock = new ManualClock();
    const ends: (() => void)[] = [];
    const dispatcher = new Dispatcher()
      .addUnary("/x.Y/Unary", (message, call) => ends.push(() => call.respond(message)))
      .addStream("/x.Y/Stream", (call) => {
        call.setHandlers({ onMessage: () => {}, onEnd: () => {}, onCancel: () => {}, onDrain: () => {} });
        call.send(body);
        ends.push(() => call.end());
      });
    const server = new RpcServer({ dispatcher, clock });
    const [stream, accepted] = MemoryStream.pair({ clock });
    server.accept(accepted);
    const peer = new RawPeer(stream, "client");
    peer.startClient();
    peer.send(
      // Unary; server streaming; client streaming, still sending; a request that is not complete.
      ...peer.unary(1, "/x.Y/Unary", body),
      ...peer.unary(3, "/x.Y/Stream", body),
      peer.headers(5, grpcRequestFields("/x.Y/Stream")),
      peer.headers(7, grpcRequestFields("/x.Y/Unary")),
    );
    clock.settle();
    return { clock, server, peer, ends };
  }

  test("lets calls of every kind end, takes no new ones, and is closed with the last", async () => {
    const { clock, server, peer, ends } = startCalls();
    let closed = false;
    void server.close(60_000).then(() => (closed = true));
    clock.advance(10_000);
    // Too late: above the last stream of the GOAWAY.
    peer.send(...peer.unary(9, "/x.Y/Unary", body));
    peer.send(peer.data(7, Uint8Array.of(0, 0, 0, 0, 1, 5), 1));
    await clock.settleAsync();
    expect(ends.length).toBe(4);
    for (const end of ends.slice(0, 3)) end();
    await clock.settleAsync();
    expect([peer.status(1), peer.status(3), peer.status(5), peer.status(7), closed]).toEqual(["0", "0", "0", null, false]);
    ends[3]?.();
    await clock.settleAsync();
    expect([peer.status(7), peer.status(9), closed, server.counters.connectionsOpen]).toEqual(["0", null, true, 0]);
    expect(clock.timerCount).toBe(0);
  });

  test("ends calls of every kind with UNAVAILABLE when the time is over", async () => {
    const { clock, server, peer } = startCalls();
    let closed = false;
    void server.close(1_000).then(() => (closed = true));
    clock.advance(1_100);
    await clock.settleAsync();
    expect([1, 3, 5, 7].map((id) => peer.status(id))).toEqual(["14", "14", "14", "14"]);
    expect([closed, server.counters.streamsOpen]).toEqual([true, 0]);
  });
});
