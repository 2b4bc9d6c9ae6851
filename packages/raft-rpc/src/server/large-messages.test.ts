import { describe, expect, test } from "vitest";
import { Channel } from "../client/channel.ts";
import { Flag, FrameType, readUint32 } from "../http2/frame.ts";
import { ascii, frameBytes, grpcMessage, grpcRequestFields, type RawPeer, uint32 } from "../testing/raw-peer.ts";
import { startServer } from "../testing/server-fixture.ts";

const echo = "/x.Y/Echo";
const megabyte = 1_000_000;
const windowBytes = 64 * 1024;
const prefix = Uint8Array.of(0, ...uint32(megabyte));

/** What the server has granted to the stream beyond the window it opened with. */
function granted(peer: RawPeer, streamId: number): number {
  const updates = peer.ofStream(streamId).filter((frame) => frame.type === "WINDOW_UPDATE");
  return updates.reduce((sum, frame) => sum + readUint32(frame.payload, 0), 0);
}

/** Opens a call and declares a message of a megabyte. */
function begin(peer: RawPeer, streamId: number): void {
  peer.send(peer.headers(streamId, grpcRequestFields(echo)), peer.data(streamId, prefix));
}

/** Sends what is left of the message, `sent` octets of which have left. */
function complete(peer: RawPeer, streamId: number, sent = 0): void {
  for (let at = sent; at < megabyte; at += 16_000) {
    const count = Math.min(16_000, megabyte - at);
    peer.send(peer.data(streamId, new Uint8Array(count), at + count === megabyte ? Flag.END_STREAM : 0));
  }
}

const ids = (count: number): number[] => Array.from({ length: count }, (_, place) => 1 + 2 * place);

describe("messages larger than the stream's window", () => {
  test("that do not fit together wait for window, and get it in order as others are complete", () => {
    const { clock, startedPeer } = startServer({ limits: { partialMessageBytesMax: 2.5 * megabyte } });
    const peer = startedPeer();
    for (const id of ids(4)) begin(peer, id);
    clock.settle();
    const whole = megabyte + 5 - windowBytes;
    expect(ids(4).map((id) => granted(peer, id))).toEqual([whole, whole, 0, 0]);
    complete(peer, 3);
    clock.settle();
    expect([...ids(4).map((id) => granted(peer, id)), peer.dataBytes(3)]).toEqual([whole, whole, whole, 0, windowBytes - 1]);
    complete(peer, 1);
    complete(peer, 5);
    clock.settle();
    complete(peer, 7);
    peer.send(frameBytes(FrameType.WINDOW_UPDATE, 0, 0, uint32(10 * megabyte)));
    for (const id of ids(4)) peer.send(frameBytes(FrameType.WINDOW_UPDATE, 0, id, uint32(megabyte)));
    clock.settle();
    expect(ids(4).map((id) => peer.status(id))).toEqual(["0", "0", "0", "0"]);
  });

  test("keep what came while they waited", () => {
    const { clock, startedPeer, dispatcher } = startServer({ limits: { partialMessageBytesMax: megabyte } });
    const sums: number[] = [];
    dispatcher.addUnary("/x.Y/Sum", (message, call) => {
      sums.push(message.reduce((sum, octet) => sum + octet, 0));
      call.respond(new Uint8Array(0));
    });
    const peer = startedPeer();
    begin(peer, 1);
    peer.send(peer.headers(3, grpcRequestFields("/x.Y/Sum")), peer.data(3, prefix));
    for (let count = 0; count < 4; count++) peer.send(peer.data(3, new Uint8Array(16_000).fill(1)));
    clock.settle();
    expect(granted(peer, 3)).toBe(0);
    complete(peer, 1);
    clock.settle();
    expect(granted(peer, 3)).toBe(megabyte + 5 - windowBytes);
    complete(peer, 3, 64_000);
    clock.settle();
    expect(sums).toEqual([64_000]);
  });

  test("that are given up leave the line and their share to others", () => {
    const { clock, startedPeer } = startServer({ limits: { partialMessageBytesMax: megabyte } });
    const peer = startedPeer();
    for (const id of ids(4)) begin(peer, id);
    peer.send(frameBytes(FrameType.RST_STREAM, 0, 3, uint32(8)), frameBytes(FrameType.RST_STREAM, 0, 1, uint32(8)));
    clock.settle();
    expect(ids(4).map((id) => granted(peer, id) > 0)).toEqual([true, false, true, false]);
  });
});

test("a client that begins many large messages and completes none stalls only them", () => {
  const limits = { partialMessageBytesMax: 8 * megabyte };
  const { clock, startedPeer, server } = startServer({ limits });
  const peer = startedPeer();
  const count = 300;
  for (const id of ids(count)) begin(peer, id);
  clock.settle();
  const grants = ids(count).map((id) => granted(peer, id));
  const acceptedBytes = grants.reduce((sum, bytes) => sum + windowBytes + bytes, 0);
  expect(acceptedBytes).toBeLessThanOrEqual(count * windowBytes + limits.partialMessageBytesMax);
  // What fits into a window needs nobody's leave, on this connection too.
  peer.send(...peer.unary(1001, echo, ascii("small")));
  peer.send(peer.headers(1003, grpcRequestFields(echo)), peer.data(1003, grpcMessage(new Uint8Array(60_000)).subarray(0, 16_000)));
  for (let at = 16_000; at < 60_005; at += 16_000) {
    const part = new Uint8Array(Math.min(16_000, 60_005 - at));
    peer.send(peer.data(1003, part, at + 16_000 >= 60_005 ? Flag.END_STREAM : 0));
  }
  const other = startedPeer();
  begin(other, 1);
  clock.settle();
  expect([peer.status(1001), peer.status(1003), peer.goaway]).toEqual(["0", "0", null]);
  expect(granted(other, 1)).toBeGreaterThan(0);
  peer.stream.destroy();
  other.stream.destroy();
  clock.settle();
  expect([server.counters.streamsOpen, server.counters.connectionsOpen]).toEqual([0, 0]);
});

test.each<[string, "request" | "response"]>([
  ["requests", "request"],
  ["responses", "response"],
])("200 %s of a megabyte at a time on one connection all arrive, with room for 4 of them", async (_, side) => {
  const limits = { partialMessageBytesMax: 4 * megabyte, connectionQueueBytesMax: 1024 * megabyte, streamWindowBytes: windowBytes };
  const { clock, dispatcher, connect } = startServer({ limits });
  const large = new Uint8Array(megabyte).fill(7);
  const [sent, answered] = side === "request" ? [large, ascii("ok")] : [ascii("ok"), large];
  const sizes = { requests: 0, answers: 0 };
  dispatcher.addUnary("/x.Y/Put", (message, call) => {
    sizes.requests += message.length;
    call.respond(answered);
  });
  const channel = new Channel({ connect, authority: "test", clock, limits });
  const failures: string[] = [];
  for (let count = 0; count < 200; count++) {
    channel.request("/x.Y/Put", sent, (error, answer) => {
      if (error !== null) failures.push(error.message);
      sizes.answers += answer?.length ?? 0;
    });
  }
  await clock.settleAsync();
  expect([failures, sizes]).toEqual([[], { requests: 200 * sent.length, answers: 200 * answered.length }]);
});
