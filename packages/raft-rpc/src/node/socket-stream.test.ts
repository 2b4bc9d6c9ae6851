import { once } from "node:events";
import { connect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { clientPreface, Flag, FrameType } from "../http2/frame.ts";
import { Dispatcher } from "../server/dispatcher.ts";
import { RpcServer } from "../server/rpc-server.ts";
import { ascii, frameBytes, grpcMessage, grpcRequestFields, headerBlock } from "../testing/raw-peer.ts";
import { SystemClock } from "./system-clock.ts";
import { listenTcp, type TcpListener } from "./tcp.ts";

const { DATA, HEADERS, SETTINGS } = FrameType;
const dispatcher = new Dispatcher().addUnary("/x.Y/Echo", (message, call) => call.respond(message));
let server: RpcServer;
let listener: TcpListener;

afterEach(async () => {
  listener.close();
  await server.close(0);
});

/** What a client gets that sends this, ends its side, and waits for the end of the other. */
async function answerTo(...pieces: readonly Uint8Array[]): Promise<Buffer> {
  server = new RpcServer({ dispatcher, clock: new SystemClock() });
  listener = await listenTcp({ host: "127.0.0.1", port: 0 }, (stream) => server.accept(stream));
  const socket = connect({ ...listener.address, allowHalfOpen: true });
  const received: Buffer[] = [];
  socket.on("data", (chunk) => received.push(chunk));
  socket.end(Buffer.concat(pieces));
  await once(socket, "end");
  socket.destroy();
  return Buffer.concat(received);
}

test("a client that ends its side with its request gets the answer, then the end", async () => {
  const request = [
    frameBytes(HEADERS, Flag.END_HEADERS, 1, headerBlock(grpcRequestFields("/x.Y/Echo"))),
    frameBytes(DATA, Flag.END_STREAM, 1, grpcMessage(ascii("hello"))),
  ];
  const answer = await answerTo(clientPreface, frameBytes(SETTINGS, 0, 0, []), ...request);
  expect(answer.includes("hello")).toBe(true);
});

test.each([
  ["nothing", []],
  ["half a preface", [clientPreface.subarray(0, 10)]],
  ["half a frame", [clientPreface, frameBytes(SETTINGS, 0, 0, [0, 3, 0, 0, 0, 1]).subarray(0, 12)]],
])("a client that ends its side after %s gets the end", async (_what, pieces) => {
  await answerTo(...pieces);
  await expect.poll(() => server.counters.connectionsOpen).toBe(0);
});
