import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { EventLoopWatch } from "./event-loop-watch.ts";
import { ThreadTime } from "./thread-time.ts";

/** Longest stretch that the scheduler may not have told of yet. */
const schedulerTickMs = 10;

test("work on the event loop is seen, and as its own", async () => {
  const watch = new EventLoopWatch();
  await pause(20);
  const threadTime = new ThreadTime();
  const startMs = threadTime.readMs();
  // Measured in processor time of this thread, so that nothing else shortens it.
  while (threadTime.readMs() - startMs < 60) Math.sqrt(startMs);
  threadTime.close();
  await pause(20);
  const delays = watch.stop();
  expect(delays.maxMs).toBeGreaterThan(20);
  expect(delays.ownMaxMs).toBeGreaterThan(10);
  expect(delays.ownMaxMs).toBeLessThanOrEqual(delays.maxMs + schedulerTickMs);
});

test("waiting is not work", async () => {
  const watch = new EventLoopWatch();
  await pause(20);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60);
  await pause(20);
  const delays = watch.stop();
  expect(delays.maxMs).toBeGreaterThan(50);
  expect(delays.ownMaxMs).toBeLessThan(50);
});
