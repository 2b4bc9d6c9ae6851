import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { timingOf } from "./timing.ts";

describe("timing", () => {
  test("gives the usual options four ticks to a heartbeat", () => {
    expect(timingOf({ heartbeatMs: 100, electionMs: 1000 })).toMatchObject({ tickMs: 25, heartbeatTicks: 4, electionTicks: 40 });
  });

  test.each([
    [1, 1, 1],
    [10, 5, 2],
    [12, 6, 2],
    [20, 5, 4],
  ])("makes no ticks that are too short to be worth it, heartbeats of %i ms", (heartbeatMs, tickMs, heartbeatTicks) => {
    expect(timingOf({ heartbeatMs, electionMs: 10 * heartbeatMs })).toMatchObject({ tickMs, heartbeatTicks });
  });

  test("refuses an election time-out of fewer than five heartbeats", () => {
    expect(() => timingOf({ heartbeatMs: 100, electionMs: 499 })).toThrow(/499 ms is less than five heartbeats of 100 ms/);
  });

  test("counts in ticks what was given in milliseconds, never less", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 5, max: 50 }), (heartbeatMs, times) => {
        const { tickMs, heartbeatTicks, electionTicks } = timingOf({ heartbeatMs, electionMs: times * heartbeatMs });
        expect(heartbeatTicks * tickMs).toBeCloseTo(heartbeatMs);
        expect(electionTicks * tickMs).toBeGreaterThanOrEqual(times * heartbeatMs - 1e-6);
        expect(electionTicks).toBeGreaterThanOrEqual(2 * heartbeatTicks);
      }),
    );
  });
});
