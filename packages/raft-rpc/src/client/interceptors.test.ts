import { expect, test } from "vitest";
import type { CallSummary } from "../grpc/call-tally.ts";
import { Metadata } from "../grpc/metadata.ts";
import { type ServerFixture, startServer } from "../testing/server-fixture.ts";
import { Channel } from "./channel.ts";
import type { ClientInterceptor } from "./client-interceptor.ts";

function channelTo({ clock, connect }: ServerFixture, interceptors: readonly ClientInterceptor[]): Channel {
  return new Channel({ connect, authority: "test", clock, interceptors });
}

test("an interceptor adds metadata to a copy of what the caller gave", async () => {
  const fixture = startServer();
  const tokens: unknown[] = [];
  fixture.dispatcher.addUnary("/x.Y/Who", (message, call) => {
    tokens.push([...call.metadata].map(([name, value]) => `${name}=${String(value)}`));
    call.respond(message);
  });
  let count = 0;
  const channel = channelTo(fixture, [
    { addMetadata: (path, metadata) => metadata.append("trace", `${path} ${++count}`) },
    { addMetadata: (_path, metadata) => metadata.append("token", `t${metadata.size}`) },
  ]);
  const given = Metadata.of({ own: "1" });
  const calls = [channel.unary("/x.Y/Who", new Uint8Array(1), { metadata: given }), channel.unary("/x.Y/Who", new Uint8Array(1))];
  await fixture.clock.settleAsync();
  await Promise.all(calls);
  expect(tokens).toEqual([
    ["user-agent=grpc-node-raftkv/1.0.0", "own=1", "trace=/x.Y/Who 1", "token=t2"],
    ["user-agent=grpc-node-raftkv/1.0.0", "trace=/x.Y/Who 2", "token=t1"],
  ]);
  expect(given.size).toBe(1);
});

test("what an interceptor throws before the call is thrown to the caller", async () => {
  const fixture = startServer();
  const channel = channelTo(fixture, [
    {
      addMetadata: () => {
        throw new Error("no token yet");
      },
    },
  ]);
  await expect(channel.unary("/x.Y/Echo", new Uint8Array(1))).rejects.toThrow("no token yet");
});

test("an observer is told of status, duration, messages and bytes, once per call", async () => {
  const fixture = startServer();
  const seen: (string | CallSummary)[] = [];
  const channel = channelTo(fixture, [{ observe: (path) => (summary) => seen.push(path, summary) }]);
  fixture.dispatcher.addUnary("/x.Y/Slow", () => {});
  const calls = [
    channel.unary("/x.Y/Echo", new Uint8Array(10)),
    channel.unary("/x.Y/Missing", new Uint8Array(3)),
    channel.unary("/x.Y/Slow", new Uint8Array(2), { timeoutMs: 100 }),
  ];
  const settled = Promise.allSettled(calls);
  await fixture.clock.settleAsync();
  fixture.clock.advance(200);
  await settled;
  expect(seen).toEqual([
    "/x.Y/Echo",
    { code: 0, durationMs: 0, requests: 1, requestBytes: 10, responses: 1, responseBytes: 10 },
    "/x.Y/Missing",
    { code: 12, durationMs: 0, requests: 1, requestBytes: 3, responses: 0, responseBytes: 0 },
    "/x.Y/Slow",
    { code: 4, durationMs: expect.closeTo(100, -1), requests: 1, requestBytes: 2, responses: 0, responseBytes: 0 },
  ]);
});

test("an observer that throws is reported and harms nobody", async () => {
  const fixture = startServer();
  const reports: string[] = [];
  const channel = new Channel({
    connect: fixture.connect,
    authority: "test",
    clock: fixture.clock,
    onHandlerError: (path, error) => reports.push(`${path}: ${String(error)}`),
    interceptors: [
      {
        observe: () => () => {
          throw new Error("metrics broke");
        },
      },
    ],
  });
  const call = channel.unary("/x.Y/Echo", new Uint8Array(10));
  await fixture.clock.settleAsync();
  expect([(await call).length, reports]).toEqual([10, ["/x.Y/Echo: Error: metrics broke"]]);
});
