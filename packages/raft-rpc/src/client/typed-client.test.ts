import { describe, expect, test } from "vitest";
import { Metadata } from "../grpc/metadata.ts";
import { RpcError } from "../grpc/rpc-error.ts";
import { defineService } from "../grpc/service-definition.ts";
import { StatusCode } from "../grpc/status.ts";
import type { CallContext, ServiceImpl } from "../server/service-impl.ts";
import { echoService, textCodec } from "../testing/echo-service.ts";
import { type ServerFixture, startServer } from "../testing/server-fixture.ts";
import { Channel } from "./channel.ts";
import { type Client, createClient, type TypedCallOptions } from "./typed-client.ts";

interface Pair extends ServerFixture {
  readonly channel: Channel;
  readonly client: Client<typeof echoService>;
  /** Lets everything run until `promise` is settled. */
  finish<T>(promise: Promise<T>): Promise<T>;
}

const implementation: ServiceImpl<typeof echoService> = {
  say: (request) => request,
  async collect(requests) {
    const all: string[] = [];
    for await (const request of requests) all.push(request);
    return all.join(" ");
  },
  async *spell(request) {
    for (const letter of request) yield letter;
  },
  async *chat(requests) {
    for await (const request of requests) yield `${request}!`;
  },
  copy: (request) => request,
};

function start(impl: ServiceImpl<typeof echoService> = implementation, options: Parameters<typeof startServer>[0] = {}): Pair {
  const fixture = startServer(options);
  fixture.dispatcher.add(echoService, impl);
  const channel = new Channel({ connect: fixture.connect, authority: "test", clock: fixture.clock });
  return {
    ...fixture,
    channel,
    client: createClient(echoService, channel),
    async finish(promise) {
      let done = false;
      const watched = promise.finally(() => (done = true));
      watched.catch(() => undefined);
      for (let round = 0; round < 1000 && !done; round++) await fixture.clock.settleAsync();
      if (!done) throw new Error("The call does not end");
      return watched;
    },
  };
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const seen: T[] = [];
  for await (const item of items) seen.push(item);
  return seen;
}

async function failure(promise: Promise<unknown>): Promise<RpcError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof RpcError) return error;
    throw error;
  }
  throw new Error("The call succeeded");
}

describe.each<[string, Parameters<typeof startServer>[0]]>([
  ["usual limits", {}],
  ["a byte at a time", { stream: { cut: () => 1 } }],
  [
    "small windows and a slow stream",
    { limits: { streamWindowBytes: 7 }, stream: { highWaterBytes: 64, cut: (available) => Math.min(available, 33) } },
  ],
])("all kinds of calls with %s", (_, options) => {
  test("unary", async () => {
    const { client, finish } = start(implementation, options);
    expect(await finish(client.say("hello"))).toBe("hello");
    expect(await finish(client.say(""))).toBe("");
  });

  test("client streaming", async () => {
    const { client, finish } = start(implementation, options);
    expect(await finish(client.collect(["a", "bc", "", "d".repeat(50)]))).toBe(`a bc  ${"d".repeat(50)}`);
    expect(await finish(client.collect([]))).toBe("");
  });

  test("server streaming", async () => {
    const { client, finish } = start(implementation, options);
    expect(await finish(all(client.spell("raft")))).toEqual(["r", "a", "f", "t"]);
    expect(await finish(all(client.spell("")))).toEqual([]);
  });

  test("bidirectional, with requests that depend on responses", async () => {
    const { client, finish } = start(implementation, options);
    let give: (text: string) => void = () => undefined;
    async function* requests(): AsyncGenerator<string> {
      yield "1";
      for (let round = 0; round < 3; round++) yield await new Promise<string>((resolve) => (give = resolve));
    }
    const seen: string[] = [];
    const done = (async () => {
      for await (const response of client.chat(requests())) {
        seen.push(response);
        give(String(seen.length + 1));
      }
    })();
    await finish(done);
    expect(seen).toEqual(["1!", "2!", "3!", "4!"]);
  });

  test("messages larger than every window", async () => {
    const { client, finish } = start(implementation, options);
    const large = new Uint8Array(3_000).map((_octet, place) => place);
    expect(await finish(client.copy(large))).toEqual(large);
  });
});

test("a message of 2 MiB passes both ways, one of a byte more does not", async () => {
  const { client, finish } = start();
  const large = new Uint8Array(2 * 1024 * 1024).fill(7);
  expect((await finish(client.copy(large))).length).toBe(large.length);
  const error = await failure(finish(client.copy(new Uint8Array(large.length + 1))));
  expect([error.code, error.message]).toEqual([
    StatusCode.RESOURCE_EXHAUSTED,
    "grpc: received message larger than max (2097153 vs. 2097152)",
  ]);
});

