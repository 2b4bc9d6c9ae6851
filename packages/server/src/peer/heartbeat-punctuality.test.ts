import { expect, test } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { HeartbeatPunctuality } from "./heartbeat-punctuality.ts";

test("a heartbeat is late more than two intervals after the one before, to the same member in the same term", async () => {
  const clock = new ManualClock();
  const punctuality = new HeartbeatPunctuality(clock, 100);
  const sent = (to: number, term: number): number => {
    punctuality.sent({ to, term });
    return punctuality.lateCount;
  };
  expect([sent(2, 1), sent(3, 1)]).toEqual([0, 0]);
  await clock.run(200);
  expect(sent(2, 1)).toBe(0);
  await clock.run(1);
  expect([sent(2, 1), sent(3, 1)]).toEqual([0, 1]);
  await clock.run(1_000);
  expect([sent(2, 2), sent(3, 1)]).toEqual([1, 2]);
});
