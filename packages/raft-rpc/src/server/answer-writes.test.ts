import { expect, test } from "vitest";
import type { ByteStream, ByteStreamHandlers } from "../byte-stream.ts";
import { clientOpening, echoPath, joined } from "../conformance/attacks/frame-floods.ts";
import { Flag, FrameType } from "../http2/frame.ts";
import { ascii, frameBytes, grpcMessage, grpcRequestFields, headerBlock } from "../testing/raw-peer.ts";
import { startServer } from "../testing/server-fixture.ts";
import type { UnaryCall } from "./call.ts";

const { DATA, HEADERS, PING } = FrameType;

/** Keeps what a server writes, each write by itself. */
class WrittenStream implements ByteStream {
  readonly remoteAddress = "client:1";
  readonly writes: Uint8Array[] = [];
  handlers: ByteStreamHandlers | null = null;

  setHandlers(handlers: ByteStreamHandlers): void {
    this.handlers = handlers;
  }

  write(bytes: Uint8Array): boolean {
    this.writes.push(bytes);
    return true;
  }

  pause(): void {
    // What the test sends is short.
  }

  resume(): void {
    // As above.
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    this.handlers?.onClose(null);
  }
}

function unary(streamId: number, path: string): Uint8Array {
  const begin = frameBytes(HEADERS, Flag.END_HEADERS, streamId, headerBlock(grpcRequestFields(path)));
  return joined(begin, frameBytes(DATA, Flag.END_STREAM, streamId, grpcMessage(ascii(`call ${streamId}`))));
}

test("calls that are answered at once leave in one write, before the turn ends; all else at its end, in one write, too", () => {
  const { clock, dispatcher, server } = startServer();
  const later: UnaryCall[] = [];
  dispatcher.addUnary("/x.Y/Later", (_message, call) => later.push(call));
  const stream = new WrittenStream();
  server.accept(stream);
  stream.handlers?.onData(clientOpening());
  clock.settle();
  stream.writes.length = 0;

  stream.handlers?.onData(joined(unary(1, echoPath), unary(3, echoPath), unary(5, echoPath)));
  expect(
    stream.writes.map((bytes) =>
      Buffer.from(bytes)
        .toString()
        .match(/call \d/g),
    ),
  ).toEqual([["call 1", "call 3", "call 5"]]);
  clock.settle();
  expect(stream.writes.length).toBe(1);

  stream.handlers?.onData(joined(frameBytes(PING, 0, 0, new Uint8Array(8)), unary(7, "/x.Y/Later"), unary(9, "/x.Y/Later")));
  for (const call of later) call.respond(ascii("late"));
  expect(stream.writes.length).toBe(1);
  clock.settle();
  expect(stream.writes.length).toBe(2);
});
