import { expect, test } from "vitest";
import type { RpcError } from "../grpc/rpc-error.ts";
import type { UnaryCall } from "../server/call.ts";
import { echoService } from "../testing/echo-service.ts";
import { ascii } from "../testing/raw-peer.ts";
import { type ServerFixture, startServer } from "../testing/server-fixture.ts";
import { Channel } from "./channel.ts";
import type { ClientStreamHandlers } from "./client-call.ts";
import { createClient } from "./typed-client.ts";

const chat = "/x.Y/Chat";
const wait = "/x.Y/Wait";

function fail(): never {
  throw new TypeError("broken");
}

interface Fixture extends ServerFixture {
  readonly channel: Channel;
  /** What the channel's hook was told. */
  readonly failures: string[];
  /** Calls to /x.Y/Wait, which run until the test answers them. */
  readonly waiting: UnaryCall[];
  /** Streams whose cancellation the server was told. */
  readonly cancelled: string[];
}

/** A channel to a server whose stream answers each message twice, with metadata. */
function start(): Fixture {
  const fixture = startServer();
  const waiting: UnaryCall[] = [];
  const cancelled: string[] = [];
  const failures: string[] = [];
  fixture.dispatcher
    .addUnary(wait, (_message, call) => waiting.push(call))
    .addStream(chat, (call) => {
      call.setHandlers({
        onMessage(message) {
          call.send(message);
          call.send(message);
        },
        onEnd: () => call.end(),
        onCancel: () => cancelled.push(call.path),
        onDrain: () => undefined,
      });
    });
  const channel = new Channel({
    connect: fixture.connect,
    authority: "test",
    clock: fixture.clock,
    onHandlerError: (path, error) => failures.push(`${path}: ${error instanceof Error ? error.message : String(error)}`),
  });
  return { ...fixture, channel, waiting, cancelled, failures };
}

test.each(["onMetadata", "onMessage", "onDrain"] as const)(
  "%s that throws ends its call with INTERNAL, tells onClose once, and leaves other calls alone",
  async (name) => {
    const { channel, clock, waiting, cancelled, failures } = start();
    const results: string[] = [];
    channel.request(wait, ascii("a"), (error, message) => results.push(error?.message ?? String.fromCharCode(...(message ?? []))));
    const closed: (RpcError | null)[] = [];
    let messages = 0;
    const handlers: ClientStreamHandlers = {
      onMetadata: () => undefined,
      onMessage: () => messages++,
      onDrain: () => undefined,
      onClose: (error) => closed.push(error),
      [name]: fail,
    };
    const call = channel.stream(chat, handlers);
    while (call.send(new Uint8Array(10_000)));
    await clock.settleAsync();
    expect(closed.map((error) => [error?.codeName, error?.message])).toEqual([
      ["INTERNAL", `Handler ${name} of call ${chat} failed: broken`],
    ]);
    expect(closed[0]?.cause).toBeInstanceOf(TypeError);
    expect([failures, cancelled]).toEqual([[`${chat}: broken`], [chat]]);
    // After its end the call is deaf, and the connection goes on.
    const before = messages;
    expect(call.send(ascii("more"))).toBe(false);
    waiting[0]?.respond(ascii("fine"));
    await clock.settleAsync();
    expect([results, messages, closed.length, channel.state.kind]).toEqual([["fine"], before, 1, "ready"]);
    expect([channel.counters.handlerFailures, channel.counters.streamsOpen]).toEqual([1, 0]);
  },
);

test("onClose that throws is reported, and leaves other calls alone", async () => {
  const { channel, clock, waiting, failures } = start();
  const results: string[] = [];
  channel.request(wait, ascii("a"), (_error, message) => results.push(String.fromCharCode(...(message ?? []))));
  const call = channel.stream(chat, { onMetadata: () => undefined, onMessage: () => undefined, onDrain: () => undefined, onClose: fail });
  call.end();
  await clock.settleAsync();
  waiting[0]?.respond(ascii("fine"));
  await clock.settleAsync();
  expect([failures, results, channel.state.kind]).toEqual([[`${chat}: broken`], ["fine"], "ready"]);
});

test("done of a unary call that throws is reported, however the call ends, and leaves other calls alone", async () => {
  const { channel, clock, waiting, failures, server } = start();
  const results: string[] = [];
  channel.request(wait, ascii("a"), fail);
  channel.request(wait, ascii("b"), fail).cancel();
  channel.request(wait, ascii("c"), fail, { timeoutMs: 10 });
  channel.request("/x.Y/None", ascii("d"), fail);
  channel.request(wait, ascii("e"), (_error, message) => results.push(String.fromCharCode(...(message ?? []))));
  await clock.settleAsync();
  clock.advance(20);
  for (const call of waiting) call.respond(ascii("fine"));
  await clock.settleAsync();
  expect(failures).toEqual([`${wait}: broken`, "/x.Y/None: broken", `${wait}: broken`, `${wait}: broken`]);
  expect([results, channel.state.kind, server.counters.connectionsOpen]).toEqual([["fine"], "ready", 1]);
});

test("done that throws when the connection is lost does not keep the other calls from being told", async () => {
  const { channel, clock, failures, server } = start();
  const results: string[] = [];
  channel.request(wait, ascii("a"), fail);
  channel.request(wait, ascii("b"), (error) => results.push(error?.codeName ?? "OK"));
  await clock.settleAsync();
  const closed = server.close(0);
  clock.advance(10);
  await clock.settleAsync();
  await closed;
  expect([failures, results, channel.state.kind]).toEqual([[`${wait}: broken`], ["UNAVAILABLE"], "idle"]);
});

test("a typed call whose onMetadata throws is rejected with it; one whose onTrailers throws keeps its result", async () => {
  const { channel, clock, dispatcher, failures } = start();
  dispatcher.add(echoService, {
    say: (request) => request,
    copy: (request) => request,
    collect: async () => "",
    async *spell(request) {
      yield* request;
    },
    async *chat() {
      yield "never";
    },
  });
  const client = createClient(echoService, channel);
  const metadata = client.say("a", { onMetadata: fail });
  const trailers = client.say("b", { onTrailers: fail });
  const results = Promise.allSettled([metadata, trailers]);
  await clock.settleAsync();
  expect(await results).toMatchObject([
    { status: "rejected", reason: { codeName: "INTERNAL", cause: new TypeError("broken") } },
    { status: "fulfilled", value: "b" },
  ]);
  expect(failures).toEqual(["/test.Echo/Say: broken", "/test.Echo/Say: broken"]);
});
