import { describe, expect, test } from "vitest";
import { ErrorCode } from "../../http2/frame.ts";
import { defaultLimits } from "../../limits.ts";
import type { RpcServerOptions } from "../../server/rpc-server.ts";
import { ascii, type RawPeer } from "../../testing/raw-peer.ts";
import { type ServerFixture, startServer } from "../../testing/server-fixture.ts";
import { clientOpening, echoPath, type FrameFlood, frameFloods, waitPath } from "./frame-floods.ts";
import { grownBytes, printGrowth } from "./memory-growth.ts";

/** Far above every limit. */
const roundsTried = 30_000;
const growthBytesMax = 8 * 1024 * 1024;

function startAttacked(options: Pick<RpcServerOptions, "limits"> = {}): ServerFixture {
  const fixture = startServer(options);
  fixture.dispatcher.addUnary(waitPath, () => undefined);
  return fixture;
}

/** Sends rounds in one moment until the server ends the connection. How many it took. */
function flood({ clock }: ServerFixture, attacker: RawPeer, { opening, round }: FrameFlood): number {
  attacker.send(opening);
  clock.settle();
  for (let count = 0; count < roundsTried; count++) {
    attacker.send(round(count));
    clock.settle();
    if (attacker.goaway !== null) return count;
  }
  return roundsTried;
}

describe("a flood ends its own connection, and nothing else", () => {
  test.each(frameFloods)("$name", (attack) => {
    const fixture = startAttacked();
    const { clock, server, startedPeer } = fixture;
    const bystander = startedPeer();
    const attacker = fixture.peer();
    attacker.send(clientOpening());
    const { result: rounds, bytes } = grownBytes(() => flood(fixture, attacker, attack));
    expect([attacker.goaway, attacker.closed]).toEqual(["ENHANCE_YOUR_CALM", true]);
    expect(rounds).toBeLessThanOrEqual(attack.roundsMax(defaultLimits));
    expect([server.counters.connectionErrors[ErrorCode.ENHANCE_YOUR_CALM], server.counters.limits[attack.limit]]).toEqual([1, 1]);
    bystander.send(...bystander.unary(1, echoPath, ascii("a")));
    clock.settle();
    expect([bystander.status(1), bystander.goaway]).toEqual(["0", null]);
    expect([server.counters.streamsOpen, server.counters.connectionsOpen]).toEqual([0, 1]);
    expect(bytes).toBeLessThan(growthBytesMax);
    printGrowth(`${attack.name}, ${rounds} rounds`, bytes);
  });
});

describe("a server may be told to take less", () => {
  const rate = { burst: 30, perSecond: 1 };
  const limits = {
    ...{ resetRate: rate, refusalRate: rate, settingsRate: rate, emptyDataRate: rate, priorityRate: rate, idleFrameRate: rate },
    ...{ concurrentStreamsMax: 20, continuationsMax: 2, paddingBytesMax: 1000 },
  };

  test.each(frameFloods.filter(({ name }) => !name.startsWith("windows")))("$name", (attack) => {
    const fixture = startAttacked({ limits });
    const attacker = fixture.peer();
    attacker.send(clientOpening());
    const rounds = flood(fixture, attacker, attack);
    expect([attacker.goaway, rounds <= attack.roundsMax({ ...defaultLimits, ...limits })]).toEqual(["ENHANCE_YOUR_CALM", true]);
  });
});
