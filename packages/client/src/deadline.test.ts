import { expect, test } from "vitest";
import { Deadline } from "./deadline.ts";
import { VirtualClock } from "./testing/virtual-clock.ts";

test("a deadline counts down to zero and stays there", async () => {
  const clock = new VirtualClock();
  const deadline = new Deadline(clock, 1000);
  expect([deadline.remainingMs(), deadline.passed]).toEqual([1000, false]);
  await clock.pass(400);
  expect([deadline.remainingMs(), deadline.passed]).toEqual([600, false]);
  await clock.pass(700);
  expect([deadline.remainingMs(), deadline.passed]).toEqual([0, true]);
});

test("an attempt that can be repeated takes half of what is left, and a short rest as a whole", async () => {
  const clock = new VirtualClock();
  const deadline = new Deadline(clock, 1000);
  expect(deadline.shareMs()).toBe(500);
  await clock.pass(850);
  expect(deadline.shareMs()).toBe(100);
  await clock.pass(100);
  expect(deadline.shareMs()).toBe(50);
});
