import { expect, test } from "vitest";
import { NodeClock } from "./node-clock.ts";

test("a timer beyond Node's own limit of 24.8 days does not fire at once", async () => {
  const clock = new NodeClock();
  let hasFired = false;
  const timer = clock.setTimer(3_000_000_000, () => {
    hasFired = true;
  });
  await new Promise<void>((resolve) => void clock.setTimer(20, resolve));
  timer.cancel();
  expect(hasFired).toBe(false);
});
