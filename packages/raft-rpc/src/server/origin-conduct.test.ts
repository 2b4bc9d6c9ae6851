import { describe, expect, test } from "vitest";
import { OriginConduct } from "./origin-conduct.ts";

const limits = { faultRate: { burst: 10, perSecond: 5 }, delayMaxMs: 1000 };

function blamed(times: number, origin = "a", nowMs = 0): OriginConduct {
  const conduct = new OriginConduct(limits);
  for (let count = 0; count < times; count++) conduct.blame(origin, nowMs);
  return conduct;
}

describe("a new connection", () => {
  test("begins at once while its origin is unknown, or was to blame for no more than a burst", () => {
    expect([blamed(0).delayMs("a", 0), blamed(10).delayMs("a", 0)]).toEqual([0, 0]);
  });

  test("waits until its origin owes nothing, as time pays it", () => {
    const conduct = blamed(12);
    expect([0, 100, 399, 400].map((nowMs) => Math.round(conduct.delayMs("a", nowMs)))).toEqual([400, 300, 1, 0]);
  });

  test("waits for a second at most, however much its origin is to blame, and soon no longer", () => {
    const conduct = blamed(10_000);
    expect([0, 500, 1000].map((nowMs) => conduct.delayMs("a", nowMs))).toEqual([1000, 500, 0]);
  });

  test("does not wait for what others did", () => {
    expect(blamed(100).delayMs("b", 0)).toBe(0);
  });
});

test("of any number of origins thousands are remembered: those that were to blame last", () => {
  const conduct = new OriginConduct({ ...limits, faultRate: { burst: 1, perSecond: 1 } });
  for (let count = 0; count < 20_000; count++) {
    conduct.blame(`origin ${count}`, 0);
    conduct.blame(`origin ${count}`, 0);
    conduct.blame("again and again", 0);
  }
  expect(conduct.size).toBe(4096);
  expect(["origin 0", "origin 19999", "again and again"].map((origin) => conduct.delayMs(origin, 0))).toEqual([0, 1000, 1000]);
});
