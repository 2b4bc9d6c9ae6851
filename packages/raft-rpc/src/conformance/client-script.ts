import { Channel, type ChannelOptions } from "../client/channel.ts";
import { Flag, FrameType } from "../http2/frame.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { MemoryStream } from "../testing/memory-stream.ts";
import { ascii, frameBytes, grpcMessage, headerBlock, RawPeer } from "../testing/raw-peer.ts";

export const responseFields = [
  [":status", "200"],
  ["content-type", "application/grpc"],
] as const;

const responseBlock = headerBlock(responseFields);
const okBlock = headerBlock([["grpc-status", "0"]]);

/** The parts of a response, on the stream of the call. */
export const responseHeaders: Uint8Array = frameBytes(FrameType.HEADERS, Flag.END_HEADERS, 1, responseBlock);
export const responseMessage: Uint8Array = frameBytes(FrameType.DATA, 0, 1, grpcMessage(ascii("hi")));
export const okTrailers: Uint8Array = frameBytes(FrameType.HEADERS, Flag.END_HEADERS | Flag.END_STREAM, 1, okBlock);
export const wholeResponse: readonly Uint8Array[] = [responseHeaders, responseMessage, okTrailers];

/** SETTINGS, and the ACK of the client's. */
const serverPreface: readonly Uint8Array[] = [frameBytes(FrameType.SETTINGS, 0, 0, []), frameBytes(FrameType.SETTINGS, Flag.ACK, 0, [])];

/** A channel whose server is scripted: the calls that it makes, and what became of them. */
export class ScriptedServer {
  readonly clock = new ManualClock();
  /** One per connection; each has sent its preface. */
  readonly connections: RawPeer[] = [];
  readonly results: string[] = [];
  readonly channel: Channel;

  readonly #preface: readonly Uint8Array[];

  constructor(options: Partial<ChannelOptions> = {}, preface: readonly Uint8Array[] = serverPreface) {
    this.#preface = preface;
    this.channel = new Channel({ connect: () => Promise.resolve(this.#accept()), authority: "test", clock: this.clock, ...options });
  }

  /** A unary call; `done` is told its result, as `OK answer` or `CODE retryable`. */
  call(done: (result: string) => void = () => undefined, body = ascii("hello")): void {
    this.channel.request("/x.Y/Echo", body, (error, answer) => {
      const result = error === null ? `OK ${String.fromCharCode(...(answer ?? []))}` : `${error.codeName} ${error.retryable}`;
      this.results.push(result);
      done(result);
    });
  }

  /** The newest connection. */
  async connection(): Promise<RawPeer> {
    await this.clock.settleAsync();
    const newest = this.connections.at(-1);
    if (newest === undefined) throw new Error("No connection was made");
    return newest;
  }

  #accept(): MemoryStream {
    const [client, accepted] = MemoryStream.pair({ clock: this.clock });
    const server = new RawPeer(accepted, "server");
    server.send(...this.#preface);
    this.connections.push(server);
    return client;
  }
}

/**
 * What a client made of these frames while its call was on stream 1: `connection CODE`, `stream CODE`, or the result of the call, `open` if
 * it has none yet. Whatever is no error of the connection must leave it serving.
 */
export async function clientOutcome(frames: readonly Uint8Array[]): Promise<string> {
  const script = new ScriptedServer();
  script.call();
  const server = await script.connection();
  server.send(...frames);
  await script.clock.settleAsync();
  if (server.goaway !== null) return server.closed ? `connection ${server.goaway}` : "GOAWAY without closing";
  const [result = "open"] = script.results;
  script.call();
  await script.clock.settleAsync();
  const probe = server.frames.findLast((seen) => seen.type === "HEADERS")?.streamId ?? 0;
  if (probe === 1 || script.connections.length > 1) return "no second call on the connection";
  for (const part of wholeResponse) {
    const copy = part.slice();
    copy[8] = probe;
    server.send(copy);
  }
  await script.clock.settleAsync();
  if (script.results.at(-1) !== "OK hi") return `second call: ${script.results.at(-1)}`;
  const reset = server.reset(1);
  return reset === null || result.startsWith("OK") ? result : `stream ${reset}`;
}