test("many calls share one connection", async () => {
  const { client, finish, server } = start();
  const texts = Array.from({ length: 3000 }, (_, place) => `call ${place}`);
  expect(await finish(Promise.all(texts.map((text) => client.say(text))))).toEqual(texts);
  // More than the server allows at a time: the rest waited, none was refused.
  expect([server.counters.connectionsAccepted, server.counters.refusals]).toEqual([1, 0]);
});

test("metadata travels in all four directions", async () => {
  let seen: string | undefined;
  const { client, finish } = start({
    say(request, call) {
      seen = call.metadata.get("token");
      call.sendMetadata(Metadata.of({ "x-first": "1", "x-raw-bin": Uint8Array.of(0, 255, 128) }));
      call.trailers.append("x-last", "2");
      return request;
    },
  });
  const got: string[] = [];
  const options: TypedCallOptions = {
    metadata: Metadata.of({ token: "abc" }),
    onMetadata: (metadata) => got.push(`${metadata.get("x-first")} ${metadata.getBytes("x-raw-bin")?.join()}`),
    onTrailers: (trailers) => got.push(String(trailers.get("x-last"))),
  };
  expect(await finish(client.say("hi", options))).toBe("hi");
  expect([seen, got]).toEqual(["abc", ["1 0,255,128", "2"]]);
});

describe("errors", () => {
  test.each<[string, (client: Client<typeof echoService>) => Promise<unknown>]>([
    ["unary", (client) => client.say("x")],
    ["clientStreaming", (client) => client.collect(["x"])],
    ["serverStreaming", (client) => all(client.spell("x"))],
    ["bidirectional", (client) => all(client.chat(["x"]))],
  ])("of a %s handler come with code, message and trailers", async (_, call) => {
    const error = new RpcError(StatusCode.NOT_FOUND, "no ☺ here", { metadata: Metadata.of({ "x-why": "gone" }) });
    const throwing = (): never => {
      throw error;
    };
    const { client, finish } = start({ say: async () => throwing(), collect: async () => throwing(), spell: throwing, chat: throwing });
    const seen = await failure(finish(call(client)));
    expect([seen.code, seen.message, seen.metadata.get("x-why"), seen.retryable]).toEqual([
      StatusCode.NOT_FOUND,
      "no ☺ here",
      "gone",
      "never",
    ]);
  });

  test("of a method that is not implemented are UNIMPLEMENTED", async () => {
    const { client, finish } = start();
    const seen = await failure(finish(client.missing("x")));
    expect([seen.code, seen.message]).toEqual([StatusCode.UNIMPLEMENTED, "unknown method Missing for service test.Echo"]);
  });

  test("of a request that cannot be decoded are INTERNAL, and the handler is not called", async () => {
    const { channel, finish } = start();
    const seen = await failure(finish(channel.unary("/test.Echo/Say", Uint8Array.of(0xff))));
    expect(seen.code).toBe(StatusCode.INTERNAL);
    expect(seen.message).toMatch(/^grpc: error unmarshalling request: /);
  });

  test("of a handler that throws anything are UNKNOWN without its words", async () => {
    const { client, finish, reports } = start({
      say: () => Promise.reject(new Error("secret")),
    });
    const seen = await failure(finish(client.say("x")));
    expect([seen.code, seen.message, reports]).toEqual([StatusCode.UNKNOWN, "handler failed", ["/test.Echo/Say: secret"]]);
  });

  test("of a request that cannot be encoded fail before the call begins", async () => {
    const { channel, finish } = start();
    const broken = {
      encode(): never {
        throw new RangeError("too odd");
      },
      decode: textCodec.decode,
    };
    const service = defineService({
      typeName: "test.Echo",
      methods: { say: { name: "Say", kind: "unary", request: broken, response: textCodec } },
    });
    const odd = createClient(service, channel);
    for (const options of [{}, { onTrailers: () => undefined }]) {
      const seen = await failure(finish(odd.say("x", options)));
      expect([seen.code, seen.message]).toEqual([StatusCode.INTERNAL, "Request cannot be encoded: too odd"]);
    }
    expect(channel.state.kind).toBe("idle");
  });

  test("of a generator of requests end the call on both sides", async () => {
    let ended = "";
    const { client, finish } = start({
      async collect(requests) {
        try {
          for await (const request of requests) ended += request;
        } catch (error) {
          ended += RpcError.from(error).codeName;
        }
        return "";
      },
    });
    async function* broken(): AsyncGenerator<string> {
      yield "a ";
      throw new Error("no more");
    }
    const seen = await failure(finish(client.collect(broken())));
    await finish(Promise.resolve());
    expect([seen.code, seen.message, ended]).toEqual([StatusCode.UNKNOWN, "no more", "a CANCELLED"]);
  });
});

