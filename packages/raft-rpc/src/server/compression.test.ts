import { describe, expect, test } from "vitest";
import { Channel } from "../client/channel.ts";
import type { CallOptions } from "../client/client-call.ts";
import type { RpcError } from "../grpc/rpc-error.ts";
import { Flag } from "../http2/frame.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { grpcMessage, grpcRequestFields, type RawPeer, uint32 } from "../testing/raw-peer.ts";
import { RunCompressor } from "../testing/run-compressor.ts";
import { type ServerFixture, startServer } from "../testing/server-fixture.ts";
import type { StreamCall } from "./call.ts";

const end = Flag.END_STREAM;
const run = RunCompressor.run;

function compressed(body: Uint8Array): Uint8Array {
  return Uint8Array.of(1, ...uint32(body.length), ...body);
}

/** A server that knows the encoding `run`, and a peer that has begun a call of `path` in it. */
function startCall(path: string, fields: readonly (readonly [string, string])[] = [["grpc-encoding", "run"]]) {
  const clock = new ManualClock();
  const compressor = new RunCompressor({ clock, delayMs: () => 10 });
  const fixture = startServer({ clock, compression: compressor, limits: { messageBytesMax: 100_000 } });
  const peer = fixture.startedPeer();
  peer.send(peer.headers(1, grpcRequestFields(path, fields)));
  return { ...fixture, peer, compressor };
}

/** Registers a stream whose messages are written down. */
function recordStream({ dispatcher }: Pick<ServerFixture, "dispatcher">, seen: (number | string)[]): StreamCall[] {
  const calls: StreamCall[] = [];
  dispatcher.addStream("/x.Y/Record", (call) => {
    calls.push(call);
    call.setHandlers({
      onMessage: (message) => seen.push(message.length),
      onEnd: () => seen.push("end"),
      onCancel: () => seen.push("cancelled"),
      onDrain: () => seen.push("drain"),
    });
  });
  return calls;
}

describe("a compressed request", () => {
  test("is inflated before its handler sees it", () => {
    const { clock, peer } = startCall("/x.Y/Echo");
    peer.send(peer.data(1, compressed(run(7, 3)), end));
    clock.settle();
    expect(peer.status(1)).toBe(null);
    clock.advance(10);
    expect([peer.status(1), peer.dataBytes(1)]).toEqual(["0", 8]);
  });

  test("may hold messages without the flag, and one message is inflated at a time, in order", () => {
    const fixture = startCall("/x.Y/Record");
    const { clock, peer, compressor } = fixture;
    const seen: (number | string)[] = [];
    recordStream(fixture, seen);
    peer.send(
      peer.data(1, compressed(run(1, 900))),
      peer.data(1, grpcMessage(new Uint8Array(2))),
      peer.data(1, compressed(run(1, 5))),
      peer.data(1, compressed(run(1, 0)), end),
    );
    clock.advance(9);
    expect(seen).toEqual([]);
    clock.advance(1);
    expect(seen).toEqual([900, 2]);
    clock.advance(100);
    expect([seen, compressor.runningMax]).toEqual([[900, 2, 5, 0, "end"], 1]);
  });

  test("that is paused while a message is inflated waits with it", () => {
    const fixture = startCall("/x.Y/Record");
    const { clock, peer } = fixture;
    const seen: (number | string)[] = [];
    const calls = recordStream(fixture, seen);
    peer.send(peer.data(1, compressed(run(1, 900))), peer.data(1, grpcMessage(new Uint8Array(2)), end));
    clock.advance(5);
    calls[0]?.pause();
    clock.advance(100);
    expect(seen).toEqual([]);
    calls[0]?.resume();
    expect(seen).toEqual([900, 2, "end"]);
  });

  test("occupies its window until it was taken", () => {
    const fixture = startCall("/x.Y/Record");
    const { clock, peer, compressor } = fixture;
    const seen: (number | string)[] = [];
    const calls = recordStream(fixture, seen);
    clock.settle();
    calls[0]?.pause();
    // More than half of the stream's window of 64 KiB, so that taking it gives credit.
    for (let count = 0; count < 5000; count++) peer.send(peer.data(1, compressed(run(1, 50_000))));
    clock.advance(10_000);
    const credits = (): number => peer.ofStream(1).filter(({ type }) => type === "WINDOW_UPDATE").length;
    expect([seen, credits(), compressor.runningMax]).toEqual([[], 0, 0]);
    calls[0]?.resume();
    clock.advance(60_000);
    expect([seen.length, credits() > 0]).toEqual([5000, true]);
  });

  test("above the message limit when inflated gets RESOURCE_EXHAUSTED, and is counted", () => {
    const { clock, peer, server } = startCall("/x.Y/Echo");
    peer.send(peer.data(1, compressed(run(0, 100_001)), end));
    clock.advance(10);
    expect([peer.status(1), peer.statusMessage(1)]).toEqual(["8", "grpc: received message after decompression larger than max 100000"]);
    expect(server.counters.limits.messageBytes).toBe(1);
  });

  test("that is broken gets INTERNAL", () => {
    const { clock, peer } = startCall("/x.Y/Echo");
    peer.send(peer.data(1, compressed(Uint8Array.of(1, 2)), end));
    clock.advance(10);
    expect([peer.status(1), peer.statusMessage(1)]).toEqual(["13", "grpc: failed to decompress the received message: 2 bytes are no run"]);
  });

  test("of a unary call is not inflated before it is complete", () => {
    const { clock, peer, compressor } = startCall("/x.Y/Echo");
    peer.send(peer.data(1, compressed(run(7, 60_000))));
    clock.advance(1000);
    expect(compressor.runningMax).toBe(0);
    peer.send(peer.data(1, new Uint8Array(0), end));
    clock.advance(1000);
    expect([peer.status(1), peer.dataBytes(1)]).toEqual(["0", 60_005]);
  });

  test("that is reset while it is inflated leaves no job", () => {
    const { clock, peer, compressor, server } = startCall("/x.Y/Echo");
    peer.send(peer.data(1, compressed(run(7, 3)), end));
    clock.advance(5);
    expect(compressor.running).toBe(1);
    peer.stream.destroy();
    clock.advance(5);
    expect([compressor.running, server.counters.handlersRunning, server.counters.callsByStatus[1]]).toEqual([0, 0, 1]);
  });

  test("in another encoding gets UNIMPLEMENTED with the encodings that there are", () => {
    const { clock, peer } = startCall("/x.Y/Echo", [["grpc-encoding", "snappy"]]);
    clock.settle();
    expect(peer.ofStream(1)[0]?.headers).toMatchObject({ "grpc-status": "12", "grpc-accept-encoding": "identity,run" });
  });

  test("with the flag but without an encoding gets INTERNAL", () => {
    const { clock, peer } = startCall("/x.Y/Echo", []);
    peer.send(peer.data(1, compressed(run(7, 3)), end));
    clock.settle();
    expect(peer.status(1)).toBe("13");
  });
});

