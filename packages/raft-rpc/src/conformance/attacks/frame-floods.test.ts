import { describe, expect, test } from "vitest";
import { ErrorCode } from "../../http2/frame.ts";
import { ascii, type RawPeer } from "../../testing/raw-peer.ts";
import { type ServerFixture, startServer } from "../../testing/server-fixture.ts";
import { clientOpening, echoPath, type FrameFlood, frameFloods, waitPath } from "./frame-floods.ts";
import { grownBytes, printGrowth } from "./memory-growth.ts";

/** Far above every limit. */
const roundsTried = 30_000;
const growthBytesMax = 8 * 1024 * 1024;

function startAttacked(): ServerFixture {
  const fixture = startServer();
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
    expect(rounds).toBeLessThanOrEqual(attack.roundsMax);
    expect(server.counters.connectionErrors[ErrorCode.ENHANCE_YOUR_CALM]).toBe(1);
    bystander.send(...bystander.unary(1, echoPath, ascii("a")));
    clock.settle();
    expect([bystander.status(1), bystander.goaway]).toEqual(["0", null]);
    expect([server.counters.streamsOpen, server.counters.connectionsOpen]).toEqual([0, 1]);
    expect(bytes).toBeLessThan(growthBytesMax);
    printGrowth(`${attack.name}, ${rounds} rounds`, bytes);
  });
});
