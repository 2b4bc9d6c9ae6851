import fc from "fast-check";
import { expect, test } from "vitest";
import { Channel } from "../client/channel.ts";
import { clientPreface } from "../http2/frame.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { MemoryStream } from "../testing/memory-stream.ts";
import { ascii, frameBytes, grpcRequestFields, headerBlock, RawPeer } from "../testing/raw-peer.ts";
import { startServer } from "../testing/server-fixture.ts";

const request = headerBlock(grpcRequestFields("/x.Y/Echo"));
/** Frames that are half sensible, so that they get past the first checks. */
const frame = fc
  .record({
    type: fc.integer({ min: 0, max: 10 }),
    flags: fc.oneof(fc.constantFrom(0, 1, 4, 5, 8, 0x2d), fc.integer({ min: 0, max: 255 })),
    streamId: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 0x7fffffff })),
    payload: fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constant(request), fc.constant(Uint8Array.of(0, 0, 0, 0, 1, 65))),
  })
  .map(({ type, flags, streamId, payload }) => frameBytes(type, flags, streamId, payload));

test("no frames whatever make the server throw, hang or leak", () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 40 }), fc.integer({ min: 1, max: 100 }), (frames, cut) => {
      const { clock, peer: accept, server, reports } = startServer({ stream: { cut: () => cut } });
      const peer = accept();
      peer.startClient();
      for (const bytes of frames) peer.send(bytes);
      clock.settle();
      peer.stream.destroy();
      clock.settle();
      expect([server.counters.connectionsOpen, server.counters.streamsOpen, server.counters.handlersRunning]).toEqual([0, 0, 0]);
      expect(reports.filter((report) => report.startsWith("Assertion"))).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test("octets that begin anything and end anywhere close without harm", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.integer({ min: 0, max: 24 }), (octets, prefaceBytes) => {
      const { clock, peer: accept, server } = startServer();
      const peer = accept();
      peer.send(clientPreface.slice(0, prefaceBytes), octets);
      clock.advance(11_500);
      expect([peer.closed, server.counters.connectionsOpen]).toEqual([true, 0]);
      const good = accept();
      good.startClient();
      good.send(...good.unary(1, "/x.Y/Echo", ascii("a")));
      clock.settle();
      expect(good.status(1)).toBe("0");
    }),
    { numRuns: 300 },
  );
});

test("a request that is cut anywhere leaves nothing behind", () => {
  const { clock, peer: accept, server } = startServer();
  const whole = [
    ...clientPreface,
    ...frameBytes(4, 0, 0, []),
    ...frameBytes(1, 4, 1, request),
    ...frameBytes(0, 1, 1, [0, 0, 0, 0, 1, 65]),
  ];
  for (let length = 0; length < whole.length; length++) {
    const peer = accept();
    peer.send(Uint8Array.from(whole.slice(0, length)));
    // One a second is not so much that the next would have to wait.
    clock.advance(1000);
    peer.stream.end();
    clock.settle();
    expect([peer.closed, server.counters.streamsOpen, server.counters.connectionsOpen]).toEqual([true, 0, 0]);
  }
});

test("no frames whatever make a channel throw or its calls hang", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { maxLength: 30 }), async (frames) => {
      const clock = new ManualClock();
      const servers: RawPeer[] = [];
      const channel = new Channel({
        connect() {
          const [client, accepted] = MemoryStream.pair({ clock });
          servers.push(new RawPeer(accepted, "server"));
          return Promise.resolve(client);
        },
        authority: "test",
        clock,
      });
      let done = 0;
      for (let count = 0; count < 3; count++) channel.request("/x.Y/Echo", ascii("a"), () => done++, { timeoutMs: 1000 });
      await clock.settleAsync();
      servers[0]?.send(servers[0].settings([]), ...frames);
      clock.settle();
      clock.advance(1100);
      expect([done, channel.counters.streamsOpen]).toEqual([3, 0]);
      const closed = channel.close();
      await clock.settleAsync();
      clock.advance(1100);
      await closed;
    }),
    { numRuns: 300 },
  );
});