describe("answers", () => {
  const accepting = [["grpc-accept-encoding", "identity,run"]] as const;
  const answerOf = (peer: RawPeer): (string | null | number)[] => [
    peer.status(1),
    peer.ofStream(1)[0]?.headers["grpc-encoding"] ?? null,
    peer.dataBytes(1),
  ];

  test("are compressed for a client that takes them, if that makes them smaller", () => {
    const { clock, peer } = startCall("/x.Y/Echo", accepting);
    peer.send(peer.data(1, grpcMessage(new Uint8Array(2000)), end));
    clock.advance(10);
    expect(answerOf(peer)).toEqual(["0", "run", 9]);
  });

  test("that get no smaller, or are short, go as they are", () => {
    const { clock, peer } = startCall("/x.Y/Echo", accepting);
    peer.send(peer.data(1, grpcMessage(Uint8Array.from({ length: 2000 }, (_, place) => place)), end));
    clock.advance(10);
    expect(answerOf(peer)).toEqual(["0", "run", 2005]);
    peer.send(peer.headers(3, grpcRequestFields("/x.Y/Echo", accepting)), peer.data(3, grpcMessage(new Uint8Array(1000)), end));
    clock.settle();
    expect([peer.status(3), peer.dataBytes(3)]).toEqual(["0", 1005]);
  });

  test("are not compressed for a client that does not say that it takes them", () => {
    const { clock, peer } = startCall("/x.Y/Echo", []);
    peer.send(peer.data(1, grpcMessage(new Uint8Array(2000)), end));
    clock.settle();
    expect(answerOf(peer)).toEqual(["0", null, 2005]);
  });

  test("come in their order, and the status behind them", () => {
    const { clock, peer, dispatcher } = startCall("/x.Y/Many", accepting);
    dispatcher.addStream("/x.Y/Many", (call) => {
      call.setHandlers({ onMessage: () => {}, onEnd: () => {}, onCancel: () => {}, onDrain: () => {} });
      for (const size of [3000, 1, 2000]) call.send(new Uint8Array(size));
      call.end();
    });
    peer.send(peer.data(1, new Uint8Array(0), end));
    clock.advance(10);
    expect(peer.summary().slice(1)).toEqual(["DATA 1 9 bytes", "DATA 1 6 bytes"]);
    clock.advance(10);
    expect(peer.summary().slice(3)).toEqual(["DATA 1 9 bytes", "HEADERS 1 grpc-status=0 END"]);
  });

  test("that wait for the compressor stop their handler, and are lost with a client that cancels", () => {
    const { clock, peer, dispatcher, compressor } = startCall("/x.Y/Many", accepting);
    const room: boolean[] = [];
    let drains = 0;
    let current: StreamCall | null = null;
    dispatcher.addStream("/x.Y/Many", (call) => {
      current = call;
      call.setHandlers({ onMessage: () => {}, onEnd: () => {}, onCancel: () => {}, onDrain: () => drains++ });
      for (let count = 0; count < 3; count++) room.push(call.send(new Uint8Array(30_000)));
    });
    clock.settle();
    expect([room, drains]).toEqual([[true, true, false], 0]);
    clock.advance(20);
    expect([drains, peer.dataBytes(1)]).toEqual([1, 18]);
    (current as StreamCall | null)?.send(new Uint8Array(30_000));
    peer.stream.destroy();
    clock.settle();
    expect(compressor.running).toBe(0);
  });
});