describe("deadlines and cancellation", () => {
  const never: ServiceImpl<typeof echoService> = {
    say: (_request, call) => new Promise((_resolve, reject) => call.signal.addEventListener("abort", () => reject(new Error("aborted")))),
    async *spell(_request: string, call: CallContext) {
      yield "first";
      await new Promise<void>((resolve) => call.signal.addEventListener("abort", () => resolve()));
    },
  };

  test("a deadline fails the call with 4 and aborts the handler's signal", async () => {
    const { client, finish, clock, server, reports } = start(never);
    const call = failure(client.say("x", { timeoutMs: 100 }));
    await clock.settleAsync();
    expect(server.counters.handlersRunning).toBe(1);
    clock.advance(120);
    const seen = await finish(call);
    await finish(Promise.resolve());
    expect([seen.code, seen.retryable]).toEqual([StatusCode.DEADLINE_EXCEEDED, "maybe-applied"]);
    expect([server.counters.handlersRunning, server.counters.streamsOpen, reports]).toEqual([0, 0, ["/test.Echo/Say: aborted"]]);
  });

  test("an AbortSignal cancels a unary call", async () => {
    const { client, finish, clock, server } = start(never);
    const controller = new AbortController();
    const call = failure(client.say("x", { signal: controller.signal }));
    await clock.settleAsync();
    controller.abort();
    expect((await finish(call)).code).toBe(StatusCode.CANCELLED);
    await finish(Promise.resolve());
    expect([server.counters.handlersRunning, server.counters.resetsReceived]).toEqual([0, 1]);
  });

  test("a signal that has aborted before cancels at once", async () => {
    const { client, finish } = start(never);
    const call = failure(client.say("x", { signal: AbortSignal.abort() }));
    expect((await finish(call)).code).toBe(StatusCode.CANCELLED);
  });

  test("leaving the loop over responses cancels the call", async () => {
    const { client, finish, server } = start(never);
    const seen: string[] = [];
    await finish(
      (async () => {
        for await (const response of client.spell("x")) {
          seen.push(response);
          break;
        }
      })(),
    );
    await finish(Promise.resolve());
    expect([seen, server.counters.streamsOpen, server.counters.handlersRunning]).toEqual([["first"], 0, 0]);
  });

  test("a reader that stops stops the handler, not the connection", async () => {
    let produced = 0;
    const { client, finish, clock } = start({
      ...implementation,
      async *spell() {
        for (; produced < 1000; produced++) yield "x".repeat(10_000);
      },
    });
    const responses = client.spell("go");
    expect((await finish(responses.next())).value?.length).toBe(10_000);
    await clock.settleAsync();
    const stopped = produced;
    // One window of a mebibyte and the queue: not everything.
    expect(stopped).toBeLessThan(200);
    expect(await finish(client.say("still here"))).toBe("still here");
    let rest = 1;
    await finish(
      (async () => {
        for await (const _ of responses) rest++;
      })(),
    );
    expect(rest).toBe(1000);
  });
});

test("the server closes after running calls ended, and the channel connects again", async () => {
  let release: () => void = () => undefined;
  const { client, finish, server, clock, channel } = start({
    ...implementation,
    say: async (request) => {
      if (request === "wait") await new Promise<void>((resolve) => (release = resolve));
      return request;
    },
  });
  const waiting = client.say("wait");
  await clock.settleAsync();
  const closed = server.close(10_000);
  await clock.settleAsync();
  expect(channel.state.kind).toBe("idle");
  release();
  expect(await finish(waiting)).toBe("wait");
  await finish(closed);
  expect(server.counters.connectionsOpen).toBe(0);
});

test("what runs after the grace period ends with 14", async () => {
  const { client, finish, server, clock } = start({ say: () => new Promise(() => undefined) });
  const call = failure(client.say("x"));
  await clock.settleAsync();
  const closed = server.close(500);
  await clock.settleAsync();
  clock.advance(510);
  const seen = await finish(call);
  await finish(closed);
  expect([seen.code, seen.message]).toEqual([StatusCode.UNAVAILABLE, "server is shutting down"]);
});
