import { expect, test } from "vitest";
import { StatusCode } from "../grpc/status.ts";
import { Flag, FrameType } from "../http2/frame.ts";
import { ascii, frameBytes, grpcMessage, grpcRequestFields, uint32 } from "../testing/raw-peer.ts";
import { startServer } from "../testing/server-fixture.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { MethodCounters } from "./method-counters.ts";

const body = ascii("hello");

function countersOf(dispatcher: Dispatcher, path: string): MethodCounters | undefined {
  return new Map(dispatcher.counters()).get(path);
}

test("a method counts its calls, messages and bytes", () => {
  const { clock, dispatcher, startedPeer } = startServer();
  dispatcher.addStream("/x.Y/Watch", (call) => {
    const onMessage = (): void => {
      call.send(body);
      call.send(body);
    };
    call.setHandlers({ onMessage, onEnd: () => undefined, onCancel: () => undefined, onDrain: () => undefined });
  });
  const peer = startedPeer();
  peer.send(...peer.unary(1, "/x.Y/Echo", body), ...peer.unary(3, "/x.Y/Echo", body));
  peer.send(peer.headers(5, grpcRequestFields("/x.Y/Watch")), peer.data(5, grpcMessage(ascii("go"))));
  clock.settle();
  expect(countersOf(dispatcher, "/x.Y/Echo")).toMatchObject({
    started: 2,
    messagesReceived: 2,
    bytesReceived: 10,
    messagesSent: 2,
    bytesSent: 10,
  });
  expect(countersOf(dispatcher, "/x.Y/Echo")?.handled[StatusCode.OK]).toBe(2);
  const watch = countersOf(dispatcher, "/x.Y/Watch");
  expect(watch).toMatchObject({ started: 1, messagesReceived: 1, bytesReceived: 2, messagesSent: 2, bytesSent: 10 });
  expect(watch?.handled.every((count) => count === 0)).toBe(true);
  peer.send(frameBytes(FrameType.RST_STREAM, 0, 5, uint32(8)));
  clock.settle();
  expect(watch?.handled[StatusCode.CANCELLED]).toBe(1);
});

test("a call that ends by its deadline and is reset then ends once", () => {
  const { clock, dispatcher, startedPeer, server } = startServer();
  dispatcher.addStream("/x.Y/Watch", (call) => {
    call.setHandlers({ onMessage: () => undefined, onEnd: () => undefined, onCancel: () => undefined, onDrain: () => undefined });
  });
  const peer = startedPeer();
  peer.send(peer.headers(1, grpcRequestFields("/x.Y/Watch", [["grpc-timeout", "10m"]]), Flag.END_HEADERS));
  clock.settle();
  clock.advance(50);
  clock.settle();
  peer.send(frameBytes(FrameType.RST_STREAM, 0, 1, uint32(8)));
  clock.settle();
  const handled = countersOf(dispatcher, "/x.Y/Watch")?.handled ?? [];
  expect([handled[StatusCode.DEADLINE_EXCEEDED], handled[StatusCode.CANCELLED]]).toEqual([1, 0]);
  expect(server.counters.callsByStatus[StatusCode.CANCELLED]).toBe(0);
});
