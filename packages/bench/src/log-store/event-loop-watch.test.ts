import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { EventLoopWatch } from "./event-loop-watch.ts";

/** Longest stretch that the scheduler may not have told of yet. */
const schedulerTickMs = 10;

test("work on the event loop is seen, and as its own", async () => {
  const watch = new EventLoopWatch();
  await pause(20);
  const startCpu = process.cpuUsage();
  // Measured in processor time, so that other processes do not shorten it.
  while (process.cpuUsage(startCpu).user + process.cpuUsage(startCpu).system < 60_000) Math.sqrt(startCpu.user);
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
