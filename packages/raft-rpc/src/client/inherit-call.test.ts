import { describe, expect, test } from "vitest";
import { Dispatcher } from "../server/dispatcher.ts";
import type { CallContext } from "../server/service-impl.ts";
import { echoService } from "../testing/echo-service.ts";
import { type ServerFixture, startServer } from "../testing/server-fixture.ts";
import { Channel } from "./channel.ts";
import { inheritCall } from "./inherit-call.ts";
import { createClient, type TypedCallOptions } from "./typed-client.ts";

/** A server that asks another, and a client of the first. */
function startChain(optionsOf: (call: CallContext) => TypedCallOptions) {
  const inner: { timeLeftMs: number; cancelled: boolean }[] = [];
  const last: ServerFixture = startServer({
    dispatcher: new Dispatcher().add(echoService, {
      say: (_request, call) => {
        const seen = { timeLeftMs: call.deadlineMs - last.clock.monotonicMs(), cancelled: false };
        inner.push(seen);
        return new Promise((resolve) => {
          call.signal.addEventListener("abort", () => {
            seen.cancelled = true;
            resolve("");
          });
        });
      },
    }),
  });
  const { clock } = last;
  const between = createClient(echoService, new Channel({ connect: last.connect, authority: "last", clock }));
  const first = startServer({
    clock,
    dispatcher: new Dispatcher().add(echoService, { say: (request, call) => between.say(request, optionsOf(call)) }),
  });
  const client = createClient(echoService, new Channel({ connect: first.connect, authority: "first", clock }));
  return { clock, client, inner };
}

describe("a call on behalf of another", () => {
  test("has what is left of its time", async () => {
    const { clock, client, inner } = startChain((call) => inheritCall(call));
    const call = client.say("x", { timeoutMs: 500 }).catch((error: unknown) => error);
    await clock.settleAsync();
    expect(inner).toEqual([{ timeLeftMs: 500, cancelled: false }]);
    clock.advance(600);
    await clock.settleAsync();
    expect([await call, inner[0]?.cancelled]).toMatchObject([{ code: 4 }, true]);
  });

  test("has less if it says so, and never more", async () => {
    const { clock, client, inner } = startChain((call) => inheritCall(call, { timeoutMs: inner.length === 0 ? 200 : 10_000 }));
    for (let count = 0; count < 2; count++) void client.say("x", { timeoutMs: 500 }).catch(() => undefined);
    await clock.settleAsync();
    expect(inner.map(({ timeLeftMs }) => timeLeftMs)).toEqual([200, 200]);
    void client.say("x", { timeoutMs: 500 }).catch(() => undefined);
    await clock.settleAsync();
    expect(inner[2]?.timeLeftMs).toBe(500);
    clock.advance(1000);
    await clock.settleAsync();
  });

  test("is cancelled with it", async () => {
    const { clock, client, inner } = startChain((call) => inheritCall(call));
    const controller = new AbortController();
    const call = client.say("x", { signal: controller.signal }).catch((error: unknown) => error);
    await clock.settleAsync();
    expect(inner).toEqual([{ timeLeftMs: Number.POSITIVE_INFINITY, cancelled: false }]);
    controller.abort();
    await clock.settleAsync();
    expect([await call, inner[0]?.cancelled]).toMatchObject([{ code: 1 }, true]);
  });

  test("is cancelled by its own signal too", async () => {
    const own = new AbortController();
    const { clock, client, inner } = startChain((call) => inheritCall(call, { signal: own.signal }));
    const call = client.say("x").catch((error: unknown) => error);
    await clock.settleAsync();
    own.abort();
    await clock.settleAsync();
    expect([await call, inner[0]?.cancelled]).toMatchObject([{ code: 1 }, true]);
  });

  test("is not begun when there is no time left", async () => {
    const { clock, client, inner } = startChain((call) => inheritCall(call, { deadlineMs: clock.monotonicMs() }));
    const call = client.say("x").catch((error: unknown) => error);
    await clock.settleAsync();
    expect([await call, inner]).toMatchObject([{ code: 4 }, []]);
  });
});
