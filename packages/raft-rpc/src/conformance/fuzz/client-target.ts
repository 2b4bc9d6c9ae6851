import { assert } from "../../assert.ts";
import { ClientConnection, type ConnectionOwner } from "../../client/client-connection.ts";
import { type CallOwner, type CallTarget, ClientStream } from "../../client/client-stream.ts";
import { DeadlineWheel } from "../../grpc/deadline-wheel.ts";
import { Http2Counters } from "../../http2/counters.ts";
import { resolveLimits } from "../../limits.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { MemoryStream } from "../../testing/memory-stream.ts";
import { ascii, grpcRequestFields, headerBlock, RawPeer } from "../../testing/raw-peer.ts";
import { serverConversations } from "./corpus/conversations.ts";
import { FrameSequences } from "./frame-sequence.ts";
import type { FuzzTarget } from "./fuzz-run.ts";
import type { SeededRandom } from "./seeded-random.ts";

const cutBytesMax = 100;
const path = "/x.Y/Echo";
const requestBlock = headerBlock(grpcRequestFields(path));
const limits = resolveLimits({ keepaliveMs: Number.POSITIVE_INFINITY });

const connectionOwner: ConnectionOwner = {
  connectionReady: () => undefined,
  connectionHasRoom: () => undefined,
  connectionDrains: () => undefined,
  connectionClosed: () => undefined,
};

/** A whole connection of a client with a unary and a streaming call: each ends once, and the same way however the bytes are cut. */
export class ClientTarget implements FuzzTarget {
  readonly name = "client connection";
  readonly #sequences = new FrameSequences(serverConversations);

  makeInput(random: SeededRandom): Uint8Array {
    return this.#sequences.make(random);
  }

  execute(input: Uint8Array, random: SeededRandom): string {
    const whole = ask(input, () => Number.MAX_SAFE_INTEGER);
    const cut = ask(input, () => 1 + random.below(cutBytesMax));
    assert(whole.join("\n") === cut.join("\n"), `Whole it makes ${whole.join(", ")}, cut it makes ${cut.join(", ")}`);
    return whole.find((line) => line.startsWith("GOAWAY") || line.startsWith("unary")) ?? "open";
  }
}

function ask(input: Uint8Array, cut: () => number): readonly string[] {
  const clock = new ManualClock();
  const [stream, accepted] = MemoryStream.pair({ clock, cut });
  const server = new RawPeer(accepted, "server");
  const counters = new Http2Counters();
  const wheel = new DeadlineWheel(clock);
  const connection = new ClientConnection({ stream, clock, wheel, limits, counters, owner: connectionOwner, keepaliveWithoutCalls: false });
  stream.setHandlers(connection);
  connection.start();
  const lines: string[] = [];
  for (const target of callTargets(lines)) connection.begin(new ClientStream(callOwner(lines), path, target, {}, Infinity), requestBlock);
  server.send(server.settings([]), server.settingsAck(), input);
  clock.settle();
  const sent = server.summary();
  const ended = lines.length;
  stream.destroy();
  clock.settle();
  assert(counters.streamsOpen === 0 && lines.filter((line) => line.includes("ends")).length === 2, "Each call ends once");
  return [...sent, ...lines.slice(0, ended)];
}

function callTargets(lines: string[]): readonly CallTarget[] {
  return [
    {
      kind: "unary",
      request: ascii("hello"),
      done: (error) => lines.push(`unary ends ${error?.codeName ?? "OK"}`),
    },
    {
      kind: "stream",
      handlers: {
        onMetadata: (metadata) => lines.push(`metadata ${metadata.size}`),
        onMessage: (message) => lines.push(`message ${message.length}`),
        onDrain: () => undefined,
        onClose: (error) => lines.push(`stream ends ${error?.codeName ?? "OK"}`),
      },
    },
  ];
}

function callOwner(lines: string[]): CallOwner {
  return {
    compressor: null,
    callEnded: () => undefined,
    handlerFailed: (_path, error) => lines.push(`handler failed: ${String(error)}`),
  };
}
