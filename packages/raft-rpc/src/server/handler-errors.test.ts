import { expect, test } from "vitest";
import { Flag } from "../http2/frame.ts";
import { ascii, frameBytes, grpcMessage, grpcRequestFields, type RawPeer, uint32 } from "../testing/raw-peer.ts";
import { startServer } from "../testing/server-fixture.ts";
import type { StreamCall, StreamCallHandlers, UnaryCall } from "./call.ts";

const path = "/x.Y/Throw";
const echo = "/x.Y/Echo";
const message = grpcMessage(ascii("hello"));

function fail(): never {
  throw new TypeError("broken");
}

const nothing: StreamCallHandlers = {
  onMessage: () => undefined,
  onEnd: () => undefined,
  onCancel: () => undefined,
  onDrain: () => undefined,
};

test.each<[string, string | null, (call: StreamCall) => void, (peer: RawPeer) => Uint8Array[]]>([
  ["the handler of the call", "2", fail, () => []],
  ["onMessage", "2", (call) => call.setHandlers({ ...nothing, onMessage: fail }), (peer) => [peer.data(1, message)]],
  [
    "onMessage, with more messages in the frame",
    "2",
    (call) => call.setHandlers({ ...nothing, onMessage: fail }),
    (peer) => [peer.data(1, Uint8Array.of(...message, ...message, ...message), Flag.END_STREAM)],
  ],
  ["onEnd", "2", (call) => call.setHandlers({ ...nothing, onEnd: fail }), (peer) => [peer.data(1, message, Flag.END_STREAM)]],
  [
    "onDrain",
    "2",
    (call) => {
      call.setHandlers({ ...nothing, onDrain: fail });
      while (call.send(new Uint8Array(10_000)));
    },
    () => [1, 0].map((streamId) => frameBytes(8, 0, streamId, uint32(1_000_000))),
  ],
  ["onCancel", null, (call) => call.setHandlers({ ...nothing, onCancel: fail }), () => [frameBytes(3, 0, 1, uint32(8))]],
])("%s of a stream that throws ends only its own call, once, and is reported", (_, status, handler, frames) => {
  const { clock, startedPeer, dispatcher, reports, server } = startServer();
  dispatcher.addStream(path, handler);
  const waiting: UnaryCall[] = [];
  dispatcher.addUnary("/x.Y/Wait", (_request, call) => waiting.push(call));
  const peer = startedPeer();
  peer.send(peer.headers(1, grpcRequestFields(path)), ...peer.unary(3, "/x.Y/Wait", ascii("a")));
  clock.settle();
  peer.send(...frames(peer), ...peer.unary(5, echo, ascii("a")));
  clock.settle();
  expect([peer.status(1), reports, server.counters.handlerFailures]).toEqual([status, [`${path}: broken`], 1]);
  expect(peer.frames.filter((frame) => frame.streamId === 1 && frame.headers["grpc-status"] !== undefined)).toHaveLength(
    status === null ? 0 : 1,
  );
  waiting[0]?.respond(ascii("b"));
  clock.settle();
  expect([peer.status(3), peer.status(5), peer.goaway, peer.closed]).toEqual(["0", "0", null, false]);
  expect([server.counters.handlersRunning, server.counters.streamsOpen]).toEqual([0, 0]);
});

test("onCancel of a unary call that throws is reported, and nothing else is harmed", () => {
  const { clock, startedPeer, dispatcher, reports } = startServer();
  dispatcher.addUnary(path, (_message, call) => {
    call.onCancel = fail;
  });
  const peer = startedPeer();
  peer.send(...peer.unary(1, path, ascii("a")), frameBytes(3, 0, 1, uint32(8)), ...peer.unary(3, echo, ascii("a")));
  clock.settle();
  expect([reports, peer.status(3), peer.goaway]).toEqual([[`${path}: broken`], "0", null]);
});
