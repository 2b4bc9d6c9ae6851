import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { EventLoopWatch } from "./event-loop-watch.ts";

test("a stretch of work on the event loop is seen, and as its own", async () => {
  const watch = new EventLoopWatch();
  await pause(20);
  const startMs = performance.now();
  while (performance.now() - startMs < 60) Math.sqrt(startMs);
  await pause(20);
  const delays = watch.stop();
  expect(delays.maxMs).toBeGreaterThan(50);
  expect(delays.ownMaxMs).toBeGreaterThan(0);
  expect(delays.ownMaxMs).toBeLessThanOrEqual(delays.maxMs + 2);
});