describe("between our client and our server", () => {
  function connect(options: { readonly serverKnows: boolean }) {
    const clock = new ManualClock();
    // Later messages are done sooner, so that what is not kept in order shows.
    let left = 1000;
    const compressor = new RunCompressor({ clock, delayMs: () => left-- / 100 });
    const fixture = startServer({ clock, ...(options.serverKnows ? { compression: compressor } : {}) });
    const channel = new Channel({ connect: fixture.connect, authority: "test", clock, compression: compressor });
    return { ...fixture, channel, compressor };
  }

  test("unary messages are compressed both ways, and not if the call says so", async () => {
    const { clock, channel, server } = connect({ serverKnows: true });
    const call = async (options: CallOptions): Promise<[number, number]> => {
      const before = server.counters.bytesReceived;
      const answer = channel.unary("/x.Y/Echo", new Uint8Array(50_000), options);
      for (let step = 0; step < 20; step++) {
        await clock.settleAsync();
        clock.advance(10);
      }
      return [(await answer).length, server.counters.bytesReceived - before];
    };
    const [length, bytes] = await call({});
    expect([length, bytes < 1000]).toEqual([50_000, true]);
    const [plainLength, plainBytes] = await call({ uncompressed: true });
    expect([plainLength, plainBytes > 50_000]).toEqual([50_000, true]);
    void channel.close();
    await clock.settleAsync();
  });

  test("a stream's messages keep their order in both directions, whatever the compressor takes", async () => {
    const { clock, channel, dispatcher } = connect({ serverKnows: true });
    dispatcher.addStream("/x.Y/Chat", (call) => {
      call.setHandlers({
        onMessage: (message) => void call.send(message),
        onEnd: () => call.end(),
        onCancel: () => {},
        onDrain: () => {},
      });
    });
    const sizes = Array.from({ length: 60 }, (_, place) => (place % 3 === 0 ? place : 1024 + place * 100));
    const seen: number[] = [];
    let error: RpcError | null | undefined;
    // Sent before there is a connection, and before anything is compressed.
    const call = channel.stream("/x.Y/Chat", {
      onMetadata: () => {},
      onMessage: (message) => seen.push(message.length),
      onDrain: () => {},
      onClose: (reason) => (error = reason),
    });
    for (const size of sizes) call.send(new Uint8Array(size).fill(3));
    call.end();
    for (let step = 0; step < 400; step++) {
      await clock.settleAsync();
      clock.advance(10);
    }
    expect([seen, error]).toEqual([sizes, null]);
    void channel.close();
    await clock.settleAsync();
  });

  test("a server that does not know the encoding answers UNIMPLEMENTED", async () => {
    const { clock, channel } = connect({ serverKnows: false });
    const answer = channel.unary("/x.Y/Echo", new Uint8Array(50_000)).catch((error: unknown) => error);
    for (let step = 0; step < 5; step++) {
      await clock.settleAsync();
      clock.advance(10);
    }
    expect(await answer).toMatchObject({ code: 12 });
    void channel.close();
    await clock.settleAsync();
  });
});
